"""Tiny runs for experiments, and the properties that a run folder must always have."""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import re
import struct
import time
from array import array
from dataclasses import dataclass, field
from typing import Iterator

from campaign import Failure, Files, Place, read_files
from program import DOCUMENTED, Outcome

CONFIGURATION = b"""\
seed: 3
data: {kind: synthetic, images: 32, side: 8}
model: {hidden: 4, residual_layers: 1, residual_hidden: 4}
quantizer: {kind: vq, codebook_size: 16, dimension: 4}
training: {steps: 4, batch_size: 8, checkpoint_every: 2, validate_every: 2, log_every: 1, threads: 1}
"""

# Real files instead of synthetic images, and a codebook with moving averages.
CIFAR_CONFIGURATION = b"""\
data: {kind: cifar10, root: data}
model: {hidden: 4, residual_layers: 1, residual_hidden: 4}
quantizer: {kind: ema, codebook_size: 16, dimension: 4}
training: {steps: 3, batch_size: 5, checkpoint_every: 1, validate_every: 2, log_every: 1, threads: 1}
"""

TRAIN = ("train", "--config", "c.yaml", "--run", "run")
RESUME = ("train", "--run", "run", "--resume")
LAST, BEST = "run/checkpoints/last.safetensors", "run/checkpoints/best.safetensors"
METRICS, CONFIG = "run/metrics.jsonl", "run/config.yaml"


def cifar_files() -> dict[str, bytes]:
    """A fixed data set of 17 records in six files."""
    source = random.Random(10)

    def record() -> bytes:
        planes = [bytes((source.randrange(256) + x // 9) // 2 & 255 for x in range(1024)) for _ in range(3)]
        return bytes([source.randrange(10)]) + b"".join(planes)

    names = [f"data_batch_{i}.bin" for i in range(1, 6)]
    files = {f"data/{name}": record() + record() + record() for name in names}
    files["data/test_batch.bin"] = record() + record()
    return files


@dataclass(frozen=True)
class Scenario:
    """A command, the files it starts with, and its results in an undisturbed run."""

    name: str
    files: Files
    arguments: tuple[str, ...]
    # The command that continues the run after a stop.
    resume: tuple[str, ...] = RESUME
    # Results of an undisturbed run.
    expected: Files = field(default_factory=dict)
    out: bytes = b""

    @property
    def trains(self) -> bool:
        return self.arguments[0] == "train"

    @property
    def expected_metrics(self) -> list[dict]:
        return steady(self.expected[METRICS])


class World:
    """The scenarios of a campaign. Each is run once undisturbed."""

    def __init__(self, place: Place):
        self.place = place
        self.scenarios: dict[str, Scenario] = {}
        # Digests of checkpoints that can be loaded, according to `eval`.
        self.loadable: dict[bytes, bool] = {}
        self.longer_seconds = 0.0
        cifar = cifar_files()
        train = self.add("train", {"c.yaml": CONFIGURATION}, TRAIN)
        self.add("resume", self.stopped_midway(), RESUME)
        more = ("--set", "training.steps=6")
        self.add("extend", train.expected, RESUME + more, resume=RESUME + more)
        data = self.add("data", {"c.yaml": CIFAR_CONFIGURATION, **cifar}, TRAIN)
        for name, done in (("", train), ("-data", data)):
            self.add(f"eval{name}", done.expected, ("eval", "run", "--threads", "1"))
            self.add(f"json{name}", done.expected, ("eval", "run", "--json", "--threads", "1"))
            self.add(
                f"reconstruct{name}", done.expected,
                ("reconstruct", "run", "--count", "2", "--scale", "1", "--threads", "1", "--out", "g.png"))

    def add(self, name: str, files: Files, arguments: tuple[str, ...], **options) -> Scenario:
        self.place.prepare(files)
        outcome = self.place.run(*arguments, uses_shim=False)
        if outcome.code != 0:
            raise SystemExit(f"faults: without any fault, {outcome}")
        scenario = Scenario(name, files, arguments, expected=read_files(), out=outcome.out, **options)
        self.scenarios[name] = scenario
        if scenario.trains:
            for path in (LAST, BEST):
                self.loadable[digest(scenario.expected[path])] = True
        return scenario

    def stopped_midway(self) -> Files:
        """The files of a run that was killed right after its first save."""
        self.place.prepare({"c.yaml": CONFIGURATION})
        calls = trace(self.place, TRAIN)
        first = next(call for call in calls if call.name.startswith("rename") and call.path == LAST)
        self.place.prepare({"c.yaml": CONFIGURATION})
        self.place.run(*TRAIN, plan=f"c{first.number}:kill-after")
        files = read_files()
        if step_of(files[LAST]) != 2:
            raise SystemExit("faults: the run could not be stopped after its second step")
        return files

    def longer(self, configuration: bytes) -> Scenario:
        """A run of many steps, for signals at random moments."""
        start = time.monotonic()
        scenario = self.add("longer", {"c.yaml": configuration}, TRAIN)
        self.longer_seconds = time.monotonic() - start
        del self.scenarios["longer"]
        return scenario

    def loads(self, place: Place, path: str) -> bool:
        """Whether `eval` can load a checkpoint. Files with equal contents are tried only once."""
        with open(path, "rb") as file:
            key = digest(file.read())
        if key not in self.loadable:
            self.loadable[key] = place.run("eval", path, "--threads", "1", uses_shim=False).code == 0
        return self.loadable[key]


@dataclass(frozen=True)
class Call:
    """A library call of a command."""

    number: int
    name: str
    path: str
    size: int

    @property
    def role(self) -> str:
        """The role of the file: its path without the folder and without the process ID."""
        return re.sub(r"[0-9]{2,}(-[0-9]+)?", "N", os.path.basename(self.path)).strip(".") or "folder"


def trace(
    place: Place, arguments: tuple[str, ...], kind: str = "c", **options
) -> list[Call]:
    """The library calls of a command, in order."""
    file = place.folder / "trace"
    place.run(*arguments, trace=file, **options)
    rows = [line.split("\t") for line in file.read_text(errors="replace").splitlines()]
    return [Call(int(row[1]), row[2], row[3], int(row[4])) for row in rows if row[0] == kind]


# MARK: Reading what the program writes


def digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def header_of(content: bytes) -> dict:
    """The header of a safetensors file."""
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size])


def step_of(content: bytes) -> int:
    """The step at which a checkpoint was saved."""
    return int(header_of(content)["__metadata__"]["vqvae.step"])


def is_finite(content: bytes) -> bool:
    """Whether all numbers of a checkpoint are finite."""
    (size,) = struct.unpack("<Q", content[:8])
    return all(map(math.isfinite, array("f", content[8 + size :])))


def steady(metrics: bytes) -> list[dict]:
    """The lines of metrics.jsonl without what varies between runs. ValueError if a line is not JSON."""
    lines = [json.loads(line) for line in metrics.decode().splitlines()]
    for line in lines:
        line.pop("imagesPerSecond", None)
    return lines


def logged_until(metrics: bytes, step: int) -> list[bytes]:
    """The lines of the training steps up to a step, unchanged."""
    return [
        line for line in metrics.splitlines()
        if b'"split"' not in line and b'"step":' in line
        and int(re.search(rb'"step":(\d+)', line)[1]) <= step]


def read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


# MARK: Promises


def ends_well(outcome: Outcome) -> Iterator[Failure]:
    """The exit code is documented, and there is exactly one message if it is an error."""
    if outcome.hung:
        yield Failure("hang", str(outcome))
        return
    if outcome.signal is not None:
        yield Failure("killed by a signal", str(outcome))
        return
    if outcome.code not in DOCUMENTED:
        yield Failure("exit code that is not documented", str(outcome))
    elif outcome.code in (0, 75, 129, 130, 143):
        pass
    else:
        messages = len(re.findall(r"^(?:vqvae: )?[Ee]rror: ", outcome.text, re.MULTILINE))
        # Errors with a place in a configuration are reported all at once.
        placed = len(re.findall(r"^(?!vqvae: )\S.*?: error: ", outcome.text, re.MULTILINE))
        if messages != 1 and not (messages == 0 and placed):
            yield Failure("no single error message", f"{messages} messages; {outcome}")
    if "Fatal error" in outcome.text or "Stack dump" in outcome.text or "Backtrace" in outcome.text:
        yield Failure("backtrace", str(outcome))


def leaves_no_temporary_file() -> Iterator[Failure]:
    """There are no temporary files in the current folder."""
    for parent, _, names in os.walk("."):
        for name in names:
            if name.startswith(".") and name.endswith(".partial"):
                yield Failure("temporary file left behind", os.path.join(parent, name))


def keeps_checkpoints(world: World, place: Place, before: Files) -> Iterator[Failure]:
    """Every checkpoint can be loaded, none is older than before, and none is missing."""
    for path in (LAST, BEST):
        content, old = read(path), before.get(path)
        if content is None:
            if old is not None:
                yield Failure("a checkpoint has gone", path)
            continue
        if not world.loads(place, path):
            yield Failure("a checkpoint that cannot be loaded", path)
        elif old is not None and step_of(content) < step_of(old):
            yield Failure("started over", f"{path} is of step {step_of(content)}, and was of {step_of(old)}")


def keeps_log(before: Files) -> Iterator[Failure]:
    """The lines of steps up to the last checkpoint are unchanged, including their speeds."""
    if LAST not in before:
        return
    step = step_of(before[LAST])
    old = logged_until(before[METRICS], step)
    if logged_until(read(METRICS) or b"", step) != old:
        yield Failure("started over", f"metrics.jsonl lost or rewrote lines of the first {step} steps")


def is_undisturbed(scenario: Scenario) -> Iterator[Failure]:
    """The current folder has the files of an undisturbed run."""
    for path in (LAST, BEST):
        content = read(path)
        if content != scenario.expected[path]:
            what = "missing" if content is None else "of other bytes than without the disturbance"
            yield Failure("other bytes in the end", f"{path} is {what}")
    try:
        if steady(read(METRICS) or b"") != scenario.expected_metrics:
            yield Failure("other metrics in the end", "metrics.jsonl is not that of an undisturbed run")
    except ValueError as error:
        yield Failure("other metrics in the end", f"metrics.jsonl: {error}")


def can_go_on(world: World, place: Place, scenario: Scenario) -> Iterator[Failure]:
    """A user who follows the messages can finish the run, with the same bytes as an undisturbed run.

    The user resumes the run, or starts it if the message says that there is none.
    """
    has_checkpoint = os.path.exists(LAST) or os.path.exists(BEST)
    evaluated = place.run("eval", "run", "--threads", "1", uses_shim=False)
    if (evaluated.code == 0) != has_checkpoint or evaluated.code not in (0, 66):
        yield Failure("commands disagree", str(evaluated))
    # In some cases, also another reading command, which should end with the same exit code.
    if place.random.random() < 0.1:
        drawn = place.run("reconstruct", "run", "--count", "1", "--threads", "1", "--out", "way.png", uses_shim=False)
        if drawn.code != evaluated.code:
            yield Failure("commands disagree", f"{evaluated}; {drawn}")
    resumed = place.run(*scenario.resume, uses_shim=False)
    if resumed.code == 66 and not has_checkpoint:
        restart = TRAIN + scenario.resume[len(RESUME) :]
        started = place.run(*restart, uses_shim=False)
        if started.code != 0:
            yield Failure("dead end", f"{resumed}; and then {started}")
            return
    elif resumed.code != 0:
        yield Failure("dead end", str(resumed))
        return
    yield from is_undisturbed(scenario)
    yield from leaves_no_temporary_file()
