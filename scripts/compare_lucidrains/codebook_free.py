"""Without a codebook: FSQ, LFQ."""

import math

import torch
from peer import COMMITMENT, Theirs, compare_output
from probe import Data, Probe
from table import Table
from vector_quantize_pytorch import FSQ, LFQ

LEVELS = [8, 5, 4, 7]
BITS, TEMPERATURE = 5, 4.0


def fsq(table: Table, probe: Probe) -> None:
    data, module = Data.random(len(LEVELS)), FSQ(LEVELS)
    theirs = Theirs.run(lambda x: (*module(x), torch.zeros(())), data)
    ours = probe("fsq", {"levels": LEVELS}, data, {})
    compare_output(table, "fsq", ours, theirs)


def lfq(table: Table, probe: Probe) -> None:
    data = Data.random(BITS)
    options = {
        "bits": BITS, "commitment": COMMITMENT, "entropy": 1, "temperature": TEMPERATURE,
    }  # fmt: skip
    first = probe("lfq", options, data, {}, step=1)
    # After the first update the average is a multiple of the batch's mean.
    average = {"ema.probabilities": first.updated("ema.probabilities")}
    ours = probe("lfq", options, data, average)
    reversed_codes = torch.zeros_like(ours.codes)
    for bit in range(BITS):
        reversed_codes += (ours.codes.long() >> bit & 1) << (BITS - 1 - bit)

    # With this scale a normalized vector has a root mean square of 1, and corners are ±1.
    module = LFQ(
        dim=BITS, entropy_loss_weight=1, commitment_loss_weight=COMMITMENT, spherical=True,
        codebook_scale=math.sqrt(BITS),
    )  # fmt: skip
    x = data.leaf()
    result, parts = module(x, inv_temperature=1 / TEMPERATURE, return_loss_breakdown=True)
    case = "lfq, their spherical"
    table.compare(
        case, "codes", ours.codes, result.indices,
        "their highest bit is that of the first component, ours the lowest, as in fsq: a convention",
    )  # fmt: skip
    table.compare(case, "codes, bits reversed", reversed_codes, result.indices)
    table.compare(case, "output", ours.output, result.quantized)
    gradient = data.output_gradient[None]
    (of_output,) = torch.autograd.grad(result.quantized, [x], gradient, retain_graph=True)
    table.compare(case, "gradient of z by the output", ours.gradient("output"), of_output)
    short = "ours has ε = 10⁻⁶ beside the mean square, which bounds the gradient of a short vector"
    for name, theirs, weight, named in [
        ("commitment", parts.commitment, COMMITMENT, ""),
        ("entropy", parts.per_sample_entropy, 1, short),
    ]:
        table.compare(case, name, ours.terms(name)[0], theirs)
        (of_term,) = torch.autograd.grad(weight * theirs, [x], retain_graph=True)
        table.compare(case, f"gradient of z by the {name}", ours.gradient(name), of_term, named)
    y = x / (x.square().mean(2, keepdim=True) + 1e-6).sqrt()
    logarithms = (2 / TEMPERATURE * y @ module.codebook.sign().T).log_softmax(2)
    entropy = -(logarithms.exp() * logarithms).sum(2).mean()
    (with_epsilon,) = torch.autograd.grad(entropy, [x], retain_graph=True)
    table.compare(case, "the same with our ε", ours.gradient("entropy"), with_epsilon)

    (of_batch,) = torch.autograd.grad(-parts.batch_entropy, [x])
    table.compare(
        case, "gradient of z by the diversity, if the average is the batch's",
        ours.gradient("diversity"), of_batch,
        "ours mixes δ = 10⁻³ of the uniform distribution into the average, which bounds its logarithm",
    )  # fmt: skip
    p = logarithms.exp()
    mixed = 0.999 * p.detach().mean(1) + 0.001 / 2**BITS
    (with_delta,) = torch.autograd.grad((p * mixed.log()).sum(2).mean(), [x])
    table.compare(case, "the same with our δ", ours.gradient("diversity"), with_delta)
    table.compare(
        case, "the same in step 1", first.gradient("diversity"), of_batch,
        "ours takes the average of earlier steps, at first uniform, with a gradient of 0; theirs the batch. The entropy "
        "of a mean is not a sum over shards, so ours keeps the bytes of a step equal for all numbers of threads",
    )  # fmt: skip

    _, parts = LFQ(dim=BITS)(
        data.leaf(), inv_temperature=1 / TEMPERATURE, return_loss_breakdown=True
    )
    table.compare(
        "lfq, their default", "entropy", ours.terms("entropy")[0], parts.per_sample_entropy,
        "theirs does not normalize vectors, as the paper; ours does always, and so bounds their length",
    )  # fmt: skip


CASES = {"fsq": fsq, "lfq": lfq}
