"""quantizer.restart_every: the state after codewords that are hardly ever chosen were replaced."""

import torch
from inputs import Random, Tensors, representable
from quantizer_cases.case import LATENT, WIDTH
from quantizer_cases.inner import CODES, Ema
from torch import Tensor

BELOW = 0.2  # of the mean average count
VQ_DECAY = 0.99  # of the average counts of a codebook that learns from its loss
CODEBOOK = f"{LATENT}.codebook"


def unused(averages: Tensor) -> list[int]:
    """The codewords whose average count is below the threshold, the least chosen first."""
    order = averages.sort().indices
    threshold = BELOW * averages.mean()
    assert (averages / threshold - 1).abs().min() > 0.05, "a count is near the threshold"
    assert averages.sort().values.diff().min() > 1e-3, "two counts are nearly equal"
    rows = [int(k) for k in order if averages[k] < threshold]
    assert 2 <= len(rows) < CODES, "there is nothing to test"
    return rows


def inputs(random: Random) -> Tensors:
    """The counts of a batch, and vectors of it in the order in which they were drawn."""
    counts = torch.tensor([3, 0, 0, 5, 1, 0, 2, 1], dtype=torch.float64)
    return {"counts": counts, "candidates": random.uniform(CODES, WIDTH)}


def averages(mean: float) -> Tensor:
    """Average counts of which some are far below the mean."""
    relative = [1.3, 0.11, 0.02, 1.9, 0.7, 1.2, 0.04, 2.5]
    return representable(mean * torch.tensor(relative, dtype=torch.float64))


def vq(random: Random) -> Tensors:
    """The row becomes a vector, its count the mean, and both moments of Adam zero."""
    batch = inputs(random)
    count = averages(1.5)
    codebook, first = random.uniform(CODES, WIDTH), random.uniform(CODES, WIDTH)
    second = random.uniform(CODES, WIDTH, low=0)
    new = VQ_DECAY * count + (1 - VQ_DECAY) * batch["counts"]
    rows = unused(new)
    updated = {"count": new, "codebook": codebook, "first": first, "second": second}
    updated = {name: x.clone() for name, x in updated.items()}
    updated["codebook"][rows] = batch["candidates"][: len(rows)]
    updated["count"][rows] = new.mean()
    updated["first"][rows] = 0
    updated["second"][rows] = 0
    return {
        **batch,
        f"parameters.{CODEBOOK}": codebook,
        f"parameters.{LATENT}.restart.count": count,
        "moments.first": first,
        "moments.second": second,
        f"updated.{CODEBOOK}": updated["codebook"],
        f"updated.{LATENT}.restart.count": updated["count"],
        "updated.moments.first": updated["first"],
        "updated.moments.second": updated["second"],
    }


def ema(random: Random) -> Tensors:
    """Codeword, size and sum are those of mean-many vectors equal to the candidate."""
    batch = inputs(random)
    sums = random.uniform(CODES, WIDTH) * batch["counts"][:, None]
    batch["sums"] = representable(sums)
    size = averages(1.5)
    parameters = {
        CODEBOOK: random.uniform(CODES, WIDTH),
        f"{LATENT}.ema.size": size,
        f"{LATENT}.ema.sum": random.uniform(CODES, WIDTH),
    }
    updated = Ema().update(parameters, batch)
    new = updated[f"{LATENT}.ema.size"].clone()
    rows, mean = unused(new), new.mean()
    candidates = batch["candidates"][: len(rows)]
    updated[CODEBOOK][rows] = candidates
    updated[f"{LATENT}.ema.size"][rows] = mean
    updated[f"{LATENT}.ema.sum"][rows] = mean * candidates
    return {
        **batch,
        **{f"parameters.{name}": x for name, x in parameters.items()},
        **{f"updated.{name}": x for name, x in updated.items()},
    }


def tensors() -> Tensors:
    random = Random.seeded(1)
    cases = {"vq.restart": vq(random), "ema.restart": ema(random)}
    return {f"{case}.{name}": x for case, named in cases.items() for name, x in named.items()}
