"""The interface of a quantizer for a trajectory of the zalando model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from inputs import Tensors
from quantizers.nearest import Quantize, quantize_by_function
from sizes import COMMITMENT_COST
from torch import Tensor

if TYPE_CHECKING:
    from model import Step


class Quantizer(ABC):
    """How vectors are replaced in training, and how the codebook learns."""

    name: str
    """The name of the trajectory."""
    learns_by_gradient: bool
    """Whether the codebook is a parameter with its own loss."""
    quantize: Quantize = staticmethod(quantize_by_function)

    def total(self, step: Step) -> Tensor:
        """The loss of a step."""
        total = step.reconstruction + COMMITMENT_COST * step.commitment
        return total + step.codebook if self.learns_by_gradient else total

    def losses(self, step: Step) -> Tensor:
        """The reconstruction error and the unweighted terms of the quantizer, to be saved."""
        return step.losses

    def update(self, codebook: Tensor, vectors: Tensor, codes: Tensor) -> None:
        """Updates the codebook in place after a step; by default does nothing.

        The codes [N] are those of the vectors [N, D] in the codebook before the update.
        """

    @abstractmethod
    def final(self, parameters: Tensors) -> Tensors:
        """The tensors to save after the last step."""


class CodebookFree(Quantizer):
    """A quantizer without codebook: it ignores that of the model, and has terms of its own."""

    learns_by_gradient = False
    terms: dict[str, tuple[float, Tensor]]
    """The weight and the value of each term in the last call of ``quantize``."""

    def total(self, step: Step) -> Tensor:
        total = step.reconstruction
        for weight, value in self.terms.values():
            total = total + weight * value
        return total

    def losses(self, step: Step) -> Tensor:
        values = [value for _, value in self.terms.values()]
        return torch.stack([step.reconstruction, *values]).detach()
