"""One code for each vector: plain, averages, cosine, rotation, SimVQ."""

import torch
import torch.nn.functional as F
from peer import (
    COMMITMENT,
    OURS,
    THEIRS,
    Theirs,
    averages,
    compare_averages,
    compare_commitment,
    compare_output,
    start,
)
from probe import D, K, Data, Probe, codebook, sizes
from table import Table
from vector_quantize_pytorch import SimVQ, VectorQuantize


def vq(table: Table, probe: Probe) -> None:
    data, e = Data.random(), codebook()
    module = VectorQuantize(
        D, K, learnable_codebook=True, ema_update=False, rotation_trick=False,
        commitment_weight=COMMITMENT,
    )  # fmt: skip
    start(module, e)
    theirs = Theirs.run(module, data)
    of_vectors, of_codebook = theirs.gradients(module._codebook.embed)
    for weighting in ["both", "paper"]:
        options = {"weighting": weighting, "commitment": COMMITMENT, **sizes()}
        ours = probe("vq", options, data, {"codebook": e})
        case = f"vq, weighting {weighting}"
        compare_output(table, case, ours, theirs)
        table.compare(case, "gradient of z by the terms", ours.gradient("commitment"), of_vectors)
        table.compare(
            case, "gradient of the codebook", ours.gradient("codebook", "codebook"),
            of_codebook[0],
            "" if weighting == "both" else
            "theirs has one weight for both directions, which is our weighting: both; the paper's β is on the "
            "commitment alone",
        )  # fmt: skip


def ema(table: Table, probe: Probe) -> None:
    data, e = Data.random(), codebook()
    e[0] += 10  # never chosen
    module = VectorQuantize(D, K, **THEIRS)
    start(module, e)
    theirs = Theirs.run(module, data)
    assert (theirs.codes != 0).all()
    ours = probe("ema", {**OURS, **sizes()}, data, averages(e))
    compare_output(table, "ema", ours, theirs)
    compare_commitment(table, "ema", ours, theirs)
    compare_averages(table, "ema", ours, module)

    empty = {name: 0 * x if "ema" in name else x for name, x in averages(e).items()}
    ours = probe("ema", {**OURS, "ema_unused": "keep", **sizes()}, data, empty, step=1)
    table.compare(
        "ema, step 1", "codebook after the step", ours.updated("codebook"),
        module._codebook.embed[0],
        "their averages start at size 1 and sum e, which holds a codeword back in the first 1 / (1 − γ) steps; ours "
        "start at 0 and are corrected for it, as in Sonnet, so that a codeword is the mean of its vectors at once. "
        "Both are consistent",
    )  # fmt: skip


def cosine(table: Table, probe: Probe) -> None:
    data, e = Data.random(), F.normalize(codebook())
    module = VectorQuantize(D, K, use_cosine_sim=True, **THEIRS)
    start(module, e)
    theirs = Theirs.run(module, data)
    ours = probe("cosine", {"inner": "ema", **OURS, **sizes()}, data, averages(e))
    compare_output(table, "cosine, ema", ours, theirs)
    compare_commitment(table, "cosine, ema", ours, theirs)
    compare_averages(table, "cosine, ema", ours, module)
    table.note("cosine, vq", "all", "theirs has no cosine with a learned codebook; ours has")


def rotation(table: Table, probe: Probe) -> None:
    module = VectorQuantize(D, K, freeze_codebook=True)
    options = {"straight_through": "rotation", **sizes()}

    def check(case: str, data: Data, e: torch.Tensor, output: str = "", gradient: str = "") -> None:
        start(module, e)
        theirs = Theirs.run(module, data)
        ours = probe("vq", options, data, {"codebook": e})
        compare_output(table, case, ours, theirs, output, gradient)

    data, e = Data.random(), codebook()
    check("rotation", data, e)
    z = data.z.clone()
    z[0] = 0
    check(
        "rotation, a vector of 0", Data(z, data.output_gradient), e,
        "their output is 0, not the codeword, which decoding the code gives. Ours is right",
        "theirs is multiplied by ‖e‖ / 10⁻⁶; ours passes unchanged, since 0 has no direction. Ours is right",
    )  # fmt: skip
    # Every codeword is opposite to every vector.
    e = -torch.ones(K, D) * torch.arange(1, K + 1)[:, None]
    check("rotation, opposite", Data(torch.ones_like(z), data.output_gradient), e)


def simvq(table: Table, probe: Probe) -> None:
    data, basis, transform = Data.random(), codebook(), codebook(D, D, seed=9)
    parameters = {"codebook": basis @ transform, "basis": basis, "transform": transform}
    for rotates in [False, True]:
        module = SimVQ(D, K, rotation_trick=rotates)
        module.frozen_codebook.copy_(basis)
        module.code_transform.weight.data.copy_(transform.T)
        theirs = Theirs.run(module, data)
        estimator = "rotation" if rotates else "function"
        ours = probe("simvq", {"straight_through": estimator, **sizes()}, data, parameters)
        case = "simvq, rotation" if rotates else "simvq"
        compare_output(table, case, ours, theirs)
        both = ours.terms("codebook")[0] + COMMITMENT * ours.terms("commitment")[0]
        table.compare(case, "both terms", both, theirs.loss)
        of_vectors, of_transform = theirs.gradients(module.code_transform.weight)
        table.compare(case, "gradient of z by the terms", ours.gradient("commitment"), of_vectors)
        table.compare(
            case, "gradient of the transform", ours.gradient("codebook", "transform"),
            of_transform.T,
        )  # fmt: skip


CASES = {"vq": vq, "ema": ema, "cosine": cosine, "rotation": rotation, "simvq": simvq}
