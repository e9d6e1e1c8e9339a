"""The golden file of a whole model, with the first seed for which all choices of codes are clear."""

from collections.abc import Callable
from itertools import count

from golden import Golden
from inputs import Random, Tensors, smooth_images
from model import Model, Step, checked_gradients, run
from sizes import IMAGE_SIZE
from torch import Tensor


def first_clear_seed(name: str, attempt: Callable[[int], tuple[Tensors, list[Step]]]) -> Tensors:
    """The tensors of the first seed for which every step is clear."""
    for seed in count():
        tensors, steps = attempt(seed)
        if all(step.is_clear for step in steps):
            gap = min(step.gap for step in steps)
            fewest = min(step.codes_used for step in steps)
            print(f"{name}: seed {seed}, smallest gap {gap:.1e}, at least {fewest} codes a batch")
            return tensors
    raise AssertionError("unreachable: the seeds never end")


def model_tensors(model: Model, images: Tensor) -> Tensors:
    """The initial parameters, and the forward and backward pass of the first batch."""
    step = run(model, images[0])
    codes = {f"codes.{name}": x.codes for name, x in zip(model.latents, step.latents, strict=True)}
    if len(codes) == 1:
        codes = {"codes": step.latents[0].codes}
    return {
        "images": images,
        "variance": model.variance,
        "output": step.output,
        "losses": step.losses,
        **codes,
        **{f"parameters.{name}": x for name, x in model.parameters.items()},
        **{f"gradients.{name}": x for name, x in checked_gradients(model, images[0]).items()},
    }


def model_golden(
    name: str,
    what: str,
    build: Callable[[Random, Tensor], Model],
    *,
    batches: int,
    kept: int = 1,
    size: tuple[int, int] = IMAGE_SIZE,
    extra: Callable[[], Tensors] = dict,
) -> Golden:
    """One complete step of a model that is built for ``batches`` batches of images.

    The first ``kept`` batches are saved, and all of these must be clear.
    """

    def attempt(seed: int) -> tuple[Tensors, list[Step]]:
        random = Random.seeded(seed)
        images = smooth_images(random, batches, size)
        model = build(random, images)
        return model_tensors(model, images[:kept]), [run(model, batch) for batch in images[:kept]]

    return Golden(name, what, lambda: {**first_clear_seed(name, attempt), **extra()})
