"""The table of differences."""

from dataclasses import dataclass, field

from torch import Tensor

TOLERANCE = 1e-5
"""Of the largest element. Both compute in single precision, whose roundings make a few 1e-7."""


@dataclass
class Row:
    case: str
    quantity: str
    difference: float | None
    verdict: str
    failed: bool = False


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)

    def compare(
        self, case: str, quantity: str, ours: Tensor, theirs: Tensor, named: str = ""
    ) -> None:
        """``named``: what differs, who is right, and why; empty if nothing is to differ.

        A difference without a name is a failure, and so is a name without a difference.
        """
        ours, theirs = ours.detach().double(), theirs.detach().double()
        theirs = theirs.reshape(ours.shape) if ours.dim() == 0 else theirs
        assert ours.shape == theirs.shape, f"{case}, {quantity}: {ours.shape}, {theirs.shape}"
        size = max(ours.abs().max().item(), theirs.abs().max().item(), 1e-30)
        difference = (ours - theirs).abs().max().item() / size
        agrees = difference <= TOLERANCE
        verdict = "agrees" if agrees else named or "DIFFERS, for no known reason"
        if agrees and named:
            verdict = f"AGREES, though it was to differ: {named}"
        self.rows.append(Row(case, quantity, difference, verdict, agrees == bool(named)))

    def note(self, case: str, quantity: str, verdict: str) -> None:
        self.rows.append(Row(case, quantity, None, verdict))

    def print(self) -> None:
        print("| case | quantity | difference | verdict |\n|---|---|---|---|")
        for row in self.rows:
            difference = "–" if row.difference is None else f"{row.difference:.1e}"
            print(f"| {row.case} | {row.quantity} | {difference} | {row.verdict} |")

    def check(self) -> None:
        failed = [row for row in self.rows if row.failed]
        if failed:
            raise SystemExit(f"\n{len(failed)} rows are not as expected")
