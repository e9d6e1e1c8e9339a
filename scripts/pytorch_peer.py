#!/usr/bin/env python3
"""The zalando VQ-VAE with a codebook loss in PyTorch, as fast as we know how to write it, and a process that
runs steps of it on request. scripts/compare_pytorch.py starts it; it is not meant to be run by hand.

The model is separate from that of scripts/goldens, because their requirements differ. The goldens use
double precision and images of shape [N, H, W, C], that is, permuted views. torch.compile generates slow
loops for such views: 350 ms for a step of 256 images, where the model below takes 210 ms (two cores of
Zen 5).

What makes it fast (each was measured against its alternatives): distances without the vectors' own
squares, in one addmm; argmin; index_select, whose gradient is one index_add (indexing was slower by 10 %);
the fused Adam; frozen weights in compiled code that does not change them. max_autotune made no difference
to a step, and made encoding slower by 5 %.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The settings of configs/cifar10-zalando.yaml that a checkpoint's tensors do not show.
LEARNING_RATE = 1e-3
COMMITMENT_COST = 0.25

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
FIRST_MOMENT, SECOND_MOMENT = "optimizer.first_moment.", "optimizer.second_moment."

# --- The model ------------------------------------------------------------------------------------


class ResidualBlock(nn.Module):
    """The skip is relu(x), because the first ReLU of the public notebook works in place."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, hidden, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(x)
        return y + self.conv2(F.relu(self.conv1(y)))


class Encoder(nn.Module):
    def __init__(self, hidden: int, residual: nn.Module, dimensions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, hidden // 2, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(hidden // 2, hidden, 4, stride=2, padding=1)
        self.conv3 = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.residual = residual
        self.project = nn.Conv2d(hidden, dimensions, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.project(F.relu(self.residual(self.conv3(x))))


class Decoder(nn.Module):
    def __init__(self, hidden: int, residual: nn.Module, dimensions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dimensions, hidden, 3, padding=1)
        self.residual = residual
        self.upsample1 = nn.ConvTranspose2d(hidden, hidden // 2, 4, stride=2, padding=1)
        self.upsample2 = nn.ConvTranspose2d(hidden // 2, 3, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.residual(self.conv1(x)))
        return self.upsample2(F.relu(self.upsample1(x)))


class Quantizer(nn.Module):
    def __init__(self, codes: int, dimensions: int) -> None:
        super().__init__()
        self.codebook = nn.Parameter(torch.empty(codes, dimensions))

    @torch.no_grad()
    def nearest(self, vectors: Tensor) -> Tensor:
        """[N, D] to codes [N]. The square of the vector is left out, as it is the same for all codewords."""
        squares = self.codebook.square().sum(1)
        return torch.addmm(squares, vectors, self.codebook.T, alpha=-2).argmin(1)


class VQVAE(nn.Module):
    """The model, with the parameter names of our checkpoints."""

    def __init__(self, weights: dict[str, Tensor], variance: float) -> None:
        """- variance: that of the images, by which the reconstruction loss is divided."""
        super().__init__()
        codes, dimensions = weights["quantizer.codebook"].shape
        hidden = weights["encoder.conv3.weight"].shape[0]
        inside = [x.shape[0] for k, x in weights.items() if k.startswith("encoder.residual.")][::2]

        def residual() -> nn.Module:
            return nn.Sequential(*(ResidualBlock(hidden, size) for size in inside))

        self.encoder = Encoder(hidden, residual(), dimensions)
        self.decoder = Decoder(hidden, residual(), dimensions)
        self.quantizer = Quantizer(codes, dimensions)
        self.variance = variance
        self.load_state_dict(weights, strict=True)

    def vectors(self, images: Tensor) -> tuple[Tensor, torch.Size]:
        """[N, 3, H, W] to [N * H/4 * W/4, D], and the shape of the feature map with channels last."""
        z = self.encoder(images).permute(0, 2, 3, 1)
        return z.reshape(-1, z.shape[3]), z.shape

    def encode(self, images: Tensor) -> Tensor:
        return self.quantizer.nearest(self.vectors(images)[0])

    def losses(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The reconstruction, codebook and commitment losses."""
        vectors, shape = self.vectors(images)
        codes = self.quantizer.nearest(vectors.detach())
        codewords = self.quantizer.codebook.index_select(0, codes)
        straight_through = vectors + (codewords - vectors).detach()
        output = self.decoder(straight_through.view(shape).permute(0, 3, 1, 2))
        return (
            F.mse_loss(output, images) / self.variance,
            F.mse_loss(codewords, vectors.detach()),
            F.mse_loss(vectors, codewords.detach()),
        )


# --- What is measured -----------------------------------------------------------------------------


class Peer:
    """A model with its optimizer, and the functions that are timed."""

    def __init__(self, checkpoint: Path, layout: str, is_compiled: bool) -> None:
        self.layout = LAYOUTS[layout]
        tensors = safetensors.torch.load_file(checkpoint)
        with safetensors.safe_open(checkpoint, "pt") as file:
            metadata = file.metadata()
        weights = {k: x for k, x in tensors.items() if not k.startswith("optimizer.")}

        def model() -> VQVAE:
            return VQVAE(weights, float(metadata["vqvae.variance"])).to(memory_format=self.layout)

        self.model = model()
        # A copy that is not trained, because frozen weights are constants in the compiled code.
        self.fixed = model().requires_grad_(False).eval()
        self.losses: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]] = self.model.losses
        self.encode: Callable[[Tensor], Tensor] = self.fixed.encode
        if is_compiled:
            self.losses = torch.compile(self.losses, dynamic=False)
            self.encode = torch.compile(self.encode, dynamic=False, options={"freezing": True})

        named = dict(self.model.named_parameters())
        self.adam = torch.optim.Adam(named.values(), lr=LEARNING_RATE, fused=True)
        for name, parameter in named.items():
            self.adam.state[parameter] = {
                "step": torch.tensor(float(metadata["vqvae.step"])),
                "exp_avg": self.laid_out(tensors[FIRST_MOMENT + name]),
                "exp_avg_sq": self.laid_out(tensors[SECOND_MOMENT + name]),
            }

    def laid_out(self, x: Tensor) -> Tensor:
        return x.to(memory_format=self.layout) if x.dim() == 4 else x

    def images(self, file: Path) -> Tensor:
        """Converts bytes [N, 3, H, W] in a .npy file to floats in -0.5...0.5, in the layout of the model."""
        images = torch.from_numpy(np.load(file)).float().div_(255).sub_(0.5)
        return images.contiguous(memory_format=self.layout)

    def step(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Makes a training step; returns the losses before it, the total first."""
        reconstruction, codebook, commitment = self.losses(images)
        loss = reconstruction + codebook + COMMITMENT_COST * commitment
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        return loss, reconstruction, codebook, commitment

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of a checkpoint."""
        result = {}
        for name, parameter in self.model.named_parameters():
            state = self.adam.state[parameter]
            result[name] = parameter
            result[FIRST_MOMENT + name] = state["exp_avg"]
            result[SECOND_MOMENT + name] = state["exp_avg_sq"]
        return {name: x.detach().contiguous() for name, x in result.items()}


def near_ties(model: VQVAE, images: Tensor, fraction: float) -> int:
    """The number of vectors whose distance to the plane halfway between their two nearest codewords is below
    ``fraction`` of their length, so that rounding could change their code."""
    with torch.no_grad():
        vectors = model.vectors(images)[0].double()
        codebook = model.quantizer.codebook.double()
        squares = codebook.square().sum(1) - 2 * vectors @ codebook.T
        (nearest, second), (a, b) = (x[:, :2].unbind(1) for x in squares.topk(2, largest=False))
        to_plane = (second - nearest) / (2 * (codebook[a] - codebook[b]).norm(dim=1))
        return int((to_plane < fraction * vectors.norm(dim=1)).sum())


# --- Requests -------------------------------------------------------------------------------------


def save_vectors(peer: Peer, images: Tensor, tensors: str) -> dict[str, Any]:
    with torch.inference_mode():
        vectors = peer.model.vectors(images)[0]
    safetensors.torch.save_file({"vectors": vectors.contiguous()}, tensors)
    return {}


def check(peer: Peer, images: Tensor, tensors: str, fraction: float) -> dict[str, Any]:
    """Makes one step with all images, and returns what it computed."""
    ties = near_ties(peer.model, images, fraction)
    with torch.inference_mode():
        codes = peer.encode(images)
    losses = [x.item() for x in peer.step(images)]
    safetensors.torch.save_file(peer.tensors(), tensors)
    counts = torch.bincount(codes, minlength=1).double()
    p = counts[counts > 0] / counts.sum()
    return {
        "losses": losses,
        "nearTies": ties,
        "perplexity": torch.exp(-(p * p.log()).sum()).item(),
        "codesUsed": len(p),
    }


def measure(
    peer: Peer, images: Tensor, work: str, batch: int, warmup: int, steps: int
) -> dict[str, Any]:
    batches = images.split(batch)
    function = peer.step if work == "train" else peer.encode
    seconds = []
    with torch.inference_mode(work == "encode"):
        for i in range(warmup + steps):
            start = time.perf_counter()
            function(batches[i % len(batches)])
            seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[warmup:]}


def main() -> None:
    """Answers each line of JSON on standard input with one on standard output."""
    parser = argparse.ArgumentParser(description="Serves scripts/compare_pytorch.py.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()

    # The output of libraries must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    torch.set_num_threads(options.threads)
    peer = Peer(options.checkpoint, options.layout, options.compile)
    images = peer.images(options.images)
    requests: dict[str, Callable[..., dict[str, Any]]] = {
        "vectors": lambda images, **rest: save_vectors(peer, peer.images(images), **rest),
        "check": lambda images, **rest: check(peer, peer.images(images), **rest),
        "measure": lambda **rest: measure(peer, images, **rest),
        "version": lambda: {"torch": torch.__version__, "threads": torch.get_num_threads()},
    }
    for line in sys.stdin:
        request = json.loads(line)
        answer = requests[request.pop("do")](**request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
