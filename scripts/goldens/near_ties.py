"""Vectors whose nearest codewords can be missed in single precision."""

import torch
from inputs import Random, Tensors
from quantizers.nearest import square_distances


def near_ties() -> Tensors:
    """Vectors of norm near 90, codewords that differ from them by a few units in the last place, and the
    codes in double precision, whose sums are exact here. In single precision, cdist uses matrix products
    for more than 25 rows, and its argmin is wrong for some vectors."""
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
