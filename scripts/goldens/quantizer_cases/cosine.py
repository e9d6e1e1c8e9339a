"""quantizer.kind cosine."""

from dataclasses import dataclass

import torch.nn.functional as F
from inputs import Random, Tensors, representable
from quantizer_cases.case import Case, Result
from quantizer_cases.inner import Ema, Vq
from torch import Tensor


@dataclass(frozen=True)
class Cosine(Case):
    """The inner quantizer on the unit sphere (Yu et al. 2022, section 3.2). Of the codewords, the one with
    the smallest angle is chosen."""

    inner: Vq

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"cosine.{self.inner.name}"

    @property
    def trained(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.inner.trained

    def parameters(self, random: Random) -> Tensors:
        parameters = self.inner.parameters(random)
        name = self.inner.codebook
        return {**parameters, name: representable(F.normalize(parameters[name]))}

    def quantize(self, z: Tensor, parameters: Tensors) -> Result:
        y = F.normalize(z)
        result = self.inner.quantize(y, parameters)
        cosines = F.cosine_similarity(z[:, None], parameters[self.inner.codebook][None], dim=2)
        assert cosines.argmax(1).equal(result.codes[0]), "the nearest is not that of least angle"
        return result

    def update(self, parameters: Tensors, batch: Tensors) -> Tensors:
        updated = self.inner.update(parameters, batch)
        name = self.inner.codebook
        return {**updated, name: F.normalize(updated[name])}


CASES = [Cosine(Vq("vq")), Cosine(Ema("ema")), Cosine(Vq("rotation", rotates=True))]
