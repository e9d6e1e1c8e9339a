"""The residual architecture: zalando's preset and Sonnet's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from inputs import Random, Tensors, variance_of
from layers import RandomParameters, residual_sonnet, residual_zalando, scope
from model import Model, spread_out
from model_golden import model_golden
from sizes import DIMENSIONS, HIDDEN, RESIDUAL_HIDDEN, RESIDUAL_LAYERS
from torch import Tensor


@dataclass(frozen=True)
class Preset:
    """The differences between the two models."""

    residual: Callable[[Tensor, Tensors], Tensor]
    residual_biases: bool
    relu_after_conv3: bool


ZALANDO = Preset(residual_zalando, residual_biases=False, relu_after_conv3=False)
SONNET = Preset(residual_sonnet, residual_biases=True, relu_after_conv3=True)


@dataclass(frozen=True)
class Residual(Model):
    preset: Preset

    latent_layers: ClassVar = ["encoder.project"]
    output_layer: ClassVar = "decoder.upsample2"

    def stack(self, name: str, x: Tensor) -> Tensor:
        for i in range(RESIDUAL_LAYERS):
            x = self.preset.residual(x, scope(self.parameters, f"{name}.{i}"))
        return F.relu(x)

    def encode(self, images: Tensor, quantize: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
        x = F.relu(self.convolve("encoder.conv1", images, stride=2, padding=1))
        x = F.relu(self.convolve("encoder.conv2", x, stride=2, padding=1))
        x = self.convolve("encoder.conv3", x, padding=1)
        if self.preset.relu_after_conv3:
            x = F.relu(x)
        return [quantize(self.convolve("encoder.project", self.stack("encoder.residual", x)), 0)]

    def decode(self, codewords: list[Tensor]) -> Tensor:
        x = self.convolve("decoder.conv1", codewords[0], padding=1)
        x = self.stack("decoder.residual", x)
        x = F.relu(self.upsample("decoder.upsample1", x))
        return self.upsample("decoder.upsample2", x)


def parameters(random: Random, preset: Preset) -> Tensors:
    """All parameters except the codebook."""
    made = RandomParameters(random)

    def add_stack(name: str) -> None:
        for i in range(RESIDUAL_LAYERS):
            biases = preset.residual_biases
            made.add_conv(f"{name}.{i}.conv1", HIDDEN, RESIDUAL_HIDDEN, 3, biases)
            made.add_conv(f"{name}.{i}.conv2", RESIDUAL_HIDDEN, HIDDEN, 1, biases)

    made.add_conv("encoder.conv1", 3, HIDDEN // 2, 4)
    made.add_conv("encoder.conv2", HIDDEN // 2, HIDDEN, 4)
    made.add_conv("encoder.conv3", HIDDEN, HIDDEN, 3)
    add_stack("encoder.residual")
    made.add_conv("encoder.project", HIDDEN, DIMENSIONS, 1)
    made.add_conv("decoder.conv1", DIMENSIONS, HIDDEN, 3)
    add_stack("decoder.residual")
    made.add_upsample("decoder.upsample1", HIDDEN, HIDDEN // 2)
    made.add_upsample("decoder.upsample2", HIDDEN // 2, 3)
    return made.parameters


def build(preset: Preset, random: Random, images: Tensor) -> Model:
    model = Residual(parameters(random, preset), variance_of(images), preset)
    spread_out(random, model, images, decoding_codewords=False)
    return model


GOLDENS = [
    model_golden(
        "sonnet", "The sonnet model: one step in full.",
        lambda random, images: build(SONNET, random, images), batches=2, kept=2,
    )
]  # fmt: skip
"""The golden of the zalando model is in trajectories.py."""
