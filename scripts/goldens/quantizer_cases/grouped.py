"""quantizer.kind grouped."""

import torch
from inputs import Random, Tensors
from quantizer_cases.case import LATENT, WIDTH, Case, Result
from quantizer_cases.inner import Vq
from torch import Tensor

GROUPS = 2
PARTS = [Vq(latent=f"{LATENT}.{i}", width=WIDTH // GROUPS) for i in range(GROUPS)]


class Grouped(Case):
    """A codebook for each part of a vector (Jégou et al. 2011). The terms of the parts add up to means over
    whole vectors."""

    name, trained = "grouped", tuple(part.codebook for part in PARTS)

    def parameters(self, random: Random) -> Tensors:
        return {name: x for part in PARTS for name, x in part.parameters(random).items()}

    def quantize(self, z: Tensor, parameters: Tensors) -> Result:
        parts = [
            part.quantize(x, parameters) for part, x in zip(PARTS, z.chunk(GROUPS, 1), strict=True)
        ]
        return Result(
            [codes for part in parts for codes in part.codes],
            torch.cat([part.output for part in parts], 1),
            [(weight, value / GROUPS) for part in parts for weight, value in part.terms],
            min(part.gap for part in parts),
        )


CASES = [Grouped()]
