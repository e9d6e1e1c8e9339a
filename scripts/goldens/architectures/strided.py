"""The strided architecture (seed document 002)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from inputs import Random, Tensors, variance_of
from layers import RandomParameters
from model import Model, spread_out
from model_golden import model_golden
from sizes import DIMENSIONS
from torch import Tensor

WIDTHS = 4, 6, 8


@dataclass(frozen=True)
class Strided(Model):
    """Only convolutions with 4x4 kernels and stride 2."""

    latent_layers: ClassVar = ["before_quantize"]
    output_layer: ClassVar = "decoder.upsample3"

    def encode(self, images: Tensor, quantize: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
        x = images
        for name in ("encoder.conv1", "encoder.conv2", "encoder.conv3"):
            x = F.relu(self.convolve(name, x, stride=2, padding=1))
        return [quantize(self.convolve("before_quantize", x, stride=2, padding=1), 0)]

    def decode(self, codewords: list[Tensor]) -> Tensor:
        x = self.upsample("after_quantize", codewords[0])
        x = torch.tanh(self.upsample("decoder.upsample1", x))
        x = torch.tanh(self.upsample("decoder.upsample2", x))
        return self.upsample("decoder.upsample3", x)


def parameters(random: Random) -> Tensors:
    """All parameters except the codebook."""
    made = RandomParameters(random)
    first, second, third = WIDTHS
    made.add_conv("encoder.conv1", 3, first, 4)
    made.add_conv("encoder.conv2", first, second, 4)
    made.add_conv("encoder.conv3", second, third, 4)
    made.add_conv("before_quantize", third, DIMENSIONS, 4)
    made.add_upsample("after_quantize", DIMENSIONS, third)
    made.add_upsample("decoder.upsample1", third, second)
    made.add_upsample("decoder.upsample2", second, first)
    made.add_upsample("decoder.upsample3", first, 3)
    return made.parameters


def build(random: Random, images: Tensor) -> Model:
    model = Strided(parameters(random), variance_of(images))
    spread_out(random, model, images, decoding_codewords=False)
    return model


GOLDENS = [
    model_golden(
        "strided", "The strided model: one step in full.", build, batches=8,
        size=(32, 16),  # two codes per image, one above the other
    )
]  # fmt: skip
