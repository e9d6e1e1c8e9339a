"""Seeded random numbers and images, exactly representable in float32."""

from dataclasses import dataclass

import torch
from sizes import BATCH, IMAGE_SIZE
from torch import Tensor

Tensors = dict[str, Tensor]


def representable(x: Tensor) -> Tensor:
    """Rounds to float32 and converts back to float64, so that the file holds exactly the numbers used."""
    return x.float().double()


@dataclass(frozen=True)
class Random:
    """Uniform random numbers, exactly representable in float32."""

    generator: torch.Generator

    @classmethod
    def seeded(cls, seed: int) -> "Random":
        return cls(torch.Generator().manual_seed(seed))

    def uniform(self, *shape: int, low: float = -1, high: float = 1) -> Tensor:
        unit = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return representable(low + (high - low) * unit)

    def permutation(self, length: int) -> Tensor:
        return torch.randperm(length, generator=self.generator)


def smooth_images(random: Random, batches: int, size: tuple[int, int] = IMAGE_SIZE) -> Tensor:
    """Colour gradients, each with a round spot: [batches, BATCH, H, W, 3], in -0.5...0.5."""
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


def variance_of(images: Tensor) -> Tensor:
    return representable(images.var(correction=0).reshape(1))
