"""A VQ-VAE with its parameters, and one step of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from inputs import Random, Tensors, representable
from layers import conv, conv_transpose
from quantizers.nearest import (
    Quantize,
    Quantized,
    quantize_by_detached_offset,
    quantize_by_function,
    smallest_gap,
)
from sizes import CODES, COMMITMENT_COST, DIMENSIONS
from torch import Tensor

SMALLEST_GAP = 1e-3
FEWEST_CODES = 4
SMALLEST_COMPONENT_GAP, FEWEST_SIGN_CODES = 1e-4, 2
"""Without a codebook, where no squares of differences are compared."""


@dataclass(frozen=True)
class Model(ABC):
    """The architecture and the named parameters of a VQ-VAE."""

    parameters: Tensors
    variance: Tensor  # [1], of the images; the reconstruction loss is divided by it

    latents: ClassVar[list[str]] = ["quantizer"]
    """The names of the quantizers, in the order in which they are applied."""
    latent_layers: ClassVar[list[str]]
    """For each latent, the layer whose output is its vectors."""
    output_layer: ClassVar[str]

    @abstractmethod
    def encode(self, images: Tensor, quantize: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
        """Encodes [N, H, W, 3] to one quantized latent for each of ``latents``.

        ``quantize(z, i)`` replaces the vectors [N, h, w, D] of latent i by codewords.
        """

    @abstractmethod
    def decode(self, codewords: list[Tensor]) -> Tensor:
        """Decodes quantized latents to [N, H, W, 3]."""

    def codebook(self, i: int) -> Tensor:
        return self.parameters[f"{self.latents[i]}.codebook"]

    def convolve(self, name: str, x: Tensor, **options: int) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return conv(x, weight, bias, **options)

    def upsample(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return conv_transpose(x, weight, bias, stride=2, padding=1)


def trainable(model: Model) -> Model:
    """A copy whose parameters are leaves that require gradients."""
    parameters = {name: x.clone().requires_grad_() for name, x in model.parameters.items()}
    return replace(model, parameters=parameters)


def spread_out(random: Random, model: Model, images: Tensor, *, decoding_codewords: bool) -> None:
    """Rescales a model so that its losses are of similar size and many codes are used; adds codebooks.

    Rescales the layers before the quantizers and the last layer, so that the vectors have standard
    deviation 1 and the reconstructions that of the images. Places the codewords near some of the vectors.

    ``decoding_codewords``: whether the last layer is scaled for decoding codewords, or else for decoding
    the vectors themselves.
    """
    parameters, all_images = model.parameters, images.flatten(0, 1)

    def divide(name: str, divisor: Tensor) -> None:
        parameters[f"{name}.weight"] = representable(parameters[f"{name}.weight"] / divisor)

    def vectors_of(latent: int) -> Tensor:
        """The vectors of a latent, with the latents before it quantized."""
        found = {}

        def quantize(z: Tensor, i: int) -> Tensor:
            found[i] = z
            return nearest(z, i) if i < latent else z

        model.encode(all_images, quantize)
        return found[latent]

    def nearest(z: Tensor, i: int) -> Tensor:
        vectors = z.reshape(-1, DIMENSIONS)
        return quantize_by_function(vectors, model.codebook(i)).straight_through.reshape(z.shape)

    for i, (latent, layer) in enumerate(zip(model.latents, model.latent_layers, strict=True)):
        divide(layer, vectors_of(i).std((0, 1, 2)).mean())
        vectors = vectors_of(i).reshape(-1, DIMENSIONS)
        chosen = vectors[random.permutation(len(vectors))[:CODES]]
        noise = random.uniform(CODES, DIMENSIONS, low=-0.5, high=0.5)
        parameters[f"{latent}.codebook"] = representable(chosen + noise)

    latents = model.encode(all_images, nearest if decoding_codewords else lambda z, _: z)
    divide(model.output_layer, model.decode(latents).std() / model.variance.sqrt())


@dataclass(frozen=True)
class LatentStep:
    """The results of one latent."""

    vectors: Tensor  # [N * h * w, D]
    codes: Tensor  # [N, h, w]
    codebook: Tensor  # the codebook loss
    commitment: Tensor
    gap: float
    has_codebook: bool

    @property
    def codes_used(self) -> int:
        return len(set(self.codes.flatten().tolist()))

    @property
    def is_clear(self) -> bool:
        if self.has_codebook:
            return self.gap > SMALLEST_GAP and self.codes_used >= FEWEST_CODES
        return self.gap > SMALLEST_COMPONENT_GAP and self.codes_used >= FEWEST_SIGN_CODES


@dataclass(frozen=True)
class Step:
    """The forward pass of one batch."""

    output: Tensor  # [N, H, W, 3]
    reconstruction: Tensor
    latents: list[LatentStep]

    @property
    def codebook(self) -> Tensor:
        return torch.stack([latent.codebook for latent in self.latents]).sum()

    @property
    def commitment(self) -> Tensor:
        return torch.stack([latent.commitment for latent in self.latents]).sum()

    @property
    def losses(self) -> Tensor:
        return torch.stack([self.reconstruction, self.codebook, self.commitment]).detach()

    @property
    def gap(self) -> float:
        return min(latent.gap for latent in self.latents)

    @property
    def codes_used(self) -> int:
        return min(latent.codes_used for latent in self.latents)

    @property
    def is_clear(self) -> bool:
        return all(latent.is_clear for latent in self.latents)


def run(model: Model, images: Tensor, quantize: Quantize = quantize_by_function) -> Step:
    results: dict[int, tuple[Tensor, Quantized]] = {}

    def replace(z: Tensor, i: int) -> Tensor:
        results[i] = z, quantize(z.reshape(-1, DIMENSIONS), model.codebook(i))
        return results[i][1].straight_through.reshape(z.shape)

    def latent_step(i: int) -> LatentStep:
        z, quantized = results[i]
        vectors = z.reshape(-1, DIMENSIONS)
        has_codebook = quantized.gap is None
        return LatentStep(
            vectors=vectors,
            codes=quantized.codes.reshape(z.shape[:3]),
            codebook=F.mse_loss(quantized.codewords, vectors.detach()),
            commitment=F.mse_loss(vectors, quantized.codewords.detach()),
            gap=smallest_gap(vectors, model.codebook(i)) if has_codebook else quantized.gap,
            has_codebook=has_codebook,
        )

    output = model.decode(model.encode(images, replace))
    return Step(
        output=output,
        reconstruction=F.mse_loss(output, images) / model.variance.squeeze(),
        latents=[latent_step(i) for i in range(len(model.latents))],
    )


def gradients(model: Model, images: Tensor, quantize: Quantize) -> Tensors:
    """The gradients of reconstruction + codebook + COMMITMENT_COST * commitment."""
    model = trainable(model)
    step = run(model, images, quantize)
    total = step.reconstruction + step.codebook + COMMITMENT_COST * step.commitment
    parts = torch.autograd.grad(total, list(model.parameters.values()))
    return dict(zip(model.parameters, parts, strict=True))


def checked_gradients(model: Model, images: Tensor) -> Tensors:
    """The gradients. Asserts that both straight-through variants agree on them."""
    result = gradients(model, images, quantize_by_function)
    other = gradients(model, images, quantize_by_detached_offset)
    for name, gradient in result.items():
        difference, size = (gradient - other[name]).abs().max(), gradient.abs().max()
        assert size > 0, f"{name} has no gradient"
        assert difference <= 1e-12 * size, f"the variants disagree on the gradient of {name}"
    return result
