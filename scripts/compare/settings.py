"""What both sides share."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "cifar10-zalando.yaml"

# pytorch_peer.py imports them too. They are the settings of CONFIG that a checkpoint's tensors do not show.
LEARNING_RATE, COMMITMENT_COST = 1e-3, 0.25
