"""A golden file: its name, its description, and a function that computes its tensors."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import safetensors.torch
import torch
from inputs import Tensors


@dataclass(frozen=True)
class Golden:
    name: str
    what: str
    """A sentence for the file's metadata."""
    make: Callable[[], Tensors]
    options: dict[str, str] = field(default_factory=dict)
    """Further metadata."""

    def contents(self) -> bytes:
        metadata = {"torch": torch.__version__, "what": self.what, **self.options}
        singles = {name: x.detach().float().contiguous() for name, x in self.make().items()}
        return with_sorted_metadata(safetensors.torch.save(singles, metadata))


def with_sorted_metadata(file: bytes) -> bytes:
    """The same safetensors file with its metadata sorted, because the library writes it in random order."""
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return file[:8] + text.ljust(length) + file[8 + length :]
