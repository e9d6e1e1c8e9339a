"""The results of the library, and the comparisons that most cases have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from probe import Data, Ours, Tensors
from table import Table
from torch import Tensor

DECAY, EPSILON, COMMITMENT = 0.9, 1e-5, 0.25
OURS = {"ema_unused": "origin", "commitment": COMMITMENT, "decay": DECAY, "epsilon": EPSILON}
THEIRS = {"commitment_weight": COMMITMENT, "decay": DECAY, "eps": EPSILON, "rotation_trick": False}
"""The same averages: neither keeps a codeword that nobody chose."""


@dataclass(frozen=True)
class Theirs:
    x: Tensor
    output: Tensor
    codes: Tensor
    loss: Tensor
    output_gradient: Tensor

    @classmethod
    def run(cls, module: Any, data: Data) -> "Theirs":
        x = data.leaf()
        output, codes, loss = module(x)
        return cls(x, output, codes, loss, data.output_gradient[None])

    def gradients(self, *leaves: Tensor) -> Sequence[Tensor]:
        """Of the loss, for the vectors and other leaves."""
        return torch.autograd.grad(self.loss.sum(), [self.x, *leaves], retain_graph=True)

    def of_output(self) -> Tensor:
        leaf = [self.x]
        return torch.autograd.grad(self.output, leaf, self.output_gradient, retain_graph=True)[0]


def compare_output(
    table: Table, case: str, ours: Ours, theirs: Theirs, output: str = "", gradient: str = ""
) -> None:
    """``output``, ``gradient``: named differences."""
    table.compare(case, "codes", ours.codes, theirs.codes)
    table.compare(case, "output", ours.output, theirs.output, output)
    of_output = ours.gradient("output")
    table.compare(case, "gradient of z by the output", of_output, theirs.of_output(), gradient)


def compare_commitment(table: Table, case: str, ours: Ours, theirs: Theirs) -> None:
    commitment = COMMITMENT * ours.terms("commitment").sum()
    table.compare(case, "commitment", commitment, theirs.loss.sum())
    (gradient,) = theirs.gradients()
    table.compare(case, "gradient of z by the commitment", ours.gradient("commitment"), gradient)


def start(vq: Any, *codebooks: Tensor) -> None:
    """Sets codebooks, and averages as if each codeword had been chosen once, by a vector equal to it."""
    book = vq._codebook
    for x in (book.embed, book.embed_avg):
        x.data.copy_(torch.stack(codebooks))
    book.cluster_size.data.fill_(1)


def averages(codebook: Tensor) -> Tensors:
    """The same for ours."""
    return {"codebook": codebook, "ema.size": torch.ones(len(codebook)), "ema.sum": codebook}


def compare_averages(
    table: Table, case: str, ours: Ours, vq: Any, prefix: str = "", head: int = 0, named: str = ""
) -> None:
    book = vq._codebook
    theirs = {"codebook": book.embed, "ema.size": book.cluster_size, "ema.sum": book.embed_avg}
    for name, x in theirs.items():
        table.compare(
            case, f"{prefix}{name} after the step", ours.updated(f"{prefix}{name}"), x[head], named
        )
