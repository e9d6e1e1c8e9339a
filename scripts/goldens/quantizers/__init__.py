"""One file for each quantizer. To add one, add a file and a line here."""

from quantizers.codebook_loss import CodebookLoss
from quantizers.finite_scalar import FiniteScalar
from quantizers.lookup_free import LookupFree
from quantizers.moving_averages import MovingAverages
from quantizers.quantizer import Quantizer


def quantizers() -> list[Quantizer]:
    """New instances of the quantizers that have a trajectory in zalando.safetensors."""
    return [
        CodebookLoss(), MovingAverages(keeps_unchosen=False), MovingAverages(keeps_unchosen=True),
        FiniteScalar(), LookupFree(),
    ]  # fmt: skip
