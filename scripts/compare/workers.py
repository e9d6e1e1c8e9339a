"""Processes of the other programs, which work on request."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console import fail
from forms import Form, Work
from ours import Timing
from processor import processor_seconds

HERE = Path(__file__).resolve().parent


@dataclass
class Worker:
    """A process of pytorch_peer.py or runtime_peer.py. While it waits for a line on a pipe, it uses no
    processor time.

    OMP_WAIT_POLICY and similar variables are not set: after a parallel region the threads of PyTorch's OpenMP
    spin for only a few milliseconds, and without that (PASSIVE) a step of 32 images took 40 ms instead of 28.
    """

    form: Form
    process: subprocess.Popen[str]
    log: Path

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        try:
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            tail = self.log.read_text().strip()[-1500:]
            fail(1, f"{self.form.title} ended", f"an answer to {do}", tail or "no message",
                 "torch.compile needs a C++ compiler; --peers leaves it out"
                 if self.form.is_compiled else "see the message; --peers leaves it out")  # fmt: skip
        result: dict[str, Any] = json.loads(answer)
        return result

    def measure(self, work: Work) -> Timing:
        return Timing.of(self.measure_steps(work, work.warmup, work.steps))

    def measure_steps(self, work: Work, warmup: int, steps: int) -> list[float]:
        answer = self.ask("measure", work=work.kind, batch=work.batch, warmup=warmup, steps=steps)
        seconds: list[float] = answer["seconds"]
        return seconds


@dataclass(frozen=True)
class Launcher:
    """Starts workers."""

    data: Path
    threads: int
    folder: Path  # for messages

    @contextmanager
    def start(
        self, form: Form, model: Path, environment: dict[str, str] | None = None
    ) -> Iterator[Worker]:
        """- model: a checkpoint for PyTorch, an ONNX graph for the others.
        - environment: by default that of the form."""
        log = self.folder / f"{form.title.replace(' ', '-')}.log"
        common = ["--images", str(self.data / "images.npy"), "--threads", str(self.threads),
                  "--precision", form.precision]  # fmt: skip
        if form.program == "torch":
            peer = ["pytorch_peer.py", "--checkpoint", str(model), "--layout", form.layout]
            peer += ["--compile"] if form.is_compiled else []
        else:
            peer = ["runtime_peer.py", "--graph", str(model), "--program", form.program]
        with open(log, "w") as errors:
            process = subprocess.Popen(
                [sys.executable, str(HERE / peer[0]), *peer[1:], *common],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=os.environ | (form.environment if environment is None else environment),
            )  # fmt: skip
        try:
            yield Worker(form, process, log)
        finally:
            process.kill()
            process.communicate()


LARGEST_IDLE_SHARE = 0.02  # processor time of all waiting processes together, over wall-clock time
SETTLING = 0.1  # seconds: the threads of the last worker spin for a few milliseconds (see Worker)


@contextmanager
def idle(workers: list[Worker], busy: Worker | None) -> Iterator[None]:
    """Ends the program if waiting workers use the processor during a measurement."""
    waiting = [worker for worker in workers if worker is not busy]
    time.sleep(SETTLING)
    used = sum(processor_seconds(x.process.pid) for x in waiting)
    start = time.perf_counter()
    yield
    share = sum(processor_seconds(x.process.pid) for x in waiting) - used
    share /= time.perf_counter() - start
    if share > LARGEST_IDLE_SHARE:
        fail(1, "processes that wait were not idle", f"at most {LARGEST_IDLE_SHARE:.0%} of the time",
             f"{share:.1%}", "unset OMP_WAIT_POLICY, GOMP_SPINCOUNT and KMP_BLOCKTIME")  # fmt: skip
