"""quantizer.kind vq: the codebook learns from its loss."""

from inputs import Tensors
from quantizers.quantizer import Quantizer


class CodebookLoss(Quantizer):
    name, learns_by_gradient = "vq", True

    def final(self, parameters: Tensors) -> Tensors:
        return {name: parameters[name] for name in ("encoder.conv1.weight", "quantizer.codebook")}
