"""AdamW, gradient clipping and the cosine schedule with warm-up, from PyTorch's own classes."""

import torch
from inputs import Random, Tensors
from sizes import STEPS
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    SequentialLR,
)

PEAK, END = 1e-2, 1e-4
WEIGHT_DECAY = 0.1


def adamw() -> Tensors:
    """Ten steps of AdamW on one tensor, with and without clipping."""
    random = Random.seeded(4)
    start, gradients = random.uniform(37), random.uniform(STEPS, 37)
    tensors = {"adamw.start": start, "adamw.gradients": gradients}
    for name, norm in (("plain", None), ("clipped", 3.5)):
        x = start.clone().requires_grad_()
        optimizer = torch.optim.AdamW([x], lr=PEAK, weight_decay=WEIGHT_DECAY)
        norms = []
        for gradient in gradients:
            x.grad = gradient.clone()
            if norm is not None:
                norms.append(torch.nn.utils.clip_grad_norm_([x], norm).detach())
            optimizer.step()
        tensors[f"adamw.{name}"] = x
        if norm is not None:
            tensors["adamw.norms"] = torch.stack(norms)
            assert min(norms) < norm < max(norms), f"norms {norms}"
    return tensors


def schedules() -> Tensors:
    """Learning rates of PyTorch's schedulers, [steps], for several lengths of warm-up and run."""
    tensors: Tensors = {}
    for warmup, steps in ((0, 10), (1, 10), (4, 25), (24, 25)):
        x = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.AdamW([x], lr=PEAK)
        cosine = CosineAnnealingLR(optimizer, steps - warmup, eta_min=END)
        scheduler: LRScheduler = cosine
        if warmup > 1:
            linear = LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
            scheduler = SequentialLR(optimizer, [linear, cosine], [warmup])
        elif warmup == 1:
            constant = ConstantLR(optimizer, 1, total_iters=1)
            scheduler = SequentialLR(optimizer, [constant, cosine], [1])
        rates = []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        tensors[f"schedule.{warmup}.{steps}"] = torch.tensor(rates, dtype=torch.float64)
    return tensors
