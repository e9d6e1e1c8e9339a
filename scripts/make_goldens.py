#!/usr/bin/env python3
"""Makes the golden files of the tests with PyTorch: an opinion that is not our own.

    layers.safetensors    convolutions and residual blocks: outputs and gradients
    zalando.safetensors   the whole zalando model, small: outputs, gradients, ten steps of
                          training with the codebook loss and with two moving averages
    sonnet.safetensors    the whole sonnet model, small: outputs and gradients
    training.safetensors  AdamW, clipping and the cosine with its warm-up by PyTorch's own classes,
                          and the loss of seed 004

Run it from anywhere; it takes half a minute and writes under 200 kB in all:

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor

Tensors = dict[str, Tensor]

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Goldens"
LARGEST_TOTAL = 200_000  # bytes

IMAGE_SIZE, BATCH, STEPS = 8, 4, 10
HIDDEN, RESIDUAL_LAYERS, RESIDUAL_HIDDEN = 8, 2, 4
CODES, DIMENSIONS = 16, 4  # K and D

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


def smooth_images(random: Random, batches: int) -> Tensor:
    """Colour gradients with a round spot each, [batches, BATCH, H, W, 3], in -0.5...0.5."""
    shape = (batches, BATCH, 1, 1)
    axis = torch.linspace(-1, 1, IMAGE_SIZE, dtype=torch.float64)
    y, x = axis[:, None], axis[None, :]

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
class Model:
    """The parameters of a VQ-VAE by name, and how they are applied."""

    preset: Preset
    parameters: Tensors
    variance: Tensor  # [1], of the images: the scale of the reconstruction loss

    def convolve(self, name: str, x: Tensor, **options: int) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return conv(x, weight, bias, **options)

    def upsample(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return conv_transpose(x, weight, bias, stride=2, padding=1)

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
        """[N, H, W, 3] to [N, H/4, W/4, D]."""
        x = F.relu(self.convolve("encoder.conv1", images, stride=2, padding=1))
        x = F.relu(self.convolve("encoder.conv2", x, stride=2, padding=1))
        x = self.convolve("encoder.conv3", x, padding=1)
        if self.preset.relu_after_conv3:
            x = F.relu(x)
        return self.convolve("encoder.project", self.residual_stack("encoder.residual", x))

    def decode(self, codewords: Tensor) -> Tensor:
        """[N, h, w, D] to [N, 4h, 4w, 3]."""
        x = self.convolve("decoder.conv1", codewords, padding=1)
        x = self.residual_stack("decoder.residual", x)
        x = F.relu(self.upsample("decoder.upsample1", x))
        return self.upsample("decoder.upsample2", x)


def random_parameters(random: Random, preset: Preset) -> Tensors:
    """Kaiming-uniform weights and small biases; no codebook yet."""
    parameters: Tensors = {}

    def add(
        name: str, shape: tuple[int, int, int, int], *, inputs: int, outputs: int | None
    ) -> None:
        bound = math.sqrt(6 / inputs)
        parameters[f"{name}.weight"] = random.uniform(*shape, low=-bound, high=bound)
        if outputs is not None:
            parameters[f"{name}.bias"] = random.uniform(outputs, low=-0.2, high=0.2)

    def add_conv(name: str, in_: int, out: int, size: int, bias: bool = True) -> None:
        add(name, (out, in_, size, size), inputs=in_ * size**2, outputs=out if bias else None)

    def add_upsample(name: str, in_: int, out: int) -> None:
        add(name, (in_, out, 4, 4), inputs=in_ * 4, outputs=out)  # four taps reach each output

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
    return parameters


def random_model(random: Random, preset: Preset, images: Tensor) -> Model:
    """A model whose three losses are of one order of magnitude and which uses many codes.

    The vectors spread by 1 in each dimension, the reconstructions by as much as the images, and the
    codewords lie near some of the vectors.
    """
    variance = representable(images.var(correction=0).reshape(1))
    model = Model(preset, random_parameters(random, preset), variance)
    parameters = model.parameters

    def divide(name: str, divisor: Tensor) -> None:
        parameters[name] = representable(parameters[name] / divisor)

    all_images = images.flatten(0, 1)
    divide("encoder.project.weight", model.encode(all_images).std((0, 1, 2)).mean())
    vectors = model.encode(all_images)
    divide("decoder.upsample2.weight", model.decode(vectors).std() / variance.sqrt())

    vectors = vectors.reshape(-1, DIMENSIONS)
    chosen = vectors[random.permutation(len(vectors))[:CODES]]
    noise = random.uniform(CODES, DIMENSIONS, low=-0.5, high=0.5)
    parameters["quantizer.codebook"] = representable(chosen + noise)
    return model


def trainable(model: Model) -> Model:
    """A copy whose parameters are leaves that ask for gradients."""
    parameters = {name: x.clone().requires_grad_() for name, x in model.parameters.items()}
    return Model(model.preset, parameters, model.variance)


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


def run(model: Model, images: Tensor, quantize: Quantizer = quantize_by_function) -> Step:
    z = model.encode(images)
    vectors, codebook = z.reshape(-1, DIMENSIONS), model.parameters["quantizer.codebook"]
    quantized = quantize(vectors, codebook)
    output = model.decode(quantized.straight_through.reshape(z.shape))

    distances = square_distances(vectors.detach(), codebook.detach())
    nearest, second = distances.sort(1).values[:, :2].unbind(1)
    return Step(
        vectors=vectors,
        codes=quantized.codes.reshape(z.shape[:3]),
        output=output,
        reconstruction=F.mse_loss(output, images) / model.variance.squeeze(),
        codebook=F.mse_loss(quantized.codewords, vectors.detach()),
        commitment=F.mse_loss(vectors, quantized.codewords.detach()),
        gap=((second - nearest) / distances.mean(1)).min().item(),
    )


def gradients(model: Model, images: Tensor, quantize: Quantizer) -> Tensors:
    """The gradients of reconstruction + codebook + 0.25 commitment."""
    model = trainable(model)
    step = run(model, images, quantize)
    total = step.reconstruction + step.codebook + COMMITMENT_COST * step.commitment
    parts = torch.autograd.grad(total, list(model.parameters.values()))
    return dict(zip(model.parameters, parts, strict=True))


def checked_gradients(model: Model, images: Tensor) -> Tensors:
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
    start = random_model(random, ZALANDO, images)

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
    model = random_model(random, SONNET, images)
    return model_tensors(model, images), [run(model, batch) for batch in images]


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
    model = Model(ZALANDO, parameters, zalando["variance"])
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
        current = Model(ZALANDO, learned, model.variance)
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
    files = {
        "layers.safetensors": serialized(
            layers, "Convolutions and residual blocks with their gradients.", options
        ),
        "zalando.safetensors": serialized(
            zalando, "The zalando model: one step in full, ten steps of three quantizers."
        ),
        "sonnet.safetensors": serialized(sonnet, "The sonnet model: one step in full."),
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
