"""quantizer.kind fsq: every component becomes the nearest of its levels."""

import torch
from inputs import Tensors
from quantizers.nearest import Quantized
from quantizers.quantizer import CodebookFree
from torch import Tensor

LEVELS = [5, 4, 3, 6]
MARGIN = 1e-3


class FiniteScalar(CodebookFree):
    """Finite scalar quantization (Mentzer et al. 2023)."""

    name, terms = "fsq", {}
    codes: Tensor

    def quantize(self, vectors: Tensor, _: Tensor) -> Quantized:
        components, gaps, code, place = [], [], torch.zeros(len(vectors), dtype=torch.int64), 1
        for z, count in zip(vectors.unbind(1), LEVELS, strict=True):
            half = (count - 1) * (1 + MARGIN) / 2
            offset = torch.tensor(0.0 if count % 2 else 0.5, dtype=z.dtype)
            bounded = half * torch.tanh(z + torch.atanh(offset / half)) - offset
            levels = torch.arange(count, dtype=z.dtype) - count // 2
            distances = (bounded.detach()[:, None] - levels).abs()
            digit = distances.argmin(1)
            two = distances.sort(1).values[:, :2]
            gaps.append((two[:, 1] - two[:, 0]).min().item())
            scaled = bounded / (count // 2)
            components.append(scaled + (levels[digit] / (count // 2) - scaled).detach())
            code, place = code + place * digit, place * count
        output = torch.stack(components, 1)
        self.codes = code
        return Quantized(code, output.detach(), output, gap=min(gaps))

    def final(self, parameters: Tensors) -> Tensors:
        """The codes are those of the last batch, before its step."""
        weight = "encoder.conv1.weight"
        return {weight: parameters[weight], "codes": self.codes}
