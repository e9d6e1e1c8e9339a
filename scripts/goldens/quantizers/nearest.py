"""The nearest codeword, with both straight-through estimators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Quantized:
    """The result of quantizing vectors [N, D] with a codebook [K, D]."""

    codes: Tensor  # [N]
    codewords: Tensor  # [N, D], for the two losses: gradients flow to the codebook only
    straight_through: Tensor  # [N, D], for the decoder: gradients flow to the vectors only
    gap: float | None = None
    """Without a codebook, how far the least clear component is from another code; else None."""


Quantize = Callable[[Tensor, Tensor], Quantized]


def square_distances(vectors: Tensor, codebook: Tensor) -> Tensor:
    return (vectors[:, None, :] - codebook[None, :, :]).square().sum(2)


def smallest_gap(vectors: Tensor, codebook: Tensor) -> float:
    """The minimum over the vectors of (d2 - d1) / mean(d), where d are the squared distances of a vector to
    all codewords, and d1 and d2 the smallest two."""
    distances = square_distances(vectors.detach(), codebook.detach())
    nearest, second = distances.sort(1).values[:, :2].unbind(1)
    return ((second - nearest) / distances.mean(1)).min().item()


class VectorQuantize(torch.autograd.Function):
    """Replaces each vector by its nearest codeword.

    A vector receives the gradient of its output unchanged; a codeword receives the sum over the
    vectors that chose it.
    """

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, codebook: Tensor) -> tuple[Tensor, Tensor]:
        squares = vectors.square().sum(1, keepdim=True) + codebook.square().sum(1)
        codes = torch.addmm(squares, vectors, codebook.T, alpha=-2).argmin(1)
        ctx.save_for_backward(codebook, codes)
        ctx.mark_non_differentiable(codes)
        return codebook.index_select(0, codes), codes

    @staticmethod
    def backward(
        ctx: Any, output_gradient: Tensor, _: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        codebook, codes = ctx.saved_tensors
        vectors_gradient, codebook_gradient = None, None
        if ctx.needs_input_grad[0]:
            vectors_gradient = output_gradient
        if ctx.needs_input_grad[1]:
            codebook_gradient = torch.zeros_like(codebook).index_add_(0, codes, output_gradient)
        return vectors_gradient, codebook_gradient


def quantize_by_function(vectors: Tensor, codebook: Tensor) -> Quantized:
    """Calls VectorQuantize twice, each time with one input detached that must not get its gradient."""
    codewords, codes = VectorQuantize.apply(vectors.detach(), codebook)
    straight_through, _ = VectorQuantize.apply(vectors, codebook.detach())
    return Quantized(codes, codewords, straight_through)


def quantize_by_detached_offset(vectors: Tensor, codebook: Tensor) -> Quantized:
    """The literal expression z + (e - z).detach()."""
    codes = square_distances(vectors, codebook).argmin(1)
    codewords = codebook[codes]
    return Quantized(codes, codewords, vectors + (codewords - vectors).detach())
