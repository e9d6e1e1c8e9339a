"""The resblock architecture (seed document 004), with all kinds of upsampling and downsampling."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch.nn.functional as F
from inputs import Random, Tensors, variance_of
from layers import RandomParameters
from model import Model, spread_out
from model_golden import model_golden
from sizes import DIMENSIONS
from torch import Tensor

WIDTHS, GROUPS, NORM_EPSILON = (4, 6), 2, 1e-6


@dataclass(frozen=True)
class Variant:
    downsampling: str
    upsampling: str
    blocks: int  # per level


VARIANTS = [
    Variant("padded", "nearest_conv", 1), Variant("asymmetric", "transposed", 1),
    Variant("padded", "nearest", 2),
]  # fmt: skip


@dataclass(frozen=True)
class Resblock(Model):
    """Residual blocks with GroupNorm and SiLU."""

    variant: Variant

    latent_layers: ClassVar = ["quant_conv"]
    output_layer: ClassVar = "decoder.conv_out"

    def has(self, name: str) -> bool:
        return f"{name}.weight" in self.parameters

    def normalize(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return F.group_norm(x.permute(0, 3, 1, 2), GROUPS, weight, bias, NORM_EPSILON).permute(
            0, 2, 3, 1
        )

    def block(self, name: str, x: Tensor) -> Tensor:
        h = self.convolve(f"{name}.conv1", F.silu(self.normalize(f"{name}.norm1", x)), padding=1)
        h = self.convolve(f"{name}.conv2", F.silu(self.normalize(f"{name}.norm2", h)), padding=1)
        shortcut = f"{name}.conv_shortcut"
        return (self.convolve(shortcut, x) if self.has(shortcut) else x) + h

    def level(self, name: str, x: Tensor) -> Tensor:
        for i in range(self.variant.blocks):
            x = self.block(f"{name}.resnets.{i}", x)
        return x

    def downsample(self, name: str, x: Tensor) -> Tensor:
        if self.variant.downsampling == "padded":
            return self.convolve(name, x, stride=2, padding=1)
        return self.convolve(name, F.pad(x, (0, 0, 0, 1, 0, 1)), stride=2)  # channels are last

    def resample(self, name: str, x: Tensor) -> Tensor:
        if self.variant.upsampling == "transposed":
            return self.upsample(name, x)
        x = F.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0, mode="nearest")
        x = x.permute(0, 2, 3, 1)
        return self.convolve(name, x, padding=1) if self.has(name) else x

    def output(self, part: str, x: Tensor) -> Tensor:
        x = F.silu(self.normalize(f"{part}.conv_norm_out", x))
        return self.convolve(f"{part}.conv_out", x, padding=1)

    def encode(self, images: Tensor, quantize: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
        x = self.convolve("encoder.conv_in", images, padding=1)
        x = self.level("encoder.down_blocks.0", x)
        x = self.downsample("encoder.down_blocks.0.downsamplers.0.conv", x)
        x = self.level("encoder.down_blocks.1", x)
        return [quantize(self.convolve("quant_conv", self.output("encoder", x)), 0)]

    def decode(self, codewords: list[Tensor]) -> Tensor:
        x = self.convolve("post_quant_conv", codewords[0])
        x = self.convolve("decoder.conv_in", x, padding=1)
        x = self.level("decoder.up_blocks.0", x)
        x = self.resample("decoder.up_blocks.0.upsamplers.0.conv", x)
        x = self.level("decoder.up_blocks.1", x)
        return self.output("decoder", x)


def parameters(random: Random, variant: Variant) -> Tensors:
    """All parameters except the codebook."""
    made = RandomParameters(random)
    first, second = WIDTHS

    def add_block(name: str, in_: int, out: int) -> None:
        made.add_norm(f"{name}.norm1", in_)
        made.add_conv(f"{name}.conv1", in_, out, 3)
        made.add_norm(f"{name}.norm2", out)
        made.add_conv(f"{name}.conv2", out, out, 3)
        if in_ != out:
            made.add_conv(f"{name}.conv_shortcut", in_, out, 1)

    def add_level(name: str, in_: int, out: int) -> None:
        for i in range(variant.blocks):
            add_block(f"{name}.resnets.{i}", out if i else in_, out)

    made.add_conv("encoder.conv_in", 3, first, 3)
    add_level("encoder.down_blocks.0", first, first)
    made.add_conv("encoder.down_blocks.0.downsamplers.0.conv", first, first, 3)
    add_level("encoder.down_blocks.1", first, second)
    made.add_norm("encoder.conv_norm_out", second)
    made.add_conv("encoder.conv_out", second, DIMENSIONS, 3)
    made.add_conv("quant_conv", DIMENSIONS, DIMENSIONS, 1)
    made.add_conv("post_quant_conv", DIMENSIONS, DIMENSIONS, 1)
    made.add_conv("decoder.conv_in", DIMENSIONS, second, 3)
    add_level("decoder.up_blocks.0", second, second)
    if variant.upsampling == "nearest_conv":
        made.add_conv("decoder.up_blocks.0.upsamplers.0.conv", second, second, 3)
    elif variant.upsampling == "transposed":
        made.add_upsample("decoder.up_blocks.0.upsamplers.0.conv", second, second)
    add_level("decoder.up_blocks.1", second, first)
    made.add_norm("decoder.conv_norm_out", first)
    made.add_conv("decoder.conv_out", first, 3, 3)
    return made.parameters


def build(variant: Variant, random: Random, images: Tensor) -> Model:
    model = Resblock(parameters(random, variant), variance_of(images), variant)
    spread_out(random, model, images, decoding_codewords=False)
    return model


GOLDENS = [
    model_golden(
        f"resblock_{variant.upsampling}", "The resblock model: one step in full.",
        partial(build, variant), batches=2,
    )
    for variant in VARIANTS
]  # fmt: skip
