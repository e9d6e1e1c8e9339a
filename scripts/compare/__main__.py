#!/usr/bin/env python3
"""Compares `vqvae` with other programs on this machine: the time of a training step and of encoding.

`make compare` runs it. All train configs/cifar10-zalando.yaml with a codebook loss, on the same images, with the
same number of threads, in float32 unless stated otherwise. The others are

- eager: PyTorch with contiguous images, and with channels last
- compiled: the same with torch.compile
- bf16: PyTorch with autocast to bfloat16, eager, channels last; distances in float32
- avx2: PyTorch limited to AVX2, eager, channels last, against ours with VQVAE_KERNELS=avx2
- onnxruntime, openvino: encoding with a graph that torch.onnx exports; OpenVINO in bfloat16 as well

What a machine or Python lacks is left out, and said. PyTorch is always needed, for the check.

First the check: from one of our checkpoints, each form of PyTorch has to give our losses, our gradients and
our next weights, and each graph our codes; otherwise nothing is timed. In bfloat16, losses and most codes
have to be near. Then all take turns. In every round, vqvae runs as a new process; then each form makes its
steps in a process that has been waiting since the start, so that it compiles only once. Every side makes a
few warm-up steps. If a waiting process uses the processor, the comparison fails.

The others get the best conditions. For PyTorch's model, see model.py. Their images are floats in memory, in
the layout of their convolutions and in order; vqvae shuffles them and converts them from bytes within the
step. For times (not for memory) PyTorch's allocator is set to keep memory, which avoids page faults and saves
10 % of a step.

A median is the median of the rounds' medians; "best" is the best of all steps; "noise" is the highest median
of a round minus the lowest, relative to the median; "over ours" is a program's median divided by ours, with
the lowest and highest ratio of a round. Memory and the first step are measured in separate processes, in
which nothing else is timed.

    python scripts/compare --vqvae .build/release/vqvae

Needs torch, numpy and safetensors; onnx, onnxscript and onnxruntime or openvino for the graphs. The table goes
to standard output, progress to standard error.

Exit status: 0 success, 1 the programs do not compute the same or the measurement failed, 64 wrong arguments,
66 vqvae or the images are missing, 73 the file of --json cannot be written, 130 stopped by Ctrl-C.
"""

import importlib.util

from console import fail

PACKAGES = ["torch", "numpy", "safetensors"]


def main() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        fail(64, "this Python lacks packages", " ".join(PACKAGES), f"no {', no '.join(missing)}",
             f"pip install {' '.join(missing)}, or scripts/compare.sh, which makes an environment")  # fmt: skip
    import comparison

    comparison.main()


if __name__ == "__main__":
    main()
