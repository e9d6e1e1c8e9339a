"""Cases, and a campaign that runs them in parallel and reports the results."""

from __future__ import annotations

import multiprocessing
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

from program import Outcome, Program

# The files of a folder: contents by relative path.
Files = Mapping[str, bytes]

# After this number of hangs in a group of cases, its other cases are skipped, because each could take its
# whole time limit.
HANGS = 3


@dataclass(frozen=True)
class Failure:
    """A broken promise: its kind and a description."""

    kind: str
    text: str


@dataclass
class Place:
    """The folder in which a worker runs its cases, created anew for each case, and the program."""

    folder: Path
    program: Program
    random: random.Random = field(default_factory=random.Random)
    # The number of processes started, and other counts for the report.
    counts: Counter[str] = field(default_factory=Counter)

    def prepare(self, files: Files) -> None:
        """Creates the case's folder with these files only, and makes it the current folder."""
        case = self.folder / "case"
        os.chdir(self.folder)
        if case.exists():
            shutil.rmtree(case)
        case.mkdir()
        os.chdir(case)
        write_files(files)

    def run(self, *arguments: str, **options) -> Outcome:
        self.counts["processes"] += 1
        return self.program.run(arguments, **options)


def write_files(files: Files) -> None:
    """Writes files into the current folder."""
    made = set()
    for name, content in files.items():
        folder = os.path.dirname(name)
        if folder and folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with open(name, "wb") as file:
            file.write(content)


def read_files(folder: str = ".") -> dict[str, bytes]:
    """All files below a folder inside the current folder."""
    result = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                result[os.path.relpath(path)] = file.read()
    return result


@dataclass(frozen=True)
class Case:
    """One experiment. `check` runs it and yields the failures."""

    id: str
    promise: str
    check: Callable[[Place], Iterator[Failure]]

    @property
    def suite(self) -> str:
        return self.id.split("/")[0]

    @property
    def group(self) -> str:
        """The group of the case: if one case of a group hangs, others probably do too."""
        words = self.id.split("/")
        return "/".join([*words[:2], words[-1] if self.suite in ("injection", "kills") else words[2]])


@dataclass
class Result:
    case: int
    failures: list[Failure]
    skipped: bool
    counts: Counter[str]


class Campaign:
    """Runs cases in several processes, and prints progress, failures and a table."""

    def __init__(self, place: Place, cases: Sequence[Case], seed: int, workers: int, command: str):
        self.place, self.cases, self.seed, self.workers, self.command = place, cases, seed, workers, command
        groups = sorted({case.group for case in cases})
        self.group_index = {group: index for index, group in enumerate(groups)}
        self.hangs = multiprocessing.Array("i", len(groups) or 1)

    def run(self) -> bool:
        """Runs all cases; returns whether no promise was broken."""
        tried, failed, skipped = Counter(), Counter(), Counter()
        counts: Counter[str] = Counter()
        kinds: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        start = shown = time.monotonic()
        done_of_suite: Counter[str] = Counter()
        size_of_suite = Counter(case.suite for case in self.cases)
        failures_so_far = 0
        for result in self._results():
            case = self.cases[result.case]
            counts.update(result.counts)
            done_of_suite[case.suite] += 1
            if result.skipped:
                skipped[case.promise] += 1
                continue
            tried[case.promise] += 1
            if result.failures:
                failed[case.promise] += 1
                failures_so_far += 1
                for failure in result.failures:
                    kinds[case.promise, failure.kind].append((case.id, one_line(failure.text)))
                reasons = "; ".join(f"{failure.kind}: {failure.text}" for failure in result.failures)
                print(f"{self.command} --case {shlex.quote(case.id)}  # {one_line(reasons)}", flush=True)
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                print(
                    f"faults: {shown - start:.0f} s: {case.suite} {done_of_suite[case.suite]} of "
                    f"{size_of_suite[case.suite]}, {failures_so_far} failed", file=sys.stderr, flush=True)
        self._print_table(tried, failed, skipped, kinds)
        passed, broken = sum(tried.values()) - sum(failed.values()), sum(failed.values())
        print(f"\n{counts['processes']} processes, {counts['faults']} injected faults, {counts['kills']} kills, "
              f"{counts['signals']} other signals, {counts['mutants']} mutated files; "
              f"{time.monotonic() - start:.0f} s")
        print(f"{passed} passed, {broken} failed", flush=True)
        return broken == 0

    def _results(self) -> Iterator[Result]:
        if self.workers == 1 or len(self.cases) == 1:
            yield from map(self._run_case, range(len(self.cases)))
            return
        context = multiprocessing.get_context("fork")
        with context.Pool(self.workers, initializer=self._begin_worker) as pool:
            yield from pool.imap_unordered(_run_in_worker, range(len(self.cases)), chunksize=2)

    def _begin_worker(self) -> None:
        global _campaign
        _campaign = self
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        folder = Path(tempfile.mkdtemp(prefix="worker-", dir=self.place.folder))
        folder.chmod(0o1777)
        self.place.folder = folder
        self.place.program.signs = folder

    def _run_case(self, index: int) -> Result:
        case, place = self.cases[index], self.place
        place.counts = Counter()
        place.random = random.Random(f"{self.seed}/{case.id}")
        group = self.group_index[case.group]
        if self.hangs[group] >= HANGS:
            return Result(index, [], True, Counter())
        failures = []
        try:
            failures += case.check(place)
        except Exception as error:  # Files that a check cannot read are a failure of the program too.
            where = error.__traceback__.tb_next
            failures.append(Failure("files that cannot be judged", f"{error!r}, line {where and where.tb_lineno}"))
        if any(failure.kind == "hang" for failure in failures):
            with self.hangs.get_lock():
                self.hangs[group] += 1
        return Result(index, failures, False, place.counts)

    def _print_table(self, tried: Counter, failed: Counter, skipped: Counter, kinds: dict) -> None:
        promises = list(dict.fromkeys(case.promise for case in self.cases))
        print("\n| promise | tried | failed |\n|---|---|---|")
        for promise in promises:
            note = f" (and {skipped[promise]} left out after {HANGS} hangs)" if skipped[promise] else ""
            print(f"| {promise} | {tried[promise]}{note} | {failed[promise]} |")
        if kinds:
            print("\n| promise | failure | cases | the first | what it did |\n|---|---|---|---|---|")
        for promise in promises:
            for (of, kind), found in kinds.items():
                if of == promise:
                    first, text = found[0]
                    print(f"| {promise} | {kind} | {len({case for case, _ in found})} | {first} | {text} |")


# A worker is a fork and already has the campaign, so only case numbers and results are exchanged.
_campaign: Campaign


def _run_in_worker(index: int) -> Result:
    return _campaign._run_case(index)


def one_line(text: str, limit: int = 400) -> str:
    """Text on one line, for a comment after a shell command."""
    return "".join(c if c.isprintable() else " " for c in text)[:limit]
