"""Several codes for each vector: residual, grouped."""

import torch
from peer import (
    DECAY,
    OURS,
    THEIRS,
    Theirs,
    averages,
    compare_averages,
    compare_commitment,
    compare_output,
    start,
)
from probe import D, K, Data, Probe, codebook, latents, sizes
from table import Table
from vector_quantize_pytorch import ResidualVQ, VectorQuantize

STAGES, HEADS = 3, 2
TIMES = (
    f"theirs is {STAGES} times ours, once for each stage; the sum stands for z, so its derivative is 1 "
    "(facebookresearch/encodec#25). Ours is right"
)
SHARED = (
    "theirs decays shared averages once for each stage, so γ is γ^L a step and later stages weigh more; ours adds the "
    "stages' counts and sums, and decays once a step, as the formula"
)
ROTATIONS = (
    "theirs adds the rotations of all stages, so its size grows with them; ours is one rotation, of z to the sum. The "
    "paper has one stage, and the sum stands for z, as above"
)


def residual(table: Table, probe: Probe) -> None:
    data = Data.random()
    codebooks = [codebook(seed=3 + i) * 0.6**i for i in range(STAGES)]
    options = {"inner": "ema", "stages": STAGES, **OURS, **sizes()}

    def rvq(**changes: object) -> ResidualVQ:
        module = ResidualVQ(dim=D, num_quantizers=STAGES, codebook_size=K, **{**THEIRS, **changes})
        for vq, e in zip(module.layers, codebooks, strict=True):
            start(vq, codebooks[0] if module.shared_codebook else e)
        return module

    separate = latents([averages(e) for e in codebooks])
    module = rvq()
    theirs, ours = Theirs.run(module, data), probe("residual", options, data, separate)
    compare_output(table, "residual", ours, theirs, gradient=TIMES)
    mine = ours.gradient("output")
    table.compare("residual", f"the same, theirs / {STAGES}", mine, theirs.of_output() / STAGES)
    compare_commitment(table, "residual", ours, theirs)
    for i, vq in enumerate(module.layers):
        compare_averages(table, "residual", ours, vq, f"{i}.")

    theirs = Theirs.run(rvq(quant_grad_frac=1.0), data)
    case, (of_vectors,) = "residual, quant_grad_frac 1", theirs.gradients()
    table.compare(case, "gradient of z by the output", mine, theirs.of_output())
    table.compare(
        case, "gradient of z by the commitment", ours.gradient("commitment"), of_vectors,
        "with this option of theirs no commitment but the first stage's reaches the encoder",
    )  # fmt: skip
    table.compare(
        case, "the same, our first stage's alone", ours.gradient("0.commitment"), of_vectors
    )

    module = rvq(shared_codebook=True)
    theirs = Theirs.run(module, data)
    shared = {"stage_codebooks": "shared", **options}
    ours = probe("residual", shared, data, averages(codebooks[0]))
    case = "residual, shared"
    compare_output(table, case, ours, theirs, gradient=TIMES)
    compare_commitment(table, case, ours, theirs)
    compare_averages(table, case, ours, module.layers[0], named=SHARED)
    size = torch.ones(K)
    for codes in theirs.codes[0].unbind(1):
        size = DECAY * size + (1 - DECAY) * torch.bincount(codes, minlength=K)
    found = module.layers[0]._codebook.cluster_size[0]
    table.compare(case, "their ema.size is a decay for each stage", size, found)

    theirs = Theirs.run(rvq(rotation_trick=True), data)
    ours = probe("residual", {"straight_through": "rotation", **options}, data, separate)
    compare_output(table, "residual, rotation", ours, theirs, gradient=ROTATIONS)


def grouped(table: Table, probe: Probe) -> None:
    data, width = Data.random(), D // HEADS
    codebooks = [codebook(width=width, seed=6 + i) for i in range(HEADS)]
    module = VectorQuantize(
        D, K, heads=HEADS, codebook_dim=width, separate_codebook_per_head=True, **THEIRS
    )
    start(module, *codebooks)
    theirs = Theirs.run(module, data)
    parameters = latents([averages(e) for e in codebooks])
    ours = probe("grouped", {"inner": "ema", "groups": HEADS, **OURS, **sizes()}, data, parameters)
    case = "grouped, their heads"
    compare_output(table, case, ours, theirs)
    compare_commitment(table, case, ours, theirs)
    for i in range(HEADS):
        compare_averages(table, case, ours, module, f"{i}.", head=i)


CASES = {"residual": residual, "grouped": grouped}
