"""zalando.safetensors: the whole zalando model, and ten training steps with each quantizer."""

from collections.abc import Iterator
from functools import cache

import torch
from architectures import residual
from golden import Golden
from inputs import Random, Tensors, smooth_images
from model import Model, Step, run, trainable
from model_golden import first_clear_seed, model_tensors
from quantizers import Quantizer, quantizers
from sizes import STEPS
from torch import Tensor

LEARNING_RATE = 1e-3


def train(model: Model, images: Tensor, quantizer: Quantizer) -> Iterator[tuple[Step, Tensor]]:
    """Trains in place, one step per batch, and yields the forward pass of each step and its losses."""
    codebook = model.codebook(0)
    codebook.requires_grad_(quantizer.learns_by_gradient)
    learned = [x for x in model.parameters.values() if x.requires_grad]
    adam = torch.optim.Adam(learned, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)

    for batch in images:
        step = run(model, batch, quantizer.quantize)
        yield step, quantizer.losses(step)
        adam.zero_grad()
        quantizer.total(step).backward()  # type: ignore[no-untyped-call]
        adam.step()
        latent = step.latents[0]
        quantizer.update(codebook, latent.vectors.detach(), latent.codes.flatten())


def attempt(seed: int) -> tuple[Tensors, list[Step]]:
    random = Random.seeded(seed)
    images = smooth_images(random, STEPS)
    start = residual.build(residual.ZALANDO, random, images)
    tensors, all_steps = model_tensors(start, images), []
    for quantizer in quantizers():
        model = trainable(start)
        steps, losses = zip(*train(model, images, quantizer), strict=True)
        all_steps += steps
        tensors[f"trajectory.{quantizer.name}"] = torch.stack(losses)
        for name, x in quantizer.final(model.parameters).items():
            tensors[f"final.{quantizer.name}.{name}"] = x
    return tensors, all_steps


@cache
def zalando() -> Tensors:
    return first_clear_seed("zalando", attempt)


GOLDENS = [
    Golden(
        "zalando", "The zalando model: one step in full, ten steps of each quantizer.", zalando
    )
]
