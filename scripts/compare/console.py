"""Messages on standard error."""

import sys
from typing import NoReturn


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fail(status: int, what: str, expected: str, found: str, to_do: str) -> NoReturn:
    note(f"compare: {what}\n  expected: {expected}\n  found:    {found}\n  to do:    {to_do}")
    raise SystemExit(status)
