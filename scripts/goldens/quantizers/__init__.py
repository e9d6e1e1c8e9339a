"""One file a quantizer. A new one is a file, and a line here."""

from quantizers.codebook_loss import CodebookLoss
from quantizers.moving_averages import MovingAverages
from quantizers.quantizer import Quantizer


def quantizers() -> list[Quantizer]:
    """Those that have a trajectory in zalando.safetensors, each at its start."""
    return [
        CodebookLoss(), MovingAverages(keeps_unchosen=False), MovingAverages(keeps_unchosen=True),
    ]  # fmt: skip
