"""The quantizers that others contain: a codebook that learns from its loss, or from moving averages."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from inputs import Random, Tensors
from quantizer_cases.case import COMMITMENT, LATENT, STEP, WIDTH, Case, Result
from quantizer_cases.rotation import rotate
from quantizers.nearest import smallest_gap, square_distances
from torch import Tensor

CODES = 8
DECAY, EPSILON = 0.9, 1e-2  # An ε large enough to be seen.


def straight_through(z: Tensor, e: Tensor) -> Tensor:
    return z + (e - z).detach()


@dataclass(frozen=True)
class Vq(Case):
    """Equation 3 of van den Oord et al. 2017."""

    name: str = "vq"
    latent: str = LATENT
    width: int = WIDTH
    rotates: bool = False

    @property
    def codebook(self) -> str:
        return f"{self.latent}.codebook"

    @property
    def trained(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.codebook,)

    def parameters(self, random: Random) -> Tensors:
        return {self.codebook: random.uniform(CODES, self.width)}

    def quantize(self, z: Tensor, parameters: Tensors) -> Result:
        codebook = parameters[self.codebook]
        codes = square_distances(z.detach(), codebook.detach()).argmin(1)
        e = codebook[codes]
        output = rotate(z, e.detach()) if self.rotates else straight_through(z, e)
        return Result(
            [codes], output, self.terms(z, e), smallest_gap(z, codebook), self.batch(z, codes)
        )

    def terms(self, z: Tensor, e: Tensor) -> list[tuple[float, Tensor]]:
        return [(1, F.mse_loss(e, z.detach())), (COMMITMENT, F.mse_loss(z, e.detach()))]

    def batch(self, z: Tensor, codes: Tensor) -> Tensors:
        return {}


@dataclass(frozen=True)
class Ema(Vq):
    """Appendix A.1 of the same, with the corrections of Sonnet, for averages that have a past."""

    keeps_unchosen: bool = True

    @property
    def trained(self) -> tuple[str, ...]:  # type: ignore[override]
        return ()

    def parameters(self, random: Random) -> Tensors:
        return {
            **super().parameters(random),
            f"{self.latent}.ema.size": random.uniform(CODES, low=0.1, high=1),
            f"{self.latent}.ema.sum": random.uniform(CODES, self.width),
        }

    def terms(self, z: Tensor, e: Tensor) -> list[tuple[float, Tensor]]:
        return super().terms(z, e)[1:]

    def batch(self, z: Tensor, codes: Tensor) -> Tensors:
        chosen = F.one_hot(codes, CODES).to(z.dtype)  # [N, K]
        return {"counts": chosen.sum(0), "sums": chosen.T @ z.detach()}

    def update(self, parameters: Tensors, batch: Tensors) -> Tensors:
        counts, sums = batch["counts"], batch["sums"]
        size = DECAY * parameters[f"{self.latent}.ema.size"] + (1 - DECAY) * counts
        total = DECAY * parameters[f"{self.latent}.ema.sum"] + (1 - DECAY) * sums
        bias = 1 - DECAY**STEP
        unbiased = size / bias
        n = unbiased.sum()
        smoothed = n * (unbiased + EPSILON) / (n + CODES * EPSILON)
        codebook = (total / bias) / smoothed[:, None]
        if self.keeps_unchosen:
            codebook = torch.where(counts[:, None] > 0, codebook, parameters[self.codebook])
        return {
            self.codebook: codebook,
            f"{self.latent}.ema.size": size,
            f"{self.latent}.ema.sum": total,
        }


CASES = [
    Vq("vq"), Vq("vq.rotation", rotates=True), Ema("ema.keep"),
    Ema("ema.origin", keeps_unchosen=False),
]  # fmt: skip
