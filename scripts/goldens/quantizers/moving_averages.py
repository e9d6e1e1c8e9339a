"""quantizer.kind ema: the codebook is computed from moving averages."""

import torch
from inputs import Tensors
from quantizers.quantizer import Quantizer
from sizes import CODES, DIMENSIONS
from torch import Tensor

DECAY, EPSILON = 0.9, 1e-5


class MovingAverages(Quantizer):
    """The codebook as bias-corrected moving averages, as in Sonnet."""

    learns_by_gradient = False

    def __init__(self, keeps_unchosen: bool) -> None:
        """``keeps_unchosen``: whether a code that no vector of a batch chose keeps its codeword. In Sonnet
        it does not, and a code that was never chosen moves to the origin."""
        self.name = "ema_keep" if keeps_unchosen else "ema_origin"
        self.keeps_unchosen = keeps_unchosen
        self.step = 0
        self.size = torch.zeros(CODES, dtype=torch.float64)
        self.sum = torch.zeros(CODES, DIMENSIONS, dtype=torch.float64)

    def update(self, codebook: Tensor, vectors: Tensor, codes: Tensor) -> None:
        # Converted, because an integer tensor times a Python float would be float32.
        counts = torch.bincount(codes, minlength=CODES).to(codebook.dtype)
        sums = torch.zeros_like(codebook).index_add_(0, codes, vectors)
        self.step += 1
        self.size = DECAY * self.size + (1 - DECAY) * counts
        self.sum = DECAY * self.sum + (1 - DECAY) * sums

        correction = 1 - DECAY**self.step
        size, sum_ = self.size / correction, self.sum / correction
        total = size.sum()
        smoothed = (size + EPSILON) / (total + CODES * EPSILON) * total
        updated = sum_ / smoothed[:, None]
        if self.keeps_unchosen:
            updated = torch.where(counts[:, None] == 0, codebook, updated)
        codebook.copy_(updated)

    def final(self, parameters: Tensors) -> Tensors:
        averages = {"size": self.size, "sum": self.sum} if self.keeps_unchosen else {}
        return {"codebook": parameters["quantizer.codebook"], **averages}
