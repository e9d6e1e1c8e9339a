"""The hierarchical architecture (VQ-VAE-2): two codebooks, the second of which depends on the quantized
latent of the first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from inputs import Random, Tensors, variance_of
from layers import RandomParameters, residual_sonnet, scope
from model import Model, spread_out
from model_golden import model_golden
from sizes import DIMENSIONS, HIDDEN, RESIDUAL_HIDDEN, RESIDUAL_LAYERS
from torch import Tensor


@dataclass(frozen=True)
class Hierarchical(Model):
    latents: ClassVar = ["quantizer_top", "quantizer_bottom"]
    latent_layers: ClassVar = ["project_top", "project_bottom"]
    output_layer: ClassVar = "decoder_bottom.upsample2"

    def stack(self, name: str, x: Tensor) -> Tensor:
        for i in range(RESIDUAL_LAYERS):
            x = residual_sonnet(x, scope(self.parameters, f"{name}.{i}"))
        return F.relu(x)

    def encode(self, images: Tensor, quantize: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
        bottom_map = self.encode_bottom(images)
        top = quantize(self.encode_top(bottom_map), 0)
        return [top, quantize(self.condition_bottom(top, bottom_map), 1)]

    def encode_bottom(self, images: Tensor) -> Tensor:
        x = F.relu(self.convolve("encoder_bottom.conv1", images, stride=2, padding=1))
        x = F.relu(self.convolve("encoder_bottom.conv2", x, stride=2, padding=1))
        x = self.convolve("encoder_bottom.conv3", x, padding=1)
        return self.stack("encoder_bottom.residual", x)

    def encode_top(self, bottom_map: Tensor) -> Tensor:
        x = F.relu(self.convolve("encoder_top.conv1", bottom_map, stride=2, padding=1))
        x = self.convolve("encoder_top.conv2", x, padding=1)
        return self.convolve("project_top", self.stack("encoder_top.residual", x))

    def condition_bottom(self, top: Tensor, bottom_map: Tensor) -> Tensor:
        x = self.convolve("decoder_top.conv1", top, padding=1)
        x = self.upsample("decoder_top.upsample1", self.stack("decoder_top.residual", x))
        return self.convolve("project_bottom", torch.cat([x, bottom_map], 3))

    def decode(self, codewords: list[Tensor]) -> Tensor:
        top, bottom = codewords
        x = torch.cat([self.upsample("upsample_top", top), bottom], 3)
        x = self.convolve("decoder_bottom.conv1", x, padding=1)
        x = self.stack("decoder_bottom.residual", x)
        x = F.relu(self.upsample("decoder_bottom.upsample1", x))
        return self.upsample("decoder_bottom.upsample2", x)


def parameters(random: Random) -> Tensors:
    """All parameters except the codebooks."""
    made = RandomParameters(random)

    def add_stack(name: str) -> None:
        for i in range(RESIDUAL_LAYERS):
            made.add_conv(f"{name}.residual.{i}.conv1", HIDDEN, RESIDUAL_HIDDEN, 3)
            made.add_conv(f"{name}.residual.{i}.conv2", RESIDUAL_HIDDEN, HIDDEN, 1)

    made.add_conv("encoder_bottom.conv1", 3, HIDDEN // 2, 4)
    made.add_conv("encoder_bottom.conv2", HIDDEN // 2, HIDDEN, 4)
    made.add_conv("encoder_bottom.conv3", HIDDEN, HIDDEN, 3)
    add_stack("encoder_bottom")
    made.add_conv("encoder_top.conv1", HIDDEN, HIDDEN // 2, 4)
    made.add_conv("encoder_top.conv2", HIDDEN // 2, HIDDEN, 3)
    add_stack("encoder_top")
    made.add_conv("project_top", HIDDEN, DIMENSIONS, 1)
    made.add_conv("decoder_top.conv1", DIMENSIONS, HIDDEN, 3)
    add_stack("decoder_top")
    made.add_upsample("decoder_top.upsample1", HIDDEN, DIMENSIONS)
    made.add_conv("project_bottom", DIMENSIONS + HIDDEN, DIMENSIONS, 1)
    made.add_upsample("upsample_top", DIMENSIONS, DIMENSIONS)
    made.add_conv("decoder_bottom.conv1", 2 * DIMENSIONS, HIDDEN, 3)
    add_stack("decoder_bottom")
    made.add_upsample("decoder_bottom.upsample1", HIDDEN, HIDDEN // 2)
    made.add_upsample("decoder_bottom.upsample2", HIDDEN // 2, 3)
    return made.parameters


def build(random: Random, images: Tensor) -> Model:
    model = Hierarchical(parameters(random), variance_of(images))
    spread_out(random, model, images, decoding_codewords=True)
    return model


def full_size_count() -> int:
    """The number of parameters of the full-size model without codebooks, counted from torch's modules."""
    width, inner, size = 128, 32, 64

    def conv3(in_: int, out: int) -> torch.nn.Module:
        return torch.nn.Conv2d(in_, out, 3, padding=1)

    def downsample(in_: int, out: int) -> torch.nn.Module:
        return torch.nn.Conv2d(in_, out, 4, stride=2, padding=1)

    def upsample(in_: int, out: int) -> torch.nn.Module:
        return torch.nn.ConvTranspose2d(in_, out, 4, stride=2, padding=1)

    def blocks() -> list[torch.nn.Module]:
        return [
            layer
            for _ in range(2)
            for layer in (conv3(width, inner), torch.nn.Conv2d(inner, width, 1))
        ]

    modules = torch.nn.ModuleDict(
        {
            "encoder_bottom": torch.nn.Sequential(
                downsample(3, width // 2), downsample(width // 2, width), conv3(width, width),
                *blocks(),
            ),
            "encoder_top": torch.nn.Sequential(
                downsample(width, width // 2), conv3(width // 2, width), *blocks()
            ),
            "project_top": torch.nn.Conv2d(width, size, 1),
            "decoder_top": torch.nn.Sequential(
                conv3(size, width), *blocks(), upsample(width, size)
            ),
            "project_bottom": torch.nn.Conv2d(size + width, size, 1),
            "upsample_top": upsample(size, size),
            "decoder_bottom": torch.nn.Sequential(
                conv3(2 * size, width), *blocks(), upsample(width, width // 2),
                upsample(width // 2, 3),
            ),
        }
    )  # fmt: skip
    return sum(parameter.numel() for parameter in modules.parameters())


GOLDENS = [
    model_golden(
        "hierarchical", "The hierarchical model: one step in full.", build, batches=4, size=(16, 16),
        extra=lambda: {"full_size_count": torch.tensor([float(full_size_count())])},
    )
]  # fmt: skip
