"""Memory and the first step, in processes in which nothing else is timed."""

import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from console import fail, note
from forms import COMPILED, EAGER, OURS, Form, Work
from ours import Bench, Ours
from workers import Launcher


@dataclass(frozen=True)
class Footprint:
    """Measured in a separate process."""

    first_step: float | None  # seconds from the start of the process
    resident: int  # bytes, at the peak: VmHWM
    anonymous: int  # bytes, the largest RssAnon seen


class MemoryWatch:
    """Reads the memory of a process every few milliseconds until it ends. Not used while steps are timed."""

    def __init__(self, pid: int) -> None:
        self.resident = self.anonymous = 0
        self._file = Path(f"/proc/{pid}/status")
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_done.wait(0.003):
            try:
                lines = self._file.read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                return
            fields = dict(line.split(":", 1) for line in lines)
            if "RssAnon" not in fields:  # a zombie: it has ended, but has not been waited for
                return
            self.resident = max(self.resident, 1024 * int(fields["VmHWM"].split()[0]))
            self.anonymous = max(self.anonymous, 1024 * int(fields["RssAnon"].split()[0]))


STEPS_OF_FOOTPRINT = 8


def our_footprint(ours: Ours, data: Path) -> Footprint:
    work = Work("", "train", 256, warmup=0, steps=STEPS_OF_FOOTPRINT)
    with subprocess.Popen(
        ours.bench_command(data, work), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process, MemoryWatch(process.pid) as watch:  # fmt: skip
        text, errors = process.communicate()
    if process.returncode != 0:
        fail(1, "vqvae bench failed", "exit status 0", errors.strip()[-500:], "see the message")
    return Footprint(Bench.parse(text).first_step, watch.resident, watch.anonymous)


def their_footprint(
    launcher: Launcher, form: Form, checkpoint: Path, environment: dict[str, str]
) -> Footprint:
    work = Work("", "train", 256, warmup=0, steps=STEPS_OF_FOOTPRINT)
    start = time.perf_counter()
    with (
        launcher.start(form, checkpoint, environment) as worker,
        MemoryWatch(worker.process.pid) as watch,
    ):
        worker.measure_steps(work, warmup=0, steps=1)
        first_step = time.perf_counter() - start
        worker.measure(work)
        time.sleep(0.01)
    return Footprint(first_step, watch.resident, watch.anonymous)


def footprints_of(
    ours: Ours, launcher: Launcher, forms: list[Form], checkpoint: Path
) -> dict[str, Footprint]:
    """Of our program, and of PyTorch's forms in float32 with all instructions.

    Their allocator has its usual settings."""
    forms = [form for form in forms if form in EAGER + COMPILED]
    result = {}
    note("memory and the first step, batch 256, in processes of their own")
    result[OURS] = our_footprint(ours, launcher.data)
    for form in forms:
        if not form.is_compiled:
            result[form.title] = their_footprint(launcher, form, checkpoint, {})
            continue
        # The cache is empty on the first start of a model, and filled on later starts.
        cache = {"TORCHINDUCTOR_CACHE_DIR": str(launcher.folder / f"cache-{form.layout}")}
        for state in ("first start", "later start"):
            title = f"{form.title}, {state}"
            result[title] = their_footprint(launcher, form, checkpoint, cache)
    for title, x in result.items():
        first = "unknown" if x.first_step is None else f"{x.first_step:.2f} s"
        note(f"  {title}: first step {first}, {x.anonymous / 1e6:.0f} MB allocated")
    return result
