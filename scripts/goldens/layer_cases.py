"""layers.safetensors: outputs and gradients of convolutions and residual blocks."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from golden import Golden
from inputs import Random, Tensors
from layers import conv, conv_transpose, residual_sonnet, residual_zalando
from torch import Tensor


def forward_and_backward(
    random: Random, function: Callable[[Tensors], Tensor], arguments: Tensors
) -> Tensors:
    """The arguments, the output, a random output gradient, and the gradients of the arguments."""
    leaves = {name: x.clone().requires_grad_() for name, x in arguments.items()}
    output = function(leaves)
    output_gradient = random.uniform(*output.shape)
    gradients = torch.autograd.grad(output, list(leaves.values()), output_gradient)
    return {
        **arguments,
        "output": output,
        "output_gradient": output_gradient,
        **{f"{name}_gradient": gradient for name, gradient in zip(leaves, gradients, strict=True)},
    }


@dataclass(frozen=True)
class ConvolutionCase:
    """A convolution, with an input of odd and unequal sizes where possible."""

    name: str
    input: tuple[int, int, int, int]
    weight: tuple[int, int, int, int]
    stride: int
    padding: int
    transposed: bool = False
    has_bias: bool = True

    def tensors(self, random: Random) -> Tensors:
        arguments = {
            "input": random.uniform(*self.input),
            "weight": random.uniform(*self.weight),
        }
        if self.has_bias:
            arguments["bias"] = random.uniform(self.weight[1 if self.transposed else 0])
        layer = conv_transpose if self.transposed else conv
        return forward_and_backward(
            random,
            lambda x: layer(
                x["input"], x["weight"], x.get("bias"), stride=self.stride, padding=self.padding
            ),
            arguments,
        )


CONVOLUTIONS = [
    ConvolutionCase("conv3x3", (2, 5, 6, 3), (5, 3, 3, 3), stride=1, padding=1),
    ConvolutionCase("conv4x4s2", (2, 8, 6, 3), (5, 3, 4, 4), stride=2, padding=1),
    ConvolutionCase("conv1x1", (2, 3, 5, 7), (3, 7, 1, 1), stride=1, padding=0),
    ConvolutionCase("conv3x3odd", (2, 7, 9, 3), (5, 3, 3, 3), stride=2, padding=0, has_bias=False),
    ConvolutionCase("conv5x5", (2, 5, 7, 2), (3, 2, 5, 5), stride=1, padding=2),
    ConvolutionCase(
        "transpose4x4s2", (2, 3, 4, 5), (5, 3, 4, 4), stride=2, padding=1, transposed=True
    ),
    ConvolutionCase(
        "transpose3x3s2", (2, 3, 5, 3), (3, 5, 3, 3), stride=2, padding=1, transposed=True,
        has_bias=False,
    ),
]  # fmt: skip


def make() -> Tensors:
    random = Random.seeded(0)
    cases = {case.name: case.tensors(random) for case in CONVOLUTIONS}

    channels, hidden = 5, 3
    x = random.uniform(2, 4, 5, channels)
    weights = {
        "conv1.weight": random.uniform(hidden, channels, 3, 3),
        "conv2.weight": random.uniform(channels, hidden, 1, 1),
    }
    biases = {"conv1.bias": random.uniform(hidden), "conv2.bias": random.uniform(channels)}
    cases["residual_zalando"] = forward_and_backward(
        random, lambda a: residual_zalando(a["input"], a), {"input": x, **weights}
    )
    cases["residual_sonnet"] = forward_and_backward(
        random, lambda a: residual_sonnet(a["input"], a), {"input": x, **weights, **biases}
    )
    return {f"{case}.{name}": x for case, named in cases.items() for name, x in named.items()}


GOLDENS = [
    Golden(
        "layers", "Convolutions and residual blocks with their gradients.", make,
        {case.name: f"stride={case.stride} padding={case.padding}" for case in CONVOLUTIONS},
    )
]  # fmt: skip
