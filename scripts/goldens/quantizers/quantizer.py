"""What a trajectory of the zalando model asks of a quantizer."""

from abc import ABC, abstractmethod

from inputs import Tensors
from quantizers.nearest import Quantize, quantize_by_function
from torch import Tensor


class Quantizer(ABC):
    """How vectors are replaced in training, and how the codebook learns."""

    name: str
    """The trajectory's."""
    learns_by_gradient: bool
    """Whether the codebook is a parameter with a loss of its own."""
    quantize: Quantize = staticmethod(quantize_by_function)

    def update(self, codebook: Tensor, vectors: Tensor, codes: Tensor) -> None:
        """Changes the codebook in place after a step; by default nothing.

        The vectors are [N, D], and the codes [N] are those they got from the present codebook.
        """

    @abstractmethod
    def final(self, parameters: Tensors) -> Tensors:
        """What is kept of the state after the last step."""
