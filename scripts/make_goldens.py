#!/usr/bin/env python3
"""Makes the golden files of the tests with PyTorch: an opinion that is not our own.

    layers.safetensors    convolutions and residual blocks: outputs and gradients
    zalando.safetensors   the whole zalando model, small: outputs, gradients, ten steps of
                          training with the codebook loss and with two moving averages
    sonnet.safetensors    the whole sonnet model, small: outputs and gradients
    strided.safetensors   the whole strided model (seed document 002), small: outputs and gradients
    resblock_*.safetensors  the whole resblock model (seed document 004), small, with each way of
                          upsampling and both of downsampling: outputs and gradients
    hierarchical.safetensors  the whole hierarchical model (VQ-VAE-2), small: outputs and gradients
    training.safetensors  AdamW, clipping and the cosine with its warm-up by PyTorch's own classes,
                          and the loss of seed 004

Run it from anywhere; it takes half a minute and writes under 600 kB in all:

    pip install torch safetensors numpy
    python scripts/make_goldens.py [OUTPUT_FOLDER]

Inputs are uniform numbers of a seeded generator, rounded to float32. Everything after that is
float64, and results are stored as F32, so an error in a golden is one rounding. The same PyTorch
writes the same bytes every time.

Activations are channels last, [N, H, W, C]. Weights have PyTorch's layouts: [out, in, kh, kw] for
Conv2d, [in, out, kh, kw] for ConvTranspose2d.

A test in single precision can only follow a model whose choices of codes are clear. So the seeds of
the models are searched: the first is taken with which no vector, at any step of any trajectory, has
a second-nearest codeword about as near as the nearest, and with which every batch uses several
codes.
"""

import argparse
import json
import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor

Tensors = dict[str, Tensor]

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Goldens"
LARGEST_TOTAL = 600_000  # bytes

IMAGE_SIZE, BATCH, STEPS = 8, 4, 10
HIDDEN, RESIDUAL_LAYERS, RESIDUAL_HIDDEN = 8, 2, 4
CODES, DIMENSIONS = 16, 4  # K and D
STRIDED_SIZE, STRIDED_WIDTHS = (32, 16), (4, 6, 8)  # two codes an image, one above the other
RESBLOCK_WIDTHS, GROUPS, NORM_EPSILON = (4, 6), 2, 1e-6
RESBLOCKS = [  # downsampling, upsampling, blocks a level
    ("padded", "nearest_conv", 1), ("asymmetric", "transposed", 1), ("padded", "nearest", 2),
]  # fmt: skip

LEARNING_RATE = 1e-3
COMMITMENT_COST = 0.25
DECAY, EPSILON = 0.9, 1e-5  # of the moving averages

SMALLEST_GAP = 1e-3
FEWEST_CODES = 4


# --- Inputs ---------------------------------------------------------------------------------------


def representable(x: Tensor) -> Tensor:
    """Rounds to float32 and returns to float64, so that the file holds exactly what was used."""
    return x.float().double()


@dataclass(frozen=True)
class Random:
    """Uniform numbers that float32 can represent."""

    generator: torch.Generator

    @classmethod
    def seeded(cls, seed: int) -> "Random":
        return cls(torch.Generator().manual_seed(seed))

    def uniform(self, *shape: int, low: float = -1, high: float = 1) -> Tensor:
        unit = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return representable(low + (high - low) * unit)

    def permutation(self, length: int) -> Tensor:
        return torch.randperm(length, generator=self.generator)


def smooth_images(
    random: Random, batches: int, size: tuple[int, int] = (IMAGE_SIZE, IMAGE_SIZE)
) -> Tensor:
    """Colour gradients with a round spot each, [batches, BATCH, H, W, 3], in -0.5...0.5."""
    shape = (batches, BATCH, 1, 1)
    y, x = (torch.linspace(-1, 1, extent, dtype=torch.float64) for extent in size)
    y, x = y[:, None], x[None, :]

    ground = random.uniform(*shape, 3, low=-0.3, high=0.3)
    slope_y = random.uniform(*shape, 3, low=-0.3, high=0.3)
    slope_x = random.uniform(*shape, 3, low=-0.3, high=0.3)
    colour = random.uniform(*shape, 3, low=-0.9, high=0.9)
    centre_y, centre_x = random.uniform(*shape), random.uniform(*shape)
    radius = random.uniform(*shape, low=0.4, high=1.2)

    square_distance = (y - centre_y) ** 2 + (x - centre_x) ** 2
    spot = (1 - square_distance / radius**2).clamp(min=0)
    images = ground + slope_y * y[..., None] + slope_x * x[..., None] + colour * spot[..., None]
    return representable(images.clamp(-0.5, 0.5))


# --- Layers, channels last ------------------------------------------------------------------------


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


def forward_and_backward(
    random: Random, function: Callable[[Tensors], Tensor], arguments: Tensors
) -> Tensors:
    """The arguments, the output, a random gradient of the output, and the arguments' gradients."""
    leaves = {name: x.clone().requires_grad_() for name, x in arguments.items()}
    output = function(leaves)
    output_gradient = random.uniform(*output.shape)
    gradients = torch.autograd.grad(output, list(leaves.values()), output_gradient)
    return {
        **arguments,
        "output": output,
        "output_gradient": output_gradient,
        **{f"{name}_gradient": gradient for name, gradient in zip(leaves, gradients, strict=True)},
    }


@dataclass(frozen=True)
class ConvolutionCase:
    """One convolution, and an input of odd and unequal sizes where it can be."""

    name: str
    input: tuple[int, int, int, int]
    weight: tuple[int, int, int, int]
    stride: int
    padding: int
    transposed: bool = False
    has_bias: bool = True

    def tensors(self, random: Random) -> Tensors:
        arguments = {
            "input": random.uniform(*self.input),
            "weight": random.uniform(*self.weight),
        }
        if self.has_bias:
            arguments["bias"] = random.uniform(self.weight[1 if self.transposed else 0])
        layer = conv_transpose if self.transposed else conv
        return forward_and_backward(
            random,
            lambda x: layer(
                x["input"], x["weight"], x.get("bias"), stride=self.stride, padding=self.padding
            ),
            arguments,
        )


CONVOLUTIONS = [
    ConvolutionCase("conv3x3", (2, 5, 6, 3), (5, 3, 3, 3), stride=1, padding=1),
    ConvolutionCase("conv4x4s2", (2, 8, 6, 3), (5, 3, 4, 4), stride=2, padding=1),
    ConvolutionCase("conv1x1", (2, 3, 5, 7), (3, 7, 1, 1), stride=1, padding=0),
    ConvolutionCase("conv3x3odd", (2, 7, 9, 3), (5, 3, 3, 3), stride=2, padding=0, has_bias=False),
    ConvolutionCase("conv5x5", (2, 5, 7, 2), (3, 2, 5, 5), stride=1, padding=2),
    ConvolutionCase(
        "transpose4x4s2", (2, 3, 4, 5), (5, 3, 4, 4), stride=2, padding=1, transposed=True
    ),
    ConvolutionCase(
        "transpose3x3s2", (2, 3, 5, 3), (3, 5, 3, 3), stride=2, padding=1, transposed=True,
        has_bias=False,
    ),
]  # fmt: skip


def make_layers() -> tuple[Tensors, dict[str, str]]:
    """The tensors of layers.safetensors, and the options of the convolutions."""
    random = Random.seeded(0)
    cases = {case.name: case.tensors(random) for case in CONVOLUTIONS}

    channels, hidden = 5, 3
    x = random.uniform(2, 4, 5, channels)
    weights = {
        "conv1.weight": random.uniform(hidden, channels, 3, 3),
        "conv2.weight": random.uniform(channels, hidden, 1, 1),
    }
    biases = {"conv1.bias": random.uniform(hidden), "conv2.bias": random.uniform(channels)}
    cases["residual_zalando"] = forward_and_backward(
        random, lambda a: residual_zalando(a["input"], a), {"input": x, **weights}
    )
    cases["residual_sonnet"] = forward_and_backward(
        random, lambda a: residual_sonnet(a["input"], a), {"input": x, **weights, **biases}
    )

    tensors = {f"{case}.{name}": x for case, named in cases.items() for name, x in named.items()}
    options = {case.name: f"stride={case.stride} padding={case.padding}" for case in CONVOLUTIONS}
    return tensors, options


# --- Quantizer ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quantized:
    """What a quantizer makes of vectors [N, D] and a codebook [K, D]."""

    codes: Tensor  # [N]
    codewords: Tensor  # [N, D], for the two losses: gradients flow to the codebook alone
    straight_through: Tensor  # [N, D], for the decoder: gradients flow to the vectors alone


Quantizer = Callable[[Tensor, Tensor], Quantized]


def square_distances(vectors: Tensor, codebook: Tensor) -> Tensor:
    return (vectors[:, None, :] - codebook[None, :, :]).square().sum(2)


class VectorQuantize(torch.autograd.Function):
    """Replaces each vector by its nearest codeword.

    A vector receives the gradient of its output unchanged; a codeword receives the sum over the
    vectors that chose it.
    """

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, codebook: Tensor) -> tuple[Tensor, Tensor]:
        squares = vectors.square().sum(1, keepdim=True) + codebook.square().sum(1)
        codes = torch.addmm(squares, vectors, codebook.T, alpha=-2).argmin(1)
        ctx.save_for_backward(codebook, codes)
        ctx.mark_non_differentiable(codes)
        return codebook.index_select(0, codes), codes

    @staticmethod
    def backward(
        ctx: Any, output_gradient: Tensor, _: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        codebook, codes = ctx.saved_tensors
        vectors_gradient, codebook_gradient = None, None
        if ctx.needs_input_grad[0]:
            vectors_gradient = output_gradient
        if ctx.needs_input_grad[1]:
            codebook_gradient = torch.zeros_like(codebook).index_add_(0, codes, output_gradient)
        return vectors_gradient, codebook_gradient


def quantize_by_function(vectors: Tensor, codebook: Tensor) -> Quantized:
    """Two calls of one function, each with the input detached that must not learn from it."""
    codewords, codes = VectorQuantize.apply(vectors.detach(), codebook)
    straight_through, _ = VectorQuantize.apply(vectors, codebook.detach())
    return Quantized(codes, codewords, straight_through)


def quantize_by_detached_offset(vectors: Tensor, codebook: Tensor) -> Quantized:
    """The literal expression z + (e - z).detach()."""
    codes = square_distances(vectors, codebook).argmin(1)
    codewords = codebook[codes]
    return Quantized(codes, codewords, vectors + (codewords - vectors).detach())


# --- Models ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preset:
    """Where the two models differ."""

    residual: Callable[[Tensor, Tensors], Tensor]
    residual_biases: bool
    relu_after_conv3: bool


ZALANDO = Preset(residual_zalando, residual_biases=False, relu_after_conv3=False)
SONNET = Preset(residual_sonnet, residual_biases=True, relu_after_conv3=True)


@dataclass(frozen=True)
class Model(ABC):
    """The parameters of a VQ-VAE by name, and how they are applied."""

    parameters: Tensors
    variance: Tensor  # [1], of the images: the scale of the reconstruction loss

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """[N, H, W, 3] to [N, h, w, D]."""

    @abstractmethod
    def decode(self, codewords: Tensor) -> Tensor:
        """[N, h, w, D] to [N, H, W, 3]."""

    def convolve(self, name: str, x: Tensor, **options: int) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return conv(x, weight, bias, **options)

    def upsample(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return conv_transpose(x, weight, bias, stride=2, padding=1)


@dataclass(frozen=True)
class Residual(Model):
    """Zalando's and Sonnet's."""

    preset: Preset

    def residual_stack(self, name: str, x: Tensor) -> Tensor:
        for i in range(RESIDUAL_LAYERS):
            prefix = f"{name}.{i}."
            block = {
                key.removeprefix(prefix): parameter
                for key, parameter in self.parameters.items()
                if key.startswith(prefix)
            }
            x = self.preset.residual(x, block)
        return F.relu(x)

    def encode(self, images: Tensor) -> Tensor:
        x = F.relu(self.convolve("encoder.conv1", images, stride=2, padding=1))
        x = F.relu(self.convolve("encoder.conv2", x, stride=2, padding=1))
        x = self.convolve("encoder.conv3", x, padding=1)
        if self.preset.relu_after_conv3:
            x = F.relu(x)
        return self.convolve("encoder.project", self.residual_stack("encoder.residual", x))

    def decode(self, codewords: Tensor) -> Tensor:
        x = self.convolve("decoder.conv1", codewords, padding=1)
        x = self.residual_stack("decoder.residual", x)
        x = F.relu(self.upsample("decoder.upsample1", x))
        return self.upsample("decoder.upsample2", x)


@dataclass(frozen=True)
class Strided(Model):
    """Seed document 002's: nothing but 4x4 windows of stride 2."""

    def encode(self, images: Tensor) -> Tensor:
        x = images
        for name in ("encoder.conv1", "encoder.conv2", "encoder.conv3"):
            x = F.relu(self.convolve(name, x, stride=2, padding=1))
        return self.convolve("before_quantize", x, stride=2, padding=1)

    def decode(self, codewords: Tensor) -> Tensor:
        x = self.upsample("after_quantize", codewords)
        x = torch.tanh(self.upsample("decoder.upsample1", x))
        x = torch.tanh(self.upsample("decoder.upsample2", x))
        return self.upsample("decoder.upsample3", x)


@dataclass(frozen=True)
class Resblock(Model):
    """Seed document 004's: residual blocks with GroupNorm and SiLU."""

    downsampling: str
    upsampling: str
    blocks: int  # of a level

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
        for i in range(self.blocks):
            x = self.block(f"{name}.resnets.{i}", x)
        return x

    def downsample(self, name: str, x: Tensor) -> Tensor:
        if self.downsampling == "padded":
            return self.convolve(name, x, stride=2, padding=1)
        return self.convolve(name, F.pad(x, (0, 0, 0, 1, 0, 1)), stride=2)  # channels are last

    def resample(self, name: str, x: Tensor) -> Tensor:
        if self.upsampling == "transposed":
            return self.upsample(name, x)
        x = F.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0, mode="nearest")
        x = x.permute(0, 2, 3, 1)
        return self.convolve(name, x, padding=1) if self.upsampling == "nearest_conv" else x

    def output(self, part: str, x: Tensor) -> Tensor:
        x = F.silu(self.normalize(f"{part}.conv_norm_out", x))
        return self.convolve(f"{part}.conv_out", x, padding=1)

    def encode(self, images: Tensor) -> Tensor:
        x = self.convolve("encoder.conv_in", images, padding=1)
        x = self.level("encoder.down_blocks.0", x)
        x = self.downsample("encoder.down_blocks.0.downsamplers.0.conv", x)
        x = self.level("encoder.down_blocks.1", x)
        return self.convolve("quant_conv", self.output("encoder", x))

    def decode(self, codewords: Tensor) -> Tensor:
        x = self.convolve("post_quant_conv", codewords)
        x = self.convolve("decoder.conv_in", x, padding=1)
        x = self.level("decoder.up_blocks.0", x)
        x = self.resample("decoder.up_blocks.0.upsamplers.0.conv", x)
        x = self.level("decoder.up_blocks.1", x)
        return self.output("decoder", x)


@dataclass(frozen=True)
class RandomParameters:
    """Kaiming-uniform weights and small biases."""

    random: Random
    parameters: Tensors = field(default_factory=dict)

    def add(
        self, name: str, shape: tuple[int, int, int, int], *, inputs: int, outputs: int | None
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


def residual_parameters(random: Random, preset: Preset) -> Tensors:
    """No codebook yet."""
    made = RandomParameters(random)
    add_conv, add_upsample = made.add_conv, made.add_upsample

    def add_residual_stack(name: str) -> None:
        for i in range(RESIDUAL_LAYERS):
            biases = preset.residual_biases
            add_conv(f"{name}.{i}.conv1", HIDDEN, RESIDUAL_HIDDEN, 3, biases)
            add_conv(f"{name}.{i}.conv2", RESIDUAL_HIDDEN, HIDDEN, 1, biases)

    add_conv("encoder.conv1", 3, HIDDEN // 2, 4)
    add_conv("encoder.conv2", HIDDEN // 2, HIDDEN, 4)
    add_conv("encoder.conv3", HIDDEN, HIDDEN, 3)
    add_residual_stack("encoder.residual")
    add_conv("encoder.project", HIDDEN, DIMENSIONS, 1)
    add_conv("decoder.conv1", DIMENSIONS, HIDDEN, 3)
    add_residual_stack("decoder.residual")
    add_upsample("decoder.upsample1", HIDDEN, HIDDEN // 2)
    add_upsample("decoder.upsample2", HIDDEN // 2, 3)
    return made.parameters


def strided_parameters(random: Random) -> Tensors:
    """No codebook yet."""
    made = RandomParameters(random)
    first, second, third = STRIDED_WIDTHS
    made.add_conv("encoder.conv1", 3, first, 4)
    made.add_conv("encoder.conv2", first, second, 4)
    made.add_conv("encoder.conv3", second, third, 4)
    made.add_conv("before_quantize", third, DIMENSIONS, 4)
    made.add_upsample("after_quantize", DIMENSIONS, third)
    made.add_upsample("decoder.upsample1", third, second)
    made.add_upsample("decoder.upsample2", second, first)
    made.add_upsample("decoder.upsample3", first, 3)
    return made.parameters


def resblock_parameters(random: Random, upsampling: str, blocks: int) -> Tensors:
    """No codebook yet."""
    made = RandomParameters(random)
    first, second = RESBLOCK_WIDTHS

    def add_block(name: str, in_: int, out: int) -> None:
        made.add_norm(f"{name}.norm1", in_)
        made.add_conv(f"{name}.conv1", in_, out, 3)
        made.add_norm(f"{name}.norm2", out)
        made.add_conv(f"{name}.conv2", out, out, 3)
        if in_ != out:
            made.add_conv(f"{name}.conv_shortcut", in_, out, 1)

    def add_level(name: str, in_: int, out: int) -> None:
        for i in range(blocks):
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
    if upsampling == "nearest_conv":
        made.add_conv("decoder.up_blocks.0.upsamplers.0.conv", second, second, 3)
    elif upsampling == "transposed":
        made.add_upsample("decoder.up_blocks.0.upsamplers.0.conv", second, second)
    add_level("decoder.up_blocks.1", second, first)
    made.add_norm("decoder.conv_norm_out", first)
    made.add_conv("decoder.conv_out", first, 3, 3)
    return made.parameters


def spread_out(random: Random, model: Model, images: Tensor, last: tuple[str, str]) -> None:
    """Makes a model's three losses of one order of magnitude, and lets it use many codes.

    The vectors spread by 1 in each dimension, the reconstructions by as much as the images, and the
    codewords lie near some of the vectors. The last layers of encoder and decoder are changed to that
    end.
    """
    encoder, decoder = last
    parameters = model.parameters

    def divide(name: str, divisor: Tensor) -> None:
        parameters[f"{name}.weight"] = representable(parameters[f"{name}.weight"] / divisor)

    all_images = images.flatten(0, 1)
    divide(encoder, model.encode(all_images).std((0, 1, 2)).mean())
    vectors = model.encode(all_images)
    divide(decoder, model.decode(vectors).std() / model.variance.sqrt())

    vectors = vectors.reshape(-1, DIMENSIONS)
    chosen = vectors[random.permutation(len(vectors))[:CODES]]
    noise = random.uniform(CODES, DIMENSIONS, low=-0.5, high=0.5)
    parameters["quantizer.codebook"] = representable(chosen + noise)


def variance_of(images: Tensor) -> Tensor:
    return representable(images.var(correction=0).reshape(1))


def random_residual(random: Random, preset: Preset, images: Tensor) -> Model:
    model = Residual(residual_parameters(random, preset), variance_of(images), preset)
    spread_out(random, model, images, ("encoder.project", "decoder.upsample2"))
    return model


def random_strided(random: Random, images: Tensor) -> Model:
    model = Strided(strided_parameters(random), variance_of(images))
    spread_out(random, model, images, ("before_quantize", "decoder.upsample3"))
    return model


def random_resblock(
    random: Random, images: Tensor, downsampling: str, upsampling: str, blocks: int
) -> Model:
    parameters = resblock_parameters(random, upsampling, blocks)
    model = Resblock(parameters, variance_of(images), downsampling, upsampling, blocks)
    spread_out(random, model, images, ("quant_conv", "decoder.conv_out"))
    return model


def trainable(model: Model) -> Model:
    """A copy whose parameters are leaves that ask for gradients."""
    parameters = {name: x.clone().requires_grad_() for name, x in model.parameters.items()}
    return replace(model, parameters=parameters)


# --- Steps ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """The forward pass of one batch."""

    vectors: Tensor  # [N * h * w, D]
    codes: Tensor  # [N, h, w]
    output: Tensor  # [N, H, W, 3]
    reconstruction: Tensor
    codebook: Tensor
    commitment: Tensor
    gap: float
    """The smallest distance, over the vectors, between the second-nearest codeword and the nearest:
    of squares, and relative to the mean over all codewords."""

    @property
    def losses(self) -> Tensor:
        return torch.stack([self.reconstruction, self.codebook, self.commitment]).detach()

    @property
    def codes_used(self) -> int:
        return len(set(self.codes.flatten().tolist()))

    @property
    def is_clear(self) -> bool:
        return self.gap > SMALLEST_GAP and self.codes_used >= FEWEST_CODES


def smallest_gap(vectors: Tensor, codebook: Tensor) -> float:
    distances = square_distances(vectors.detach(), codebook.detach())
    nearest, second = distances.sort(1).values[:, :2].unbind(1)
    return ((second - nearest) / distances.mean(1)).min().item()


def run(model: Model, images: Tensor, quantize: Quantizer = quantize_by_function) -> Step:
    z = model.encode(images)
    vectors, codebook = z.reshape(-1, DIMENSIONS), model.parameters["quantizer.codebook"]
    quantized = quantize(vectors, codebook)
    output = model.decode(quantized.straight_through.reshape(z.shape))
    return Step(
        vectors=vectors,
        codes=quantized.codes.reshape(z.shape[:3]),
        output=output,
        reconstruction=F.mse_loss(output, images) / model.variance.squeeze(),
        codebook=F.mse_loss(quantized.codewords, vectors.detach()),
        commitment=F.mse_loss(vectors, quantized.codewords.detach()),
        gap=smallest_gap(vectors, codebook),
    )


def gradients(model: Model, images: Tensor, quantize: Quantizer) -> Tensors:
    """The gradients of reconstruction + codebook + 0.25 commitment."""
    model = trainable(model)
    step = run(model, images, quantize)
    total = step.reconstruction + step.codebook + COMMITMENT_COST * step.commitment
    parts = torch.autograd.grad(total, list(model.parameters.values()))
    return dict(zip(model.parameters, parts, strict=True))


def checked_gradients(
    model: Model,
    images: Tensor,
    gradients: Callable[[Model, Tensor, Quantizer], Tensors] = gradients,
) -> Tensors:
    """The gradients, after both straight-through variants have agreed on them."""
    result = gradients(model, images, quantize_by_function)
    other = gradients(model, images, quantize_by_detached_offset)
    for name, gradient in result.items():
        difference, size = (gradient - other[name]).abs().max(), gradient.abs().max()
        assert size > 0, f"{name} has no gradient"
        assert difference <= 1e-12 * size, f"the variants disagree on the gradient of {name}"
    return result


# --- Training -------------------------------------------------------------------------------------


@dataclass
class MovingAverages:
    """The codebook as bias-corrected moving averages, as in Sonnet."""

    keeps_unchosen: bool
    """Whether a code that no vector of a batch chose keeps its codeword. In Sonnet it does not, and
    one that was never chosen goes to the origin."""
    step: int = 0
    size: Tensor = field(default_factory=lambda: torch.zeros(CODES, dtype=torch.float64))
    sum: Tensor = field(default_factory=lambda: torch.zeros(CODES, DIMENSIONS, dtype=torch.float64))

    def update(self, codebook: Tensor, vectors: Tensor, codes: Tensor) -> Tensor:
        """The next codebook, from the vectors and the codes they got from the present one."""
        # Converted, for an integer tensor times a Python float would be float32.
        counts = torch.bincount(codes, minlength=CODES).to(codebook.dtype)
        sums = torch.zeros_like(codebook).index_add_(0, codes, vectors)
        self.step += 1
        self.size = DECAY * self.size + (1 - DECAY) * counts
        self.sum = DECAY * self.sum + (1 - DECAY) * sums

        correction = 1 - DECAY**self.step
        size, sum_ = self.size / correction, self.sum / correction
        total = size.sum()
        smoothed = (size + EPSILON) / (total + CODES * EPSILON) * total
        updated = sum_ / smoothed[:, None]
        if self.keeps_unchosen:
            return torch.where(counts[:, None] == 0, codebook, updated)
        return updated


def train(model: Model, images: Tensor, averages: MovingAverages | None = None) -> Iterator[Step]:
    """Trains in place, batch after batch, and gives the forward pass before each step.

    Without moving averages the codebook learns from its loss, with them it is no parameter.
    """
    codebook = model.parameters["quantizer.codebook"]
    if averages is not None:
        codebook.requires_grad_(False)
    learned = [x for x in model.parameters.values() if x.requires_grad]
    adam = torch.optim.Adam(learned, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)

    for batch in images:
        step = run(model, batch)
        yield step
        total = step.reconstruction + COMMITMENT_COST * step.commitment
        if averages is None:
            total = total + step.codebook
        adam.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        adam.step()
        if averages is not None:
            codebook.copy_(averages.update(codebook, step.vectors.detach(), step.codes.flatten()))


# --- Files ----------------------------------------------------------------------------------------


def first_clear_seed(name: str, attempt: Callable[[int], tuple[Tensors, list[Step]]]) -> Tensors:
    """The tensors of the first seed with which every step is clear."""
    for seed in count():
        tensors, steps = attempt(seed)
        if all(step.is_clear for step in steps):
            gap = min(step.gap for step in steps)
            fewest = min(step.codes_used for step in steps)
            print(f"{name}: seed {seed}, smallest gap {gap:.1e}, at least {fewest} codes a batch")
            return tensors
    raise AssertionError("unreachable: the seeds never end")


def model_tensors(model: Model, images: Tensor) -> Tensors:
    """What both models' files hold: the start, and the first batch forward and backward."""
    step = run(model, images[0])
    return {
        "images": images,
        "variance": model.variance,
        "output": step.output,
        "codes": step.codes,
        "losses": step.losses,
        **{f"parameters.{name}": x for name, x in model.parameters.items()},
        **{f"gradients.{name}": x for name, x in checked_gradients(model, images[0]).items()},
    }


def make_zalando(seed: int) -> tuple[Tensors, list[Step]]:
    random = Random.seeded(seed)
    images = smooth_images(random, STEPS)
    start = random_residual(random, ZALANDO, images)

    vq, origin, keep = trainable(start), trainable(start), trainable(start)
    origin_averages = MovingAverages(keeps_unchosen=False)
    keep_averages = MovingAverages(keeps_unchosen=True)
    trajectories = {
        "vq": list(train(vq, images)),
        "ema_origin": list(train(origin, images, origin_averages)),
        "ema_keep": list(train(keep, images, keep_averages)),
    }

    tensors = model_tensors(start, images)
    for name, steps in trajectories.items():
        tensors[f"trajectory.{name}"] = torch.stack([step.losses for step in steps])
    for name in ("encoder.conv1.weight", "quantizer.codebook"):
        tensors[f"final.vq.{name}"] = vq.parameters[name]
    tensors["final.ema_origin.codebook"] = origin.parameters["quantizer.codebook"]
    tensors["final.ema_keep.codebook"] = keep.parameters["quantizer.codebook"]
    tensors["final.ema_keep.size"] = keep_averages.size
    tensors["final.ema_keep.sum"] = keep_averages.sum
    return tensors, [step for steps in trajectories.values() for step in steps]


def make_sonnet(seed: int) -> tuple[Tensors, list[Step]]:
    random = Random.seeded(seed)
    images = smooth_images(random, 2)
    model = random_residual(random, SONNET, images)
    return model_tensors(model, images), [run(model, batch) for batch in images]


def make_strided(seed: int) -> tuple[Tensors, list[Step]]:
    random = Random.seeded(seed)
    images = smooth_images(random, 8, STRIDED_SIZE)
    model = random_strided(random, images)
    return model_tensors(model, images[:1]), [run(model, images[0])]


def make_resblock(
    downsampling: str, upsampling: str, blocks: int, seed: int
) -> tuple[Tensors, list[Step]]:
    random = Random.seeded(seed)
    images = smooth_images(random, 2)
    model = random_resblock(random, images, downsampling, upsampling, blocks)
    return model_tensors(model, images[:1]), [run(model, images[0])]


# --- The hierarchical model -----------------------------------------------------------------------
#
# VQ-VAE-2 has two codebooks, the second of which sees what became of the first. It fits the functions
# above but for encoding and decoding, which here is one.

HIERARCHICAL_SIZE = (16, 16)
Levels = tuple[Step, Step]  # top and bottom; the output and its loss are the same in both


@dataclass(frozen=True)
class Hierarchical(Model):
    def encode(self, images: Tensor) -> Tensor:
        raise NotImplementedError("use run_hierarchical")

    def decode(self, codewords: Tensor) -> Tensor:
        raise NotImplementedError("use run_hierarchical")

    def stack(self, name: str, x: Tensor) -> Tensor:
        names = ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias")
        for i in range(RESIDUAL_LAYERS):
            x = residual_sonnet(x, {key: self.parameters[f"{name}.{i}.{key}"] for key in names})
        return F.relu(x)

    def encode_bottom(self, images: Tensor) -> Tensor:
        x = F.relu(self.convolve("encoder_bottom.conv1", images, stride=2, padding=1))
        x = F.relu(self.convolve("encoder_bottom.conv2", x, stride=2, padding=1))
        x = self.convolve("encoder_bottom.conv3", x, padding=1)
        return self.stack("encoder_bottom.residual", x)

    def encode_top(self, bottom: Tensor) -> Tensor:
        x = F.relu(self.convolve("encoder_top.conv1", bottom, stride=2, padding=1))
        x = self.convolve("encoder_top.conv2", x, padding=1)
        return self.convolve("project_top", self.stack("encoder_top.residual", x))

    def condition_bottom(self, top_codewords: Tensor, bottom: Tensor) -> Tensor:
        x = self.convolve("decoder_top.conv1", top_codewords, padding=1)
        x = self.upsample("decoder_top.upsample1", self.stack("decoder_top.residual", x))
        return self.convolve("project_bottom", torch.cat([x, bottom], 3))

    def decode_both(self, top_codewords: Tensor, bottom_codewords: Tensor) -> Tensor:
        x = torch.cat([self.upsample("upsample_top", top_codewords), bottom_codewords], 3)
        x = self.convolve("decoder_bottom.conv1", x, padding=1)
        x = self.stack("decoder_bottom.residual", x)
        x = F.relu(self.upsample("decoder_bottom.upsample1", x))
        return self.upsample("decoder_bottom.upsample2", x)


def run_hierarchical(
    model: Hierarchical, images: Tensor, quantize: Quantizer = quantize_by_function
) -> Levels:
    def quantized(z: Tensor, name: str) -> tuple[Tensor, Quantized, Tensor]:
        vectors = z.reshape(-1, DIMENSIONS)
        result = quantize(vectors, model.parameters[f"{name}.codebook"])
        return vectors, result, result.straight_through.reshape(z.shape)

    bottom_map = model.encode_bottom(images)
    top = quantized(model.encode_top(bottom_map), "quantizer_top")
    bottom = quantized(model.condition_bottom(top[2], bottom_map), "quantizer_bottom")
    output = model.decode_both(top[2], bottom[2])
    reconstruction = F.mse_loss(output, images) / model.variance.squeeze()

    def step(name: str, vectors: Tensor, result: Quantized, codewords: Tensor) -> Step:
        return Step(
            vectors=vectors,
            codes=result.codes.reshape(codewords.shape[:3]),
            output=output,
            reconstruction=reconstruction,
            codebook=F.mse_loss(result.codewords, vectors.detach()),
            commitment=F.mse_loss(vectors, result.codewords.detach()),
            gap=smallest_gap(vectors, model.parameters[f"{name}.codebook"]),
        )

    return step("quantizer_top", *top), step("quantizer_bottom", *bottom)


def hierarchical_gradients(model: Model, images: Tensor, quantize: Quantizer) -> Tensors:
    """Those of the reconstruction and of both levels' other losses."""
    model = trainable(model)
    assert isinstance(model, Hierarchical)
    top, bottom = run_hierarchical(model, images, quantize)
    total = top.reconstruction + top.codebook + bottom.codebook
    total = total + COMMITMENT_COST * (top.commitment + bottom.commitment)
    parts = torch.autograd.grad(total, list(model.parameters.values()))
    return dict(zip(model.parameters, parts, strict=True))


def random_hierarchical(random: Random, images: Tensor) -> Hierarchical:
    """Spread out as by ``spread_out``, level by level."""
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

    model = Hierarchical(made.parameters, variance_of(images))
    parameters, all_images = model.parameters, images.flatten(0, 1)

    def divide(name: str, divisor: Tensor) -> None:
        parameters[f"{name}.weight"] = representable(parameters[f"{name}.weight"] / divisor)

    def codewords_near(z: Tensor, name: str) -> Tensor:
        """Makes a codebook of some of the vectors, and replaces them all by its codewords."""
        vectors = z.reshape(-1, DIMENSIONS)
        chosen = vectors[random.permutation(len(vectors))[:CODES]]
        noise = random.uniform(CODES, DIMENSIONS, low=-0.5, high=0.5)
        parameters[f"{name}.codebook"] = representable(chosen + noise)
        quantized = quantize_by_function(vectors, parameters[f"{name}.codebook"])
        return quantized.straight_through.reshape(z.shape)

    bottom_map = model.encode_bottom(all_images)
    divide("project_top", model.encode_top(bottom_map).std((0, 1, 2)).mean())
    top = codewords_near(model.encode_top(bottom_map), "quantizer_top")
    divide("project_bottom", model.condition_bottom(top, bottom_map).std((0, 1, 2)).mean())
    bottom = codewords_near(model.condition_bottom(top, bottom_map), "quantizer_bottom")
    divide(
        "decoder_bottom.upsample2", model.decode_both(top, bottom).std() / model.variance.sqrt()
    )
    return model


def count_hierarchical() -> int:
    """The trained numbers of the full-size model without its codebooks, as torch's modules have them."""
    width, inner, size = 128, 32, 64

    def blocks() -> list[torch.nn.Module]:
        return [
            layer
            for _ in range(2)
            for layer in (keeping(width, inner), torch.nn.Conv2d(inner, width, 1))
        ]

    def halving(in_: int, out: int) -> torch.nn.Module:
        return torch.nn.Conv2d(in_, out, 4, stride=2, padding=1)

    def keeping(in_: int, out: int) -> torch.nn.Module:
        return torch.nn.Conv2d(in_, out, 3, padding=1)

    def doubling(in_: int, out: int) -> torch.nn.Module:
        return torch.nn.ConvTranspose2d(in_, out, 4, stride=2, padding=1)

    modules = torch.nn.ModuleDict(
        {
            "encoder_bottom": torch.nn.Sequential(
                halving(3, width // 2), halving(width // 2, width), keeping(width, width), *blocks()
            ),
            "encoder_top": torch.nn.Sequential(
                halving(width, width // 2), keeping(width // 2, width), *blocks()
            ),
            "project_top": torch.nn.Conv2d(width, size, 1),
            "decoder_top": torch.nn.Sequential(
                keeping(size, width), *blocks(), doubling(width, size)
            ),
            "project_bottom": torch.nn.Conv2d(size + width, size, 1),
            "upsample_top": doubling(size, size),
            "decoder_bottom": torch.nn.Sequential(
                keeping(2 * size, width), *blocks(), doubling(width, width // 2),
                doubling(width // 2, 3),
            ),
        }
    )  # fmt: skip
    return sum(parameter.numel() for parameter in modules.parameters())


def make_hierarchical(seed: int) -> tuple[Tensors, list[Step]]:
    random = Random.seeded(seed)
    images = smooth_images(random, 4, HIERARCHICAL_SIZE)
    model = random_hierarchical(random, images)
    top, bottom = run_hierarchical(model, images[0])
    gradients = checked_gradients(model, images[0], hierarchical_gradients)
    losses = [top.reconstruction, top.codebook + bottom.codebook, top.commitment + bottom.commitment]
    tensors = {
        "images": images[:1],
        "variance": model.variance,
        "output": top.output,
        "codes.quantizer_top": top.codes,
        "codes.quantizer_bottom": bottom.codes,
        "losses": torch.stack(losses),
        "full_size_count": torch.tensor([float(count_hierarchical())]),
        **{f"parameters.{name}": x for name, x in model.parameters.items()},
        **{f"gradients.{name}": x for name, x in gradients.items()},
    }
    return tensors, [top, bottom]


class VectorQuantizer(torch.nn.Module):
    """The quantizer of seed 004 with its names: both terms have the commitment cost, and the one it
    calls vq_loss is the commitment's."""

    def __init__(self, codebook: Tensor, commitment_cost: float) -> None:
        super().__init__()
        self.commitment_cost = commitment_cost
        self.embedding = torch.nn.Embedding.from_pretrained(codebook, freeze=False)

    def forward(self, z_e: Tensor) -> tuple[Tensor, Tensor]:
        codes = torch.cdist(z_e, self.embedding.weight).argmin(1)
        z_q = self.embedding(codes)
        vq_loss = self.commitment_cost * torch.mean((z_q.detach() - z_e) ** 2)
        commit_loss = torch.mean((z_q - z_e.detach()) ** 2)
        return z_e + (z_q - z_e).detach(), vq_loss + self.commitment_cost * commit_loss


def seed_004_loss(model: Model, quantizer: VectorQuantizer, images: Tensor) -> Tensor:
    """The document's whole loss: means, times the images of the batch, no variance."""
    z = model.encode(images)
    straight_through, vq_loss = quantizer(z.reshape(-1, DIMENSIONS))
    reconstruction = model.decode(straight_through.reshape(z.shape))
    recon_error = F.mse_loss(reconstruction, images, reduction="mean") * images.shape[0]
    return recon_error + vq_loss * images.shape[0]


PEAK, END, WARMUP = 1e-2, 1e-4, 3
WEIGHT_DECAY, LARGEST_NORM = 0.1, 2.0


def make_seed_004(zalando: Tensors) -> Tensors:
    """The loss of seed 004 on the zalando model's start: gradients, and ten steps with all that the
    optimizer has. The order of the batches is the first with which every choice of a codeword is
    clear here too."""
    for seed in count():
        tensors = seed_004_in_order(zalando, Random.seeded(seed).permutation(STEPS))
        if tensors is not None:
            print(f"seed 004: order {seed}")
            return tensors
    raise AssertionError("unreachable: the seeds never end")


def seed_004_in_order(zalando: Tensors, order: Tensor) -> Tensors | None:
    """None where a step is not clear."""
    parameters = {
        name.removeprefix("parameters."): x.detach().clone().requires_grad_()
        for name, x in zalando.items()
        if name.startswith("parameters.")
    }
    model = Residual(parameters, zalando["variance"], ZALANDO)
    quantizer = VectorQuantizer(parameters.pop("quantizer.codebook").detach(), COMMITMENT_COST)
    learned = {**parameters, "quantizer.codebook": quantizer.embedding.weight}

    adamw = torch.optim.AdamW(learned.values(), lr=PEAK, weight_decay=WEIGHT_DECAY)
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        adamw,
        [
            torch.optim.lr_scheduler.LinearLR(adamw, 1 / WARMUP, total_iters=WARMUP - 1),
            torch.optim.lr_scheduler.CosineAnnealingLR(adamw, STEPS - WARMUP, eta_min=END),
        ],
        milestones=[WARMUP],
    )
    tensors: Tensors = {"seed_004.order": order.double()}
    losses, norms, rates = [], [], []
    for i, batch in enumerate(zalando["images"][order]):
        current = Residual(learned, model.variance, ZALANDO)
        step = run(current, batch)
        if step.gap <= SMALLEST_GAP:
            return None
        loss = seed_004_loss(current, quantizer, batch)
        adamw.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if i == 0:
            for name, x in learned.items():
                assert x.grad is not None
                tensors[f"seed_004.gradients.{name}"] = x.grad.clone()
        losses.append(loss.detach())
        norms.append(torch.nn.utils.clip_grad_norm_(learned.values(), LARGEST_NORM).detach())
        rates.append(adamw.param_groups[0]["lr"])
        adamw.step()
        scheduler.step()
    assert any(x > LARGEST_NORM for x in norms), "nothing was clipped"
    assert any(x < LARGEST_NORM for x in norms), "everything was clipped"
    tensors["seed_004.losses"] = torch.stack(losses)
    tensors["seed_004.norms"] = torch.stack(norms)
    tensors["seed_004.rates"] = torch.tensor(rates, dtype=torch.float64)
    tensors["seed_004.final.codebook"] = quantizer.embedding.weight
    tensors["seed_004.final.bias"] = learned["decoder.upsample2.bias"]
    return tensors


def make_schedules() -> Tensors:
    """Rates of PyTorch's schedulers, [steps], for some lengths of warm-up and run."""
    tensors: Tensors = {}
    for warmup, steps in ((0, 10), (1, 10), (4, 25), (24, 25)):
        x = torch.zeros(1, requires_grad=True)
        adamw = torch.optim.AdamW([x], lr=PEAK)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adamw, steps - warmup, eta_min=END)
        scheduler: torch.optim.lr_scheduler.LRScheduler = cosine
        if warmup > 1:
            linear = torch.optim.lr_scheduler.LinearLR(adamw, 1 / warmup, total_iters=warmup - 1)
            scheduler = torch.optim.lr_scheduler.SequentialLR(adamw, [linear, cosine], [warmup])
        elif warmup == 1:
            constant = torch.optim.lr_scheduler.ConstantLR(adamw, 1, total_iters=1)
            scheduler = torch.optim.lr_scheduler.SequentialLR(adamw, [constant, cosine], [1])
        rates = []
        for _ in range(steps):
            rates.append(adamw.param_groups[0]["lr"])
            adamw.step()
            scheduler.step()
        tensors[f"schedule.{warmup}.{steps}"] = torch.tensor(rates, dtype=torch.float64)
    return tensors


def make_adamw() -> Tensors:
    """Ten steps of AdamW on one tensor, clipped and not."""
    random = Random.seeded(4)
    start, gradients = random.uniform(37), random.uniform(STEPS, 37)
    tensors = {"adamw.start": start, "adamw.gradients": gradients}
    for name, norm in (("plain", None), ("clipped", 3.5)):
        x = start.clone().requires_grad_()
        adamw = torch.optim.AdamW([x], lr=PEAK, weight_decay=WEIGHT_DECAY)
        norms = []
        for gradient in gradients:
            x.grad = gradient.clone()
            if norm is not None:
                norms.append(torch.nn.utils.clip_grad_norm_([x], norm).detach())
            adamw.step()
        tensors[f"adamw.{name}"] = x
        if norm is not None:
            tensors["adamw.norms"] = torch.stack(norms)
            assert min(norms) < norm < max(norms), f"norms {norms}"
    return tensors


def make_near_ties() -> Tensors:
    """Vectors of a norm near 90 and codewords within a few units in the last place of them: their
    codes in double precision, which adds these up without rounding. In single precision, cdist takes
    products of matrices for more than 25 rows, and its argmin is another."""
    random = Random.seeded(9)
    centre = random.uniform(16, low=15, high=30).float()
    vectors, codebook = (
        (centre + 2.0**-19 * torch.round(random.uniform(n, 16, low=-4, high=4))).float()
        for n in (100, 40)
    )
    exact = square_distances(vectors.double(), codebook.double())
    two = exact.sort(1).values[:, :2]
    clear = two[:, 1] > two[:, 0]
    vectors, exact = vectors[clear], exact[clear]
    codes = exact.argmin(1)
    single = torch.cdist(vectors, codebook)
    without = torch.cdist(vectors, codebook, compute_mode="donot_use_mm_for_euclid_dist")
    wrong = int((single.argmin(1) != codes).sum())
    print(
        f"near ties: of {len(codes)} codes, cdist in single precision has {wrong} others, "
        f"and {int((without.argmin(1) != codes).sum())} without products of matrices"
    )
    assert wrong > 0, "cdist has found all of them"
    return {"ties.vectors": vectors, "ties.codebook": codebook, "ties.codes": codes}


def with_sorted_metadata(file: bytes) -> bytes:
    """The same safetensors file, for the library writes metadata in a random order."""
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return file[:8] + text.ljust(length) + file[8 + length :]


def serialized(tensors: Tensors, what: str, options: dict[str, str] | None = None) -> bytes:
    metadata = {"torch": torch.__version__, "what": what, **(options or {})}
    singles = {name: x.detach().float().contiguous() for name, x in tensors.items()}
    return with_sorted_metadata(safetensors.torch.save(singles, metadata))


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the golden files of the tests.")
    parser.add_argument(
        "folder", metavar="OUTPUT_FOLDER", nargs="?", type=Path, default=DEFAULT_FOLDER,
        help="where the files go (default: %(default)s)",
    )  # fmt: skip
    folder: Path = parser.parse_args().folder
    torch.set_num_threads(1)

    layers, options = make_layers()
    zalando = first_clear_seed("zalando", make_zalando)
    sonnet = first_clear_seed("sonnet", make_sonnet)
    strided = first_clear_seed("strided", make_strided)
    resblocks = {
        upsampling: first_clear_seed(
            f"resblock {upsampling}", partial(make_resblock, downsampling, upsampling, blocks)
        )
        for downsampling, upsampling, blocks in RESBLOCKS
    }
    hierarchical = first_clear_seed("hierarchical", make_hierarchical)
    files = {
        "layers.safetensors": serialized(
            layers, "Convolutions and residual blocks with their gradients.", options
        ),
        "zalando.safetensors": serialized(
            zalando, "The zalando model: one step in full, ten steps of three quantizers."
        ),
        "sonnet.safetensors": serialized(sonnet, "The sonnet model: one step in full."),
        "strided.safetensors": serialized(strided, "The strided model: one step in full."),
        **{
            f"resblock_{name}.safetensors": serialized(
                tensors, "The resblock model: one step in full."
            )
            for name, tensors in resblocks.items()
        },
        "hierarchical.safetensors": serialized(
            hierarchical, "The hierarchical model: one step in full."
        ),
        "training.safetensors": serialized(
            {**make_adamw(), **make_schedules(), **make_seed_004(zalando), **make_near_ties()},
            "AdamW, clipping, the cosine; the loss of seed 004; near ties.",
        ),
    }

    total = sum(map(len, files.values()))
    if total >= LARGEST_TOTAL:
        raise SystemExit(f"the files would have {total} bytes, allowed are {LARGEST_TOTAL}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        (folder / name).write_bytes(contents)
        print(f"{folder / name}: {len(contents)} bytes")


if __name__ == "__main__":
    main()
