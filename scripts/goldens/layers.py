"""Layers, channels last, and random parameters for them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch.nn.functional as F
from inputs import Random, Tensors
from torch import Tensor


def conv(x: Tensor, weight: Tensor, bias: Tensor | None = None, **options: int) -> Tensor:
    return F.conv2d(x.permute(0, 3, 1, 2), weight, bias, **options).permute(0, 2, 3, 1)


def conv_transpose(x: Tensor, weight: Tensor, bias: Tensor | None = None, **options: int) -> Tensor:
    return F.conv_transpose2d(x.permute(0, 3, 1, 2), weight, bias, **options).permute(0, 2, 3, 1)


def residual_zalando(x: Tensor, block: Tensors) -> Tensor:
    """The skip is relu(x): the public notebook's first ReLU works in place. No biases."""
    y = F.relu(x)
    return y + conv(F.relu(conv(y, block["conv1.weight"], padding=1)), block["conv2.weight"])


def residual_sonnet(x: Tensor, block: Tensors) -> Tensor:
    """The skip is x itself, and the convolutions have biases."""
    h = conv(F.relu(x), block["conv1.weight"], block["conv1.bias"], padding=1)
    return x + conv(F.relu(h), block["conv2.weight"], block["conv2.bias"])


def scope(parameters: Tensors, name: str) -> Tensors:
    """The parameters whose names begin with ``name.``, without this prefix."""
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): x for key, x in parameters.items() if key.startswith(prefix)
    }


@dataclass(frozen=True)
class RandomParameters:
    """Kaiming-uniform weights and small biases."""

    random: Random
    parameters: Tensors = field(default_factory=dict)

    def add(
        self, name: str, shape: Iterable[int], *, inputs: int, outputs: int | None
    ) -> None:
        bound = math.sqrt(6 / inputs)
        self.parameters[f"{name}.weight"] = self.random.uniform(*shape, low=-bound, high=bound)
        if outputs is not None:
            self.parameters[f"{name}.bias"] = self.random.uniform(outputs, low=-0.2, high=0.2)

    def add_conv(self, name: str, in_: int, out: int, size: int, bias: bool = True) -> None:
        self.add(name, (out, in_, size, size), inputs=in_ * size**2, outputs=out if bias else None)

    def add_upsample(self, name: str, in_: int, out: int) -> None:
        self.add(name, (in_, out, 4, 4), inputs=in_ * 4, outputs=out)  # four taps reach each output

    def add_norm(self, name: str, channels: int) -> None:
        self.parameters[f"{name}.weight"] = self.random.uniform(channels, low=0.5, high=1.5)
        self.parameters[f"{name}.bias"] = self.random.uniform(channels, low=-0.3, high=0.3)
