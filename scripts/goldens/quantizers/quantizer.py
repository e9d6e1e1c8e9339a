"""The interface of a quantizer for a trajectory of the zalando model."""

from abc import ABC, abstractmethod

from inputs import Tensors
from quantizers.nearest import Quantize, quantize_by_function
from torch import Tensor


class Quantizer(ABC):
    """How vectors are replaced in training, and how the codebook learns."""

    name: str
    """The name of the trajectory."""
    learns_by_gradient: bool
    """Whether the codebook is a parameter with its own loss."""
    quantize: Quantize = staticmethod(quantize_by_function)

    def update(self, codebook: Tensor, vectors: Tensor, codes: Tensor) -> None:
        """Updates the codebook in place after a step; by default does nothing.

        The codes [N] are those of the vectors [N, D] in the codebook before the update.
        """

    @abstractmethod
    def final(self, parameters: Tensors) -> Tensors:
        """The tensors to save after the last step."""
