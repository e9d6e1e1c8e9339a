"""A case of quantizers.safetensors: a quantizer described by its formulas, and one step of it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from itertools import count

import torch
from inputs import Random, Tensors
from model import SMALLEST_GAP
from torch import Tensor

LATENT = "q"
SHAPE, WIDTH = (2, 3, 2), 4  # images, height and width; D
COMMITMENT, LEARNING_RATE, STEP = 0.25, 0.5, 3
FEWEST_CODES = 3


@dataclass
class Result:
    """The result of quantizing vectors [N, D]."""

    codes: list[Tensor]  # [N] for each code of a position
    output: Tensor  # [N, D], with gradients to the vectors alone
    terms: list[tuple[float, Tensor]]  # weight and value, in the quantizer's order
    gap: float  # of the least clear choice of a codeword
    batch: Tensors = field(default_factory=dict)  # what ``update`` needs to know of the batch


class Case(ABC):
    """A quantizer with its options."""

    name: str
    trained: tuple[str, ...] = ()
    """The parameters that a gradient moves."""

    @abstractmethod
    def parameters(self, random: Random) -> Tensors: ...

    @abstractmethod
    def quantize(self, z: Tensor, parameters: Tensors) -> Result:
        """Quantizes vectors [N, D]."""

    def update(self, parameters: Tensors, batch: Tensors) -> Tensors:
        """The parameters after the quantizer's own part of a step, which follows the optimizer's."""
        return parameters

    def tensors(self, z: Tensor, output_gradient: Tensor) -> Tensors:
        """Parameters from the first seed with clear choices; codes, output, terms; the gradients of
        Σ output_gradient · output + Σ weight · term; and the parameters after a step of gradient descent.
        """
        for seed in count(1):  # 0 is that of the vectors
            initial = self.parameters(Random.seeded(seed))
            vectors = z.reshape(-1, WIDTH).clone().requires_grad_()
            parameters = {
                name: x.clone().requires_grad_(name in self.trained) for name, x in initial.items()
            }
            result = self.quantize(vectors, parameters)
            fewest = min(len(set(codes.tolist())) for codes in result.codes)
            if result.gap > SMALLEST_GAP and fewest >= FEWEST_CODES:
                break
        print(f"{self.name}: seed {seed}, smallest gap {result.gap:.1e}, at least {fewest} codes")

        leaves = {"z": vectors, **{name: parameters[name] for name in self.trained}}
        loss = (output_gradient.reshape(-1, WIDTH) * result.output).sum()
        for weight, value in result.terms:
            loss = loss + weight * value
        gradients = dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))
        moved = {
            name: x.detach() - LEARNING_RATE * gradients.get(name, torch.zeros_like(x))
            for name, x in parameters.items()
        }
        updated = self.update(moved, result.batch)
        several = len(result.codes) > 1
        return {
            **{f"parameters.{name}": x for name, x in initial.items()},
            "codes": torch.stack(result.codes, 1).reshape(*SHAPE, -1)
            if several
            else result.codes[0].reshape(SHAPE),
            "output": result.output.reshape(z.shape),
            "terms": torch.stack([value for _, value in result.terms]),
            **{
                f"gradients.{name}": x.reshape(z.shape) if name == "z" else x
                for name, x in gradients.items()
            },
            **{f"updated.{name}": x for name, x in updated.items()},
        }
