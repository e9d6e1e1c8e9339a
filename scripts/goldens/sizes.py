"""Sizes and settings of the small models. The tests repeat them."""

IMAGE_SIZE, BATCH, STEPS = (8, 8), 4, 10
HIDDEN, RESIDUAL_LAYERS, RESIDUAL_HIDDEN = 8, 2, 4
CODES, DIMENSIONS = 16, 4  # K and D

COMMITMENT_COST = 0.25
