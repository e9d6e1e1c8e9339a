"""The loss of seed 004 on the initial zalando model: gradients, and ten steps of AdamW with gradient
clipping and a learning rate schedule."""

from itertools import count

import torch
import torch.nn.functional as F
from architectures.residual import ZALANDO, Residual
from inputs import Random, Tensors
from model import SMALLEST_GAP, Model, run
from optimizers import END, PEAK, WEIGHT_DECAY
from sizes import COMMITMENT_COST, DIMENSIONS, STEPS
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

WARMUP = 3
LARGEST_NORM = 2.0


class VectorQuantizer(torch.nn.Module):
    """The quantizer of seed 004, with its names. Both terms are multiplied by the commitment cost, and its
    vq_loss is the commitment loss."""

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


def document_loss(model: Model, quantizer: VectorQuantizer, images: Tensor) -> Tensor:
    """The total loss of the document: means times the batch size, not divided by the variance."""
    vq_losses = []

    def quantize(z: Tensor, _: int) -> Tensor:
        straight_through, vq_loss = quantizer(z.reshape(-1, DIMENSIONS))
        vq_losses.append(vq_loss)
        return straight_through.reshape(z.shape)

    reconstruction = model.decode(model.encode(images, quantize))
    recon_error = F.mse_loss(reconstruction, images, reduction="mean") * images.shape[0]
    return recon_error + vq_losses[0] * images.shape[0]


def seed_004(zalando: Tensors) -> Tensors:
    """Uses the first order of the batches for which every choice of a codeword is clear here too."""
    for seed in count():
        tensors = in_order(zalando, Random.seeded(seed).permutation(STEPS))
        if tensors is not None:
            print(f"seed 004: order {seed}")
            return tensors
    raise AssertionError("unreachable: the seeds never end")


def in_order(zalando: Tensors, order: Tensor) -> Tensors | None:
    """The tensors for one order of the batches, or None if a step is not clear."""
    parameters = {
        name.removeprefix("parameters."): x.detach().clone().requires_grad_()
        for name, x in zalando.items()
        if name.startswith("parameters.")
    }
    quantizer = VectorQuantizer(parameters.pop("quantizer.codebook").detach(), COMMITMENT_COST)
    learned = {**parameters, "quantizer.codebook": quantizer.embedding.weight}
    model = Residual(learned, zalando["variance"], ZALANDO)

    adamw = torch.optim.AdamW(learned.values(), lr=PEAK, weight_decay=WEIGHT_DECAY)
    scheduler = SequentialLR(
        adamw,
        [
            LinearLR(adamw, 1 / WARMUP, total_iters=WARMUP - 1),
            CosineAnnealingLR(adamw, STEPS - WARMUP, eta_min=END),
        ],
        milestones=[WARMUP],
    )
    tensors: Tensors = {"seed_004.order": order.double()}
    losses, norms, rates = [], [], []
    for i, batch in enumerate(zalando["images"][order]):
        if run(model, batch).gap <= SMALLEST_GAP:
            return None
        loss = document_loss(model, quantizer, batch)
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
