"""quantizer.kind simvq."""

from inputs import Random, Tensors
from quantizer_cases.case import LATENT, WIDTH, Case, Result
from quantizer_cases.inner import CODES, Vq
from torch import Tensor

BASIS, TRANSFORM, CODEBOOK = (f"{LATENT}.{name}" for name in ("basis", "transform", "codebook"))


class SimVq(Case):
    """Codewords that are a linear map of fixed vectors (Zhu et al. 2024)."""

    name, trained = "simvq", (TRANSFORM,)

    def parameters(self, random: Random) -> Tensors:
        return {
            BASIS: random.uniform(CODES, WIDTH), TRANSFORM: random.uniform(WIDTH, WIDTH),
        }  # fmt: skip

    def quantize(self, z: Tensor, parameters: Tensors) -> Result:
        return Vq().quantize(z, {CODEBOOK: parameters[BASIS] @ parameters[TRANSFORM]})

    def update(self, parameters: Tensors, batch: Tensors) -> Tensors:
        return {
            TRANSFORM: parameters[TRANSFORM], CODEBOOK: parameters[BASIS] @ parameters[TRANSFORM],
        }  # fmt: skip


CASES = [SimVq()]
