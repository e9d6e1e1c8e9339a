"""quantizer.kind residual."""

from dataclasses import dataclass

import torch
from inputs import Random, Tensors
from quantizer_cases.case import LATENT, Case, Result
from quantizer_cases.inner import Ema, Vq, straight_through
from quantizer_cases.rotation import rotate
from torch import Tensor

STAGES = 3


@dataclass(frozen=True)
class Residual(Case):
    """Each stage quantizes what those before it left over (Zeghidour et al. 2021, algorithm 1). The sum of
    the codewords replaces the vector once, so its gradient passes once."""

    name: str
    stages: list[Vq]
    rotates: bool = False

    @property
    def owners(self) -> list[Vq]:
        return list({stage.latent: stage for stage in self.stages}.values())

    @property
    def trained(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(name for stage in self.owners for name in stage.trained)

    def parameters(self, random: Random) -> Tensors:
        return {name: x for stage in self.owners for name, x in stage.parameters(random).items()}

    def quantize(self, z: Tensor, parameters: Tensors) -> Result:
        total = torch.zeros_like(z)
        codes, terms, gaps = [], [], []
        batch: Tensors = {}
        for stage in self.stages:
            result = stage.quantize(z - total, parameters)
            codes += result.codes
            terms += result.terms
            gaps.append(result.gap)
            for name, x in result.batch.items():
                key = f"{stage.latent} {name}"
                batch[key] = batch[key] + x if key in batch else x
            total = total + parameters[stage.codebook][result.codes[0]].detach()
        output = rotate(z, total) if self.rotates else straight_through(z, total)
        return Result(codes, output, terms, min(gaps), batch)

    def update(self, parameters: Tensors, batch: Tensors) -> Tensors:
        updated = parameters
        for stage in self.owners:
            prefix = f"{stage.latent} "
            own = {k.removeprefix(prefix): x for k, x in batch.items() if k.startswith(prefix)}
            updated = {**updated, **stage.update(parameters, own)}
        return updated


CASES = [
    Residual("residual.separate", [Vq(latent=f"{LATENT}.{i}") for i in range(STAGES)]),
    Residual("residual.shared", [Vq()] * STAGES),
    Residual("residual.shared_ema", [Ema()] * STAGES),
    Residual("residual.rotation", [Vq(latent=f"{LATENT}.{i}") for i in range(2)], rotates=True),
]
