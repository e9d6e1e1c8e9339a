"""Computes the golden files of the tests with PyTorch, as an independent implementation.

    layers.safetensors    convolutions and residual blocks: outputs and gradients
    zalando.safetensors   a small zalando model: outputs, gradients, and ten training steps with
                          each quantizer
    sonnet, strided, resblock_*, hierarchical.safetensors
                          a small model each: outputs and gradients
    quantizers.safetensors
                          one step of each quantizer, without a model around it
    training.safetensors  AdamW, gradient clipping and cosine schedule with warm-up from PyTorch's
                          own classes, the loss of seed 004, and near ties

Run it from any folder. It takes half a minute and writes under 600 kB in total:

    pip install torch safetensors numpy
    python3 scripts/goldens [OUTPUT_FOLDER]

Inputs are uniform random numbers of a seeded generator, rounded to float32. All computations are in
float64 and results are stored as F32, so the error of a golden is one rounding. The same version of
PyTorch always writes the same bytes.

Activations are channels last, [N, H, W, C]. Weights have PyTorch's layouts: [out, in, kh, kw] for
Conv2d, [in, out, kh, kw] for ConvTranspose2d.

A test in single precision can reproduce only a model whose choices of codes are clear. Therefore each
model uses the first seed for which, at every step of every trajectory, no vector has a second-nearest
codeword about as near as the nearest, and every batch uses several codes.
"""

import argparse
from pathlib import Path

import architectures
import layer_cases
import quantizer_cases
import torch
import trajectories
from golden import Golden
from near_ties import near_ties
from optimizers import adamw, schedules
from seed_004 import seed_004

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "Tests" / "Goldens"
LARGEST_TOTAL = 600_000  # bytes

GOLDENS = [
    *layer_cases.GOLDENS,
    *trajectories.GOLDENS,
    *architectures.GOLDENS,
    *quantizer_cases.GOLDENS,
    Golden(
        "training",
        "AdamW, clipping, the cosine; the loss of seed 004; near ties.",
        lambda: {**adamw(), **schedules(), **seed_004(trajectories.zalando()), **near_ties()},
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the golden files of the tests.")
    parser.add_argument(
        "folder", metavar="OUTPUT_FOLDER", nargs="?", type=Path, default=DEFAULT_FOLDER,
        help="where the files go (default: %(default)s)",
    )  # fmt: skip
    folder: Path = parser.parse_args().folder
    torch.set_num_threads(1)

    files = {golden.name: golden.contents() for golden in GOLDENS}
    total = sum(map(len, files.values()))
    if total >= LARGEST_TOTAL:
        raise SystemExit(f"the files would have {total} bytes, allowed are {LARGEST_TOTAL}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        path = folder / f"{name}.safetensors"
        path.write_bytes(contents)
        print(f"{path}: {len(contents)} bytes")


if __name__ == "__main__":
    main()
