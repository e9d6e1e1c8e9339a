"""quantizer.kind lfq: every component becomes its sign."""

import torch
import torch.nn.functional as F
from inputs import Tensors
from quantizers.nearest import Quantized
from quantizers.quantizer import CodebookFree
from sizes import COMMITMENT_COST, DIMENSIONS
from torch import Tensor

ENTROPY, DIVERSITY, TEMPERATURE, DECAY = 0.5, 0.8, 2.0, 0.9
EPSILON, SMOOTHING = 1e-6, 1e-3


class LookupFree(CodebookFree):
    """Lookup-free quantization (Yu et al. 2023) of normalized vectors. The entropy of the batch's mean of p
    is replaced by its tangent at a moving average of the means of earlier batches."""

    name = "lfq"
    codes: Tensor
    mean: Tensor

    def __init__(self) -> None:
        size = 2**DIMENSIONS
        bits = (torch.arange(size)[:, None] >> torch.arange(DIMENSIONS)) & 1
        self.corners = 2.0 * bits.double() - 1
        self.average = torch.zeros(size, dtype=torch.float64)

    def quantize(self, vectors: Tensor, _: Tensor) -> Quantized:
        y = vectors / (vectors.square().mean(1, keepdim=True) + EPSILON).sqrt()
        distances = (y[:, None, :] - self.corners).square().sum(2)
        self.codes = distances.detach().argmin(1)
        output = self.corners[self.codes]
        p = torch.softmax(-distances / TEMPERATURE, 1)

        size, total = len(self.average), self.average.sum()
        average = self.average / total if total > 0 else torch.full_like(self.average, 1 / size)
        average = (1 - SMOOTHING) * average + SMOOTHING / size
        self.terms = {
            "commitment": (COMMITMENT_COST, F.mse_loss(y, output)),
            "entropy": (ENTROPY, -(p * p.log()).sum(1).mean()),
            "diversity": (ENTROPY * DIVERSITY, (p * average.log()).sum(1).mean()),
        }
        self.mean = p.detach().mean(0)
        return Quantized(
            self.codes, output, y + (output - y).detach(), gap=y.detach().abs().min().item()
        )

    def update(self, codebook: Tensor, vectors: Tensor, codes: Tensor) -> None:
        self.average = DECAY * self.average + (1 - DECAY) * self.mean

    def final(self, parameters: Tensors) -> Tensors:
        """The codes are those of the last batch, before its step."""
        weight = "encoder.conv1.weight"
        return {weight: parameters[weight], "codes": self.codes, "average": self.average}
