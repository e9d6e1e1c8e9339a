"""Our quantizers, by Tests/QuantizerProbe, and what goes in."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

Tensors = dict[str, Tensor]

SHAPE, D, K = (4, 4, 3), 6, 12
LATENT = "quantizer"
LATE = 100_000
"""A step at which the correction of the averages' bias is 1."""


class UnknownKind(Exception):
    """The probe was built without this quantizer."""


@dataclass(frozen=True)
class Data:
    """Vectors and the gradient of the output, both [n, D]."""

    z: Tensor
    output_gradient: Tensor

    @classmethod
    def random(cls, width: int = D) -> "Data":
        generator = torch.Generator().manual_seed(1)
        count = SHAPE[0] * SHAPE[1] * SHAPE[2]
        return cls(*(torch.randn(count, width, generator=generator) for _ in range(2)))

    def leaf(self) -> Tensor:
        """The vectors as a sequence, [1, n, D]. The library takes four axes for an image with its channels
        first."""
        return self.z[None].clone().requires_grad_()


def codebook(rows: int = K, width: int = D, seed: int = 2) -> Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


def sizes(rows: int = K, width: int = D) -> dict[str, int]:
    return {"codebook_size": rows, "dimension": width}


def latents(parameters: list[Tensors]) -> Tensors:
    """The parameters of inner quantizers, by their names in the whole."""
    return {f"{i}.{name}": x for i, named in enumerate(parameters) for name, x in named.items()}


@dataclass(frozen=True)
class Ours:
    """The results of our quantizer, with vectors as [1, n, D]."""

    results: Tensors

    def __getitem__(self, name: str) -> Tensor:
        return self.results[name]

    @property
    def codes(self) -> Tensor:
        codes = self.results["codes"]
        return codes.reshape(1, -1) if codes.dim() == 3 else codes.flatten(0, 2)[None]

    @property
    def output(self) -> Tensor:
        return self.results["output"].flatten(0, 2)[None]

    def terms(self, name: str) -> Tensor:
        """The values of all terms of a name, not weighted."""
        named = [name_ for name_ in self.results if name_.startswith("terms.")]
        return torch.stack([self.results[key] for key in named if key.endswith(f".{name}")])

    def gradient(self, of: str, leaf: str | None = None) -> Tensor:
        """The gradient of the output, or of all weighted terms of a name, for z or a parameter."""
        end = f"{of}.{'z' if leaf is None else f'{LATENT}.{leaf}'}"
        named = [name for name in self.results if name.startswith("gradients.")]
        found = torch.stack([self.results[name] for name in named if name.endswith(end)]).sum(0)
        return found.flatten(0, 2)[None] if leaf is None else found

    def updated(self, name: str) -> Tensor:
        return self.results[f"updated.{LATENT}.{name}"]


@dataclass(frozen=True)
class Probe:
    path: Path

    def __call__(
        self, kind: str, options: dict[str, Any], data: Data, parameters: Tensors, step: int = LATE
    ) -> Ours:
        tensors = {
            "z": data.z.reshape(*SHAPE, -1),
            "output_gradient": data.output_gradient.reshape(*SHAPE, -1),
            **{f"{LATENT}.{name}": x for name, x in parameters.items()},
        }
        configuration = json.dumps({"quantizer": {"kind": kind, **options}})
        with tempfile.TemporaryDirectory() as folder:
            before, after = f"{folder}/before.safetensors", f"{folder}/after.safetensors"
            save_file(
                {name: x.contiguous().clone() for name, x in tensors.items()}, before,
                {"configuration": configuration, "step": str(step)},
            )  # fmt: skip
            run = subprocess.run([self.path, before, after], capture_output=True, text=True)
            if "quantizer.kind" in run.stderr:
                raise UnknownKind(kind)
            if run.returncode != 0:
                raise SystemExit(f"{configuration}: {run.stderr}")
            return Ours(load_file(after))
