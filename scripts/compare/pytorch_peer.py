"""A process that runs steps of the model in model.py on request. workers.py starts it; it is not meant to be
run by hand.

What makes it fast, besides the model (each was measured against its alternatives): the fused Adam; frozen
weights in compiled code that does not change them. max_autotune made no difference to a step, and made
encoding slower by 5 %.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from model import VQVAE
from serving import serve, take_standard_output
from settings import COMMITMENT_COST, LEARNING_RATE
from torch import Tensor, nn

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
FIRST_MOMENT, SECOND_MOMENT = "optimizer.first_moment.", "optimizer.second_moment."

class Peer:
    """A model with its optimizer, and the functions that are timed."""

    def __init__(self, checkpoint: Path, layout: str, precision: str, is_compiled: bool) -> None:
        self.layout = LAYOUTS[layout]
        self.precision = PRECISIONS[precision]
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

    def autocast(self) -> AbstractContextManager[None]:
        """Forward passes in the precision of the form. Gradients follow in that of their operations."""
        return torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32)

    def codes(self, images: Tensor) -> Tensor:
        """[N, 3, H, W] to [N * H/4 * W/4]."""
        with torch.inference_mode(), self.autocast():
            return self.encode(images)

    def step(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Makes a training step; returns the losses before it, the total first."""
        with self.autocast():
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


def near_ties(model: VQVAE, images: Tensor, fraction: float) -> Tensor:
    """For each vector, whether its distance to the plane halfway between its two nearest codewords is below
    ``fraction`` of its length, so that rounding could change its code."""
    with torch.no_grad():
        vectors = model.vectors(images)[0].double()
        codebook = model.quantizer.codebook.double()
        squares = codebook.square().sum(1) - 2 * vectors @ codebook.T
        (nearest, second), (a, b) = (x[:, :2].unbind(1) for x in squares.topk(2, largest=False))
        to_plane = (second - nearest) / (2 * (codebook[a] - codebook[b]).norm(dim=1))
        return to_plane < fraction * vectors.norm(dim=1)


# --- Requests -------------------------------------------------------------------------------------


def save_vectors(peer: Peer, images: Tensor, tensors: str) -> dict[str, Any]:
    with torch.inference_mode():
        vectors = peer.model.vectors(images)[0]
    safetensors.torch.save_file({"vectors": vectors.contiguous()}, tensors)
    return {}


def check(peer: Peer, images: Tensor, tensors: str, fraction: float) -> dict[str, Any]:
    """Makes one step with all images, and saves what it computed: codes, and the tensors after the step."""
    ties = near_ties(peer.model, images, fraction)
    codes = peer.codes(images)
    losses = [x.item() for x in peer.step(images)]
    safetensors.torch.save_file(peer.tensors() | {"codes": codes, "ties": ties}, tensors)
    return {"losses": losses}


class EncoderGraph(nn.Module):
    """Encoder and nearest code, for the export."""

    def __init__(self, model: VQVAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model.encode(images)


def export(peer: Peer, graph: str, batch: int) -> dict[str, Any]:
    """Writes an ONNX graph from images [batch, 3, 32, 32] to codes."""
    images = torch.zeros(batch, 3, 32, 32)
    torch.onnx.export(
        EncoderGraph(peer.fixed), (images,), graph, input_names=["images"], output_names=["codes"],
        dynamo=True, external_data=False, verbose=False,
    )  # fmt: skip
    return {}


def measure(
    peer: Peer, images: Tensor, work: str, batch: int, warmup: int, steps: int
) -> dict[str, Any]:
    batches = images.split(batch)
    function: Callable[[Tensor], Any] = peer.step if work == "train" else peer.codes
    seconds = []
    for i in range(warmup + steps):
        start = time.perf_counter()
        function(batches[i % len(batches)])
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[warmup:]}


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves scripts/compare.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--precision", choices=PRECISIONS, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()

    answers = take_standard_output()
    torch.set_num_threads(options.threads)
    peer = Peer(options.checkpoint, options.layout, options.precision, options.compile)
    images = peer.images(options.images)
    serve(
        {
            "vectors": lambda images, **rest: save_vectors(peer, peer.images(images), **rest),
            "check": lambda images, **rest: check(peer, peer.images(images), **rest),
            "export": lambda **rest: export(peer, **rest),
            "measure": lambda **rest: measure(peer, images, **rest),
            "about": lambda: {"version": torch.__version__,
                              "capability": torch.backends.cpu.get_cpu_capability()},
        },
        answers,
    )  # fmt: skip


if __name__ == "__main__":
    main()
