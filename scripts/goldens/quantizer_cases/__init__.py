"""quantizers.safetensors: one step of each quantizer, without a model around it.

One file for each. To add a quantizer, add a file with a list ``CASES`` and a line here, and a line to
Tests/QuantizersTests/QuantizerGoldenTests.swift.

    z, output_gradient        the vectors and the gradient of the output, [2, 3, 2, D], for all cases
    <case>.parameters.<name>  before the step
    <case>.codes, .output     [2, 3, 2] or [2, 3, 2, S], and [2, 3, 2, D]
    <case>.terms              the values of the loss terms in the quantizer's order, not weighted
    <case>.gradients.z, .<name>
                              of Σ output_gradient · output + Σ weight · term
    <case>.updated.<name>     after a step of gradient descent and the quantizer's own update

The cases named restart have the counts of a batch and the vectors drawn from it instead of z.
"""

from golden import Golden
from inputs import Random, Tensors
from quantizer_cases import cosine, grouped, inner, residual, restart, simvq
from quantizer_cases.case import COMMITMENT, LEARNING_RATE, SHAPE, STEP, WIDTH
from quantizer_cases.inner import CODES, DECAY, EPSILON
from quantizer_cases.restart import BELOW

CASES = [*inner.CASES, *cosine.CASES, *simvq.CASES, *residual.CASES, *grouped.CASES]


def make() -> Tensors:
    random = Random.seeded(0)
    inputs = {
        "z": random.uniform(*SHAPE, WIDTH), "output_gradient": random.uniform(*SHAPE, WIDTH),
    }  # fmt: skip
    cases = {
        f"{case.name}.{name}": x for case in CASES for name, x in case.tensors(**inputs).items()
    }
    return {**inputs, **cases, **restart.tensors()}


GOLDENS = [
    Golden(
        "quantizers", "One step of each quantizer: codes, output, terms, gradients, state.", make,
        {
            "settings": f"codewords={CODES} commitment={COMMITMENT} decay={DECAY} epsilon={EPSILON} "
            f"learning_rate={LEARNING_RATE} step={STEP} restart_below={BELOW}",
        },
    )
]  # fmt: skip
