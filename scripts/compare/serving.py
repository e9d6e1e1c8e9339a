"""The loop of a process that works on request."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO


def take_standard_output() -> TextIO:
    """Standard output for answers alone: what libraries print must not get between them."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def serve(requests: dict[str, Callable[..., dict[str, Any]]], answers: TextIO) -> None:
    """Answers each line of JSON on standard input with one."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = requests[request.pop("do")](**request)
        print(json.dumps(answer), file=answers, flush=True)
