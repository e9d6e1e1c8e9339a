"""One file for each architecture. To add one, add a file with a list ``GOLDENS``, and a line here."""

from architectures import hierarchical, resblock, residual, strided

GOLDENS = [*residual.GOLDENS, *strided.GOLDENS, *resblock.GOLDENS, *hierarchical.GOLDENS]
