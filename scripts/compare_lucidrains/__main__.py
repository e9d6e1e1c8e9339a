"""Compares our quantizers with lucidrains/vector-quantize-pytorch, on the same vectors and codebooks.

    pip install torch safetensors vector-quantize-pytorch
    swift build -c release --product QuantizerProbe
    python3 scripts/compare_lucidrains [--probe .build/release/QuantizerProbe]

Prints a table: the case, the quantity, the largest difference over the largest element, and a verdict. A
difference either has a name here, with who is right and why, or the comparison fails.
"""

import argparse
import inspect
from importlib.metadata import version
from pathlib import Path

import codebook_free
import several
import single
import torch
from probe import Probe, UnknownKind
from table import Table
from vector_quantize_pytorch import LFQ, VectorQuantize


def defaults(table: Table) -> None:
    theirs = inspect.signature(VectorQuantize.__init__).parameters
    for name, ours in [
        ("decay", "0.99"), ("eps", "1e-05"), ("commitment_weight", "0.25"),
        ("threshold_ema_dead_code", "none"), ("kmeans_init", "the architecture's"),
    ]:  # fmt: skip
        table.note("defaults", name, f"theirs {theirs[name].default}, ours {ours}")
    table.note(
        "defaults", "straight-through",
        "theirs is the rotation if D > 1, ours the gradient unchanged, as in the paper",
    )  # fmt: skip
    inverse = inspect.signature(LFQ.forward).parameters["inv_temperature"].default
    table.note("defaults", "temperature of lfq", f"theirs {1 / inverse}, ours 0.5")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Compares our quantizers with vector-quantize-pytorch."
    )
    parser.add_argument(
        "--probe", type=Path, default=Path(".build/release/QuantizerProbe"),
        help="the program that runs ours (default: %(default)s)",
    )  # fmt: skip
    probe, table = Probe(parser.parse_args().probe), Table()
    torch.manual_seed(0)
    print(f"vector-quantize-pytorch {version('vector-quantize-pytorch')}, ", end="")
    print(f"PyTorch {torch.__version__}\n")
    for name, compare in {**single.CASES, **several.CASES, **codebook_free.CASES}.items():
        try:
            compare(table, probe)
        except UnknownKind:
            table.note(name, "all", f"skipped: the probe has no quantizer.kind {name}")
    defaults(table)
    table.print()
    table.check()


if __name__ == "__main__":
    main()
