#!/usr/bin/env python3
"""Compares `vqvae` with PyTorch on this machine: the time of a training step and of encoding.

`make compare` runs it. Both sides train configs/cifar10-zalando.yaml with a codebook loss, on the same
images, with the same number of threads, in float32.

First it checks that both compute the same: from one of our checkpoints, each layout and each compiled form
of PyTorch has to give our losses, our gradients and our next weights; otherwise nothing is timed. Then both
sides take turns. In every round, vqvae runs as a new process; then each form of PyTorch makes its steps in
a process that has been waiting since the start, so that it compiles only once. Every side makes a few
warm-up steps. If a waiting process uses the processor, the comparison fails.

PyTorch gets the best conditions. For its model, see pytorch_peer.py. Its images are floats in memory, in the
layout of its convolutions and in order; vqvae shuffles them and converts them from bytes within the step.
For times (not for memory) its allocator is set to keep memory, which avoids page faults and saves 10 % of a
step.

A median is the median of the rounds' medians; "best" is the best of all steps; a ratio is PyTorch's median
divided by ours, with the lowest and highest ratio of a round. Memory and the first step are measured in
separate processes, in which nothing else is timed.

    python scripts/compare_pytorch.py --vqvae .build/release/vqvae

Needs torch, numpy and safetensors. The table goes to standard output, progress to standard error.

Exit status: 0 success, 1 the two do not compute the same or the measurement failed, 64 wrong arguments,
66 vqvae or the images are missing, 73 the file of --json cannot be written.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "configs" / "cifar10-zalando.yaml"
PEER = ROOT / "scripts" / "pytorch_peer.py"
USUAL_DATA = ROOT / "data" / "cifar10" / "cifar-10-batches-bin"

IMAGES = 2048  # for training: several batches, which are used in turn
CHECKED_IMAGES = 256  # one batch, so that their order does not matter
CHECKED_STEP = 10  # by then Adam's moments are in use
LEARNING_RATE, COMMITMENT_COST = 1e-3, 0.25  # pytorch_peer.py has them too


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fail(status: int, what: str, expected: str, found: str, to_do: str) -> NoReturn:
    note(f"compare: {what}\n  expected: {expected}\n  found:    {found}\n  to do:    {to_do}")
    raise SystemExit(status)


# --- What is compared -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """What is timed: training or encoding, with a batch size."""

    name: str
    kind: str  # train or encode
    batch: int
    warmup: int
    steps: int  # per round

    @property
    def title(self) -> str:
        return {
            "train": f"training step, batch {self.batch}",
            "encode": f"encoding {self.batch} images",
        }[self.kind]


WORKS = [
    Work("train-256", "train", 256, warmup=3, steps=10),
    Work("encode-256", "encode", 256, warmup=3, steps=20),
    Work("train-32", "train", 32, warmup=5, steps=40),
]
MEMORY = "memory"


@dataclass(frozen=True)
class Form:
    """A form of PyTorch: a layout, eager or compiled."""

    layout: str
    is_compiled: bool

    @property
    def title(self) -> str:
        return f"PyTorch {'torch.compile' if self.is_compiled else 'eager'}, {self.layout}"


EAGER = [Form("contiguous", False), Form("channels_last", False)]
COMPILED = [Form("contiguous", True), Form("channels_last", True)]
OURS = "vqvae"


# --- Images ---------------------------------------------------------------------------------------

Bytes = NDArray[np.uint8]


def real_images(folder: Path) -> Bytes:
    """The first images of a CIFAR-10 folder, [N, 3, 32, 32]."""
    file = folder / "data_batch_1.bin"
    if not file.is_file():
        fail(66, f"{file} is not there", "a folder with CIFAR-10's binary batches", "no such file",
             "name the folder in --data, or leave it out for synthetic images")  # fmt: skip
    records = np.fromfile(file, np.uint8, count=IMAGES * 3073)
    if len(records) < IMAGES * 3073:
        fail(66, f"{file} is too short", f"{IMAGES} images of 3073 bytes", f"{len(records)} bytes",
             "scripts/download_cifar10.sh downloads the official files")  # fmt: skip
    return records.reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32)


def synthetic_images() -> Bytes:
    """Blocks of random colours, with noise. If many patches were equal, a ReLU that rounding activates would
    be activated in all of them, and the check would fail."""
    random = np.random.default_rng(1)
    blocks = random.integers(32, 224, (IMAGES, 3, 4, 4), np.uint8)
    noise = random.integers(0, 32, (IMAGES, 3, 32, 32), np.uint8)
    return blocks.repeat(8, axis=2).repeat(8, axis=3) + noise


def write_data(folder: Path, images: Bytes) -> Path:
    """Writes the images as CIFAR-10 files for vqvae, and as images.npy for PyTorch."""
    folder.mkdir()
    labels = np.zeros((len(images), 1), np.uint8)
    records = np.concatenate([labels, images.reshape(len(images), -1)], axis=1)
    for i, part in enumerate(np.array_split(records, 5)):
        part.tofile(folder / f"data_batch_{i + 1}.bin")
    records[:1].tofile(folder / "test_batch.bin")
    np.save(folder / "images.npy", images)
    return folder


# --- Our side -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """In seconds, over the steps of a round."""

    median: float
    best: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Timing":
        return cls(statistics.median(seconds), min(seconds))


@dataclass(frozen=True)
class Bench:
    """The results of `vqvae bench --json`."""

    threads: int
    step: Timing
    encode: Timing
    first_step: float | None
    blas_core: str | None
    sgemm_peak: float | None

    @classmethod
    def parse(cls, text: str) -> "Bench":
        try:
            report = json.loads(text)
            return cls(
                threads=report["threads"],
                step=Timing(**report["secondsPerStep"]),
                encode=Timing(**report["secondsPerEncode"]),
                first_step=report.get("firstStepSeconds"),
                blas_core=report.get("blasCore"),
                sgemm_peak=report.get("sgemmPeak"),
            )
        except (KeyError, TypeError, ValueError) as error:
            fail(1, "vqvae bench is not understood", "a JSON object with threads, secondsPerStep …",
                 f"{type(error).__name__}: {error} in {text[:200]!r}",
                 "build vqvae from the sources of this script")  # fmt: skip


@dataclass(frozen=True)
class Ours:
    """vqvae, with the settings that both sides share."""

    program: Path
    threads: int

    def run(self, command: str, data: Path, *arguments: str) -> str:
        return self.output(self.command(command, data, *arguments))

    def command(self, command: str, data: Path, *arguments: str) -> list[str]:
        settings = [
            "quantizer.kind=vq", f"quantizer.commitment={COMMITMENT_COST}", "data.kind=cifar10",
            f"data.root={data}", "data.validation=0",
            f"training.learning_rate={LEARNING_RATE}",
        ]  # fmt: skip
        sets = [word for setting in settings for word in ("--set", setting)]
        threads = ["--threads", str(self.threads)]
        return [str(self.program), command, "--config", str(CONFIG), *sets, *threads, *arguments]

    def output(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            fail(1, f"{' '.join(command[:2])} failed", "exit status 0",
                 f"{done.returncode}: {done.stderr.strip()[-500:]}",
                 "run it by hand: " + " ".join(command))  # fmt: skip
        return done.stdout

    def bench_command(self, data: Path, work: Work, is_quick: bool = True) -> list[str]:
        arguments = ["--batch", str(work.batch), "--warmup", str(work.warmup)]
        arguments += ["--steps", str(work.steps), "--json", *(["--quick"] if is_quick else [])]
        return self.command("bench", data, *arguments)

    def bench(self, data: Path, work: Work, is_quick: bool = True) -> Bench:
        return Bench.parse(self.output(self.bench_command(data, work, is_quick)))


# --- PyTorch's side -------------------------------------------------------------------------------


def processor_seconds(pid: int) -> float:
    """The processor time of a process and its ended children, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Worker:
    """A process of pytorch_peer.py. While it waits for a line on a pipe, it uses no processor time.

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
                 "torch.compile needs a C++ compiler; --no-compile leaves it out"
                 if self.form.is_compiled else "see the message")  # fmt: skip
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
        self, form: Form, checkpoint: Path, environment: dict[str, str] | None = None
    ) -> Iterator[Worker]:
        log = self.folder / f"{form.title.replace(' ', '-')}.log"
        command = [
            sys.executable, str(PEER), "--checkpoint", str(checkpoint), "--layout", form.layout,
            "--images", str(self.data / "images.npy"), "--threads", str(self.threads),
            *(["--compile"] if form.is_compiled else []),
        ]  # fmt: skip
        with open(log, "w") as errors:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=os.environ | (environment or {}),
            )  # fmt: skip
        try:
            yield Worker(form, process, log)
        finally:
            process.kill()
            process.communicate()


# For the allocator of a worker. Without these, glibc returns large blocks to the system at once, and every
# step faults in the same pages again.
KEEPING_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}


# --- The check ------------------------------------------------------------------------------------

# Both sides add the same float32 numbers in different orders. The relative difference of a sum of n numbers
# is then at most about √n · 6e-8, and a gradient passes through a dozen layers of such sums.
LOSS_TOLERANCE = 1e-5  # relative
# For the weight of the commitment loss, which is too small a part of the total loss to be checked by it.
WEIGHT_TOLERANCE = 2e-3
MOMENT_TOLERANCE = 2e-4  # of the largest element of a tensor
# Relative. Adam normalizes each element of a gradient, so an element that is nearly zero is mostly rounding
# and may move by a whole learning rate in either direction. Therefore steps are compared as a whole, by the
# norm of their difference.
STEP_TOLERANCE = 2e-2
# A vector may choose either of two codewords if its distance to the plane halfway between them is below this
# fraction of its length.
TIE = 1e-5


def commitment_weight(
    whole: float, reconstruction: float, codebook: float, commitment: float
) -> float:
    return (whole - reconstruction - codebook) / commitment


@dataclass(frozen=True)
class Reference:
    """Our step from the checkpoint, on all images of the folder."""

    data: Path
    checkpoint: Path
    before: dict[str, NDArray[np.float32]]
    after: dict[str, NDArray[np.float32]]
    metrics: dict[str, Any]

    @classmethod
    def make(cls, ours: Ours, launcher: Launcher, images: Bytes) -> "Reference":
        data = write_data(launcher.folder / "checked", images[:CHECKED_IMAGES])
        run, checkpoint = launcher.folder / "run", launcher.folder / "start.safetensors"
        last = run / "checkpoints" / "last.safetensors"
        common = ["--set", f"training.batch_size={CHECKED_IMAGES}", "--run", str(run)]
        ours.run("train", data, *common, "--set", f"training.steps={CHECKED_STEP}")
        cls.spread_codebook(last, data, launcher)
        shutil.copyfile(last, checkpoint)
        ours.run("train", data, *common, "--set", f"training.steps={CHECKED_STEP + 1}", "--resume")
        lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
        metrics = [x for x in lines if x["step"] == CHECKED_STEP + 1 and "split" not in x]
        return cls(data, checkpoint, load_file(checkpoint), load_file(last), metrics[0])

    @staticmethod
    def spread_codebook(checkpoint: Path, data: Path, launcher: Launcher) -> None:
        """Sets each codeword to one of the encoder's vectors plus noise with their standard deviation.
        Otherwise only two or three codewords of a new codebook are used, which would test little."""
        file = launcher.folder / "vectors.safetensors"
        with launcher.start(EAGER[0], checkpoint) as worker:
            worker.ask("vectors", images=str(data / "images.npy"), tensors=str(file))
        vectors = load_file(file)["vectors"]
        with safe_open(checkpoint, "numpy") as opened:
            metadata = opened.metadata()
        tensors = load_file(checkpoint)
        codes = len(tensors["quantizer.codebook"])
        random = np.random.default_rng(1)
        chosen = vectors[random.permutation(len(vectors))[:codes]]
        noise = vectors.std(axis=0).mean() * random.standard_normal(chosen.shape, np.float32)
        tensors["quantizer.codebook"] = chosen + noise
        save_file(tensors, checkpoint, metadata)

    def check(self, worker: Worker, folder: Path) -> None:
        """Ends the program unless a step of the worker agrees with ours."""
        file = folder / "checked.safetensors"
        answer = worker.ask(
            "check", images=str(self.data / "images.npy"), tensors=str(file), fraction=TIE
        )
        theirs, ties = load_file(file), answer["nearTies"]
        our_losses = [
            self.metrics[name] for name in ("loss", "nmse", "codebookLoss", "commitmentLoss")
        ]
        losses = [
            abs(their / our - 1)
            for our, their in zip(our_losses, answer["losses"], strict=True)
        ]
        weights = [commitment_weight(*x) for x in (our_losses, answer["losses"])]
        moment, rows = self.largest_difference_of_moments(theirs)
        step = self.largest_difference_of_steps(theirs)
        # One vector in ten thousand changes the entropy by at most about ln(10,000)/10,000.
        perplexity = abs(answer["perplexity"] / self.metrics["perplexity"] - 1)
        findings = [
            ("losses", max(losses), LOSS_TOLERANCE),
            ("the commitment's weight", abs(weights[0] - weights[1]), WEIGHT_TOLERANCE),
            ("moments of gradients", moment, MOMENT_TOLERANCE),
            ("the step of the weights", step, STEP_TOLERANCE),
            ("perplexity", perplexity, LOSS_TOLERANCE + 1e-3 * ties),
            ("codewords used", abs(answer["codesUsed"] - self.metrics["codesUsed"]), ties),
            # A vector that chooses another codeword changes the gradients of two rows.
            ("codewords with another gradient", rows, 2 * ties),
        ]
        for what, found, allowed in findings:
            if not found <= allowed:
                fail(1, f"{worker.form.title} does not compute what vqvae does",
                     f"{what}: a difference of at most {allowed:g}", f"{found:g}",
                     "this is a fault in one of the two programs; nothing was timed")  # fmt: skip
        note(
            f"  {worker.form.title}: losses differ by {max(losses):.0e}, gradients' moments by "
            f"{moment:.0e}, the step by {step:.0e}; {answer['codesUsed']} codewords used, "
            f"{ties} of {CHECKED_IMAGES * 64} vectors near a tie, {rows // 2} chose otherwise"
        )

    def largest_difference_of_moments(self, theirs: dict[str, Any]) -> tuple[float, int]:
        """The largest difference, relative to the largest element of a tensor, without codeword rows beyond
        the tolerance; and the number of such rows."""
        largest, rows = 0.0, 0
        for name, our in self.after.items():
            if not name.startswith("optimizer."):
                continue
            size = np.abs(our).max()
            difference = np.abs(theirs[name] - our) / size
            if name.endswith("quantizer.codebook"):
                of_row = difference.max(axis=1)
                rows = max(rows, int((of_row > MOMENT_TOLERANCE).sum()))
                difference = of_row[of_row <= MOMENT_TOLERANCE]
            largest = max(largest, float(difference.max(initial=0)))
        return largest, rows

    def largest_difference_of_steps(self, theirs: dict[str, Any]) -> float:
        """Over the tensors of the model, relative to the norm of the step of each."""
        names = [name for name in self.after if not name.startswith("optimizer.")]
        return max(
            float(
                np.linalg.norm(theirs[name] - self.after[name])
                / np.linalg.norm(self.after[name] - self.before[name])
            )
            for name in names
        )


# --- Memory and the first step --------------------------------------------------------------------


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
    launcher: Launcher, form: Form, checkpoint: Path, environment: dict[str, str] | None = None
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


# --- Rounds ---------------------------------------------------------------------------------------


@dataclass
class Results:
    """Timings of each round, by the name of the work and the title of the program."""

    rounds: dict[str, dict[str, list[Timing]]] = field(default_factory=dict)

    def add(self, work: Work, title: str, timing: Timing) -> None:
        self.rounds.setdefault(work.name, {}).setdefault(title, []).append(timing)
        note(f"  {work.title}: {title} {1e3 * timing.median:.1f} ms")

    def median(self, work: Work, title: str) -> float:
        return statistics.median(x.median for x in self.rounds[work.name][title])

    def best(self, work: Work, title: str) -> float:
        return min(x.best for x in self.rounds[work.name][title])

    def ratios(self, work: Work, title: str) -> tuple[float, float, float]:
        """The ratio of the medians to ours, and the lowest and highest ratio of a round."""
        ours, theirs = self.rounds[work.name][OURS], self.rounds[work.name][title]
        of_rounds = [b.median / a.median for a, b in zip(ours, theirs, strict=True)]
        ratio = self.median(work, title) / self.median(work, OURS)
        return ratio, min(of_rounds), max(of_rounds)


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


def run_round(
    ours: Ours, data: Path, workers: list[Worker], works: list[Work], results: Results
) -> None:
    """Measures vqvae and then each worker, for each work. In the first round, workers compile during the
    warm-up steps, which are not timed."""
    for batch in sorted({work.batch for work in works}, reverse=True):
        of_batch = [work for work in works if work.batch == batch]
        # One run of ours measures training and encoding.
        leading = next((work for work in of_batch if work.kind == "train"), of_batch[0])
        with idle(workers, busy=None):
            bench = ours.bench(data, leading)
        if bench.threads != ours.threads:
            fail(1, "vqvae bench used another number of threads", str(ours.threads),
                 str(bench.threads), "build vqvae from the sources of this script")  # fmt: skip
        for work in of_batch:
            results.add(work, OURS, bench.step if work.kind == "train" else bench.encode)
            for worker in workers:
                with idle(workers, busy=worker):
                    timing = worker.measure(work)
                results.add(work, worker.form.title, timing)


# --- The table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    processor: str
    threads: int
    core_type: str
    versions: str
    images: str
    peak: str

    @property
    def lines(self) -> list[str]:
        return [
            f"- processor: {self.processor}, {self.threads} threads on each side",
            f"- versions: {self.versions}",
            f"- OPENBLAS_CORETYPE: {self.core_type}",
            f"- images: {self.images}",
            f"- peak of OpenBLAS' products: {self.peak}",
        ]


def processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def table(
    machine: Machine, works: list[Work], results: Results, footprints: dict[str, Footprint]
) -> str:
    lines = [*machine.lines, ""]
    if works:
        lines += ["| what | program | median | best | PyTorch / ours | in a round |"]
        lines += ["|---|---|--:|--:|--:|--:|"]
    for work in works:
        for title in results.rounds[work.name]:
            median, best = results.median(work, title), results.best(work, title)
            ratio, lowest, highest = results.ratios(work, title)
            ratios = ["", ""] if title == OURS else [f"{ratio:.2f}", f"{lowest:.2f} … {highest:.2f}"]
            cells = [work.title, title, f"{1e3 * median:.1f} ms", f"{1e3 * best:.1f} ms", *ratios]
            lines.append(f"| {' | '.join(cells)} |")
    if footprints:
        lines += ["", "| program, batch 256 | from start to first step | allocated | resident |"]
        lines += ["|---|--:|--:|--:|"]
    for title, x in footprints.items():
        first = "–" if x.first_step is None else f"{x.first_step:.2f} s"
        lines.append(f"| {title} | {first} | {x.anonymous / 1e6:.0f} MB | {x.resident / 1e6:.0f} MB |")
    return "\n".join(lines)


def as_json(
    machine: Machine, works: list[Work], results: Results, footprints: dict[str, Footprint]
) -> str:
    document = {
        "machine": vars(machine),
        "works": [
            {
                "name": work.name,
                "batch": work.batch,
                "programs": [
                    {
                        "name": title,
                        "median": results.median(work, title),
                        "best": results.best(work, title),
                        "ratio": dict(
                            zip(("ofMedians", "lowest", "highest"), results.ratios(work, title))
                        ),
                        "rounds": [vars(timing) for timing in rounds],
                    }
                    for title, rounds in results.rounds[work.name].items()
                ],
            }
            for work in works
        ],
        "footprints": {title: vars(x) for title, x in footprints.items()},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# --- Main -----------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        note(f"compare: {message}")
        raise SystemExit(64)


def arguments() -> argparse.Namespace:
    parser = Parser(description="Compares vqvae with PyTorch on this machine.")
    parser.add_argument("--vqvae", type=Path, default=ROOT / ".build" / "release" / "vqvae",
                        help="the program (default: %(default)s)")  # fmt: skip
    parser.add_argument("--data", type=Path,
                        help=f"a folder of CIFAR-10 batches (default: {USUAL_DATA} if it is there, "
                        "else synthetic images)")  # fmt: skip
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="on each side (default: the processors allowed, %(default)s)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="WHAT", default=None,
                        choices=[*(work.name for work in WORKS), MEMORY],
                        help="of " + ", ".join([*(work.name for work in WORKS), MEMORY])
                        + " (default: all)")  # fmt: skip
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 1:
        parser.error("--threads and --rounds take a number of at least 1")
    return options


def footprints_of(
    ours: Ours, launcher: Launcher, forms: list[Form], checkpoint: Path
) -> dict[str, Footprint]:
    result = {}
    note("memory and the first step, batch 256, in processes of their own")
    result[OURS] = our_footprint(ours, launcher.data)
    for form in forms:
        if not form.is_compiled:
            result[form.title] = their_footprint(launcher, form, checkpoint)
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


def main() -> None:
    options = arguments()
    if not os.access(options.vqvae, os.X_OK):
        fail(66, f"{options.vqvae} is not there", "the program, built", "no such program",
             "make build, or name it in --vqvae")  # fmt: skip
    if options.json is not None and not options.json.resolve().parent.is_dir():
        fail(73, f"cannot create {options.json}", "a folder to write in", "no such folder",
             "make it, or choose another file")  # fmt: skip
    works = [work for work in WORKS if options.only is None or work.name in options.only]
    has_memory = options.only is None or MEMORY in options.only

    data_folder = options.data or (USUAL_DATA if USUAL_DATA.is_dir() else None)
    images = real_images(data_folder) if data_folder else synthetic_images()
    ours = Ours(options.vqvae.resolve(), options.threads)
    results = Results()
    with tempfile.TemporaryDirectory(prefix="vqvae-compare-") as name, ExitStack() as stack:
        folder = Path(name)
        data = write_data(folder / "data", images)
        note(f"our step {CHECKED_STEP + 1} of {CHECKED_IMAGES} images, for checking")
        launcher = Launcher(data, ours.threads, folder)
        reference = Reference.make(ours, launcher, images)
        forms = EAGER + ([] if options.no_compile else COMPILED)
        workers = [
            stack.enter_context(launcher.start(form, reference.checkpoint, KEEPING_MEMORY))
            for form in forms
        ]
        note("does PyTorch compute the same? (compiling takes most of a minute)")
        for worker in workers:
            reference.check(worker, folder)
        torch = workers[0].ask("version")

        note("our program: verifying the kernels and measuring the peak of matrix products")
        full = ours.bench(data, WORKS[0], is_quick=False)
        for i in range(options.rounds if works else 0):
            note(f"round {i + 1} of {options.rounds}")
            run_round(ours, data, workers, works, results)
        footprints = {}
        if has_memory:
            footprints = footprints_of(ours, launcher, forms, reference.checkpoint)

    machine = Machine(
        processor=processor_name(), threads=ours.threads,
        core_type=os.environ.get("OPENBLAS_CORETYPE", "not set")
        + (f"; OpenBLAS uses {full.blas_core}" if full.blas_core else ""),
        versions=f"{ours.output([str(ours.program), '--version']).splitlines()[0]}, "
        f"{torch['torch']} (PyTorch), {platform.python_version()} (Python), "
        f"{platform.system()} {platform.release()}",
        images=f"{IMAGES} of {data_folder}" if data_folder else f"{IMAGES} synthetic ones",
        peak="not measured" if full.sgemm_peak is None
        else f"{full.sgemm_peak:.0f} GFLOP/s on these threads with these kernels",
    )  # fmt: skip
    if options.json is not None:
        try:
            options.json.write_text(as_json(machine, works, results, footprints))
        except OSError as error:
            fail(73, f"cannot write {options.json}", "a file", str(error), "choose another file")
    print(table(machine, works, results, footprints))


if __name__ == "__main__":
    main()
