"""The zalando VQ-VAE with a codebook loss in PyTorch, as fast as we know how to write it.

It is separate from the model of scripts/goldens, because their requirements differ. The goldens use double
precision and images of shape [N, H, W, C], that is, permuted views. torch.compile generates slow loops for
such views: 350 ms for a step of 256 images, where the model below takes 210 ms (two cores of Zen 5).

What makes it fast (each was measured against its alternatives): distances without the vectors' own
squares, in one addmm; argmin; index_select, whose gradient is one index_add (indexing was slower by 10 %).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """The skip is relu(x), because the first ReLU of the public notebook works in place."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, hidden, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(x)
        return y + self.conv2(F.relu(self.conv1(y)))


class Encoder(nn.Module):
    def __init__(self, hidden: int, residual: nn.Module, dimensions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, hidden // 2, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(hidden // 2, hidden, 4, stride=2, padding=1)
        self.conv3 = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.residual = residual
        self.project = nn.Conv2d(hidden, dimensions, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.project(F.relu(self.residual(self.conv3(x))))


class Decoder(nn.Module):
    def __init__(self, hidden: int, residual: nn.Module, dimensions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dimensions, hidden, 3, padding=1)
        self.residual = residual
        self.upsample1 = nn.ConvTranspose2d(hidden, hidden // 2, 4, stride=2, padding=1)
        self.upsample2 = nn.ConvTranspose2d(hidden // 2, 3, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.residual(self.conv1(x)))
        return self.upsample2(F.relu(self.upsample1(x)))


class Quantizer(nn.Module):
    def __init__(self, codes: int, dimensions: int) -> None:
        super().__init__()
        self.codebook = nn.Parameter(torch.empty(codes, dimensions))

    @torch.no_grad()
    def nearest(self, vectors: Tensor) -> Tensor:
        """[N, D] to codes [N]. The square of the vector is left out, as it is the same for all codewords.

        In float32 under autocast too, as in vector-quantize-pytorch: with the eight bits of a bfloat16, many
        distances would be equal."""
        with torch.autocast("cpu", enabled=False):
            squares = self.codebook.square().sum(1)
            return torch.addmm(squares, vectors.float(), self.codebook.T, alpha=-2).argmin(1)


class VQVAE(nn.Module):
    """The model, with the parameter names of our checkpoints."""

    def __init__(self, weights: dict[str, Tensor], variance: float) -> None:
        """- variance: that of the images, by which the reconstruction loss is divided."""
        super().__init__()
        codes, dimensions = weights["quantizer.codebook"].shape
        hidden = weights["encoder.conv3.weight"].shape[0]
        inside = [x.shape[0] for k, x in weights.items() if k.startswith("encoder.residual.")][::2]

        def residual() -> nn.Module:
            return nn.Sequential(*(ResidualBlock(hidden, size) for size in inside))

        self.encoder = Encoder(hidden, residual(), dimensions)
        self.decoder = Decoder(hidden, residual(), dimensions)
        self.quantizer = Quantizer(codes, dimensions)
        self.variance = variance
        self.load_state_dict(weights, strict=True)

    def vectors(self, images: Tensor) -> tuple[Tensor, torch.Size]:
        """[N, 3, H, W] to [N * H/4 * W/4, D], and the shape of the feature map with channels last."""
        z = self.encoder(images).permute(0, 2, 3, 1)
        return z.reshape(-1, z.shape[3]), z.shape

    def encode(self, images: Tensor) -> Tensor:
        return self.quantizer.nearest(self.vectors(images)[0])

    def losses(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The reconstruction, codebook and commitment losses."""
        vectors, shape = self.vectors(images)
        codes = self.quantizer.nearest(vectors.detach())
        codewords = self.quantizer.codebook.index_select(0, codes)
        straight_through = vectors + (codewords - vectors).detach()
        output = self.decoder(straight_through.view(shape).permute(0, 3, 1, 2))
        return (
            F.mse_loss(output, images) / self.variance,
            F.mse_loss(codewords, vectors.detach()),
            F.mse_loss(vectors, codewords.detach()),
        )
