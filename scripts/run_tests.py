#!/usr/bin/env python3
"""Runs the tests that have been built, and reports the time of each suite.

    python3 scripts/run_tests.py .build/release [--all]

Swift Testing runs all suites at the same time, so each suite appears to take as long as all of them. Here
each test target runs in its own process, with one process per processor, and within a process the suites
run one after another. Without --all, the slow tests in SLOW (determinism, command line, faults) are skipped.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "Tests"
SLOW = [
    "vqvaeTests", "TrainingTests.DeterminismTests", "TrainingTests.NeighbourTests",
    "FilesTests.FullDiskTests", "FilesTests.SafetensorsDamageTests",
]  # fmt: skip
SUITE = re.compile(r'. Suite (?P<name>.+) (?P<verb>passed|failed) after (?P<seconds>[\d.]+) seconds')
SKIPPED = re.compile(r' Test "(?P<name>[^\n]+)" skipped(?:\.|: )')
RUN = re.compile(r". Test run with (?P<tests>\d+) tests?")
FEWEST_SECONDS = 0.2  # suites faster than this are not listed by name


@dataclass
class Result:
    target: str
    output: str
    passed: bool
    seconds: float
    processor_seconds: float

    @property
    def tests(self) -> int:
        return sum(int(match["tests"]) for match in RUN.finditer(self.output))

    @property
    def skipped(self) -> list[str]:
        return [match["name"] for match in SKIPPED.finditer(self.output)]

    @property
    def suites(self) -> list[tuple[float, str]]:
        found = [(float(m["seconds"]), m["name"].strip('"')) for m in SUITE.finditer(self.output)]
        return sorted(found, reverse=True)


def run(binary: Path, target: str, skipped: list[str]) -> Result:
    command = [str(binary), "--testing-library", "swift-testing", "--no-parallel"]
    command += ["--filter", rf"^{target}\."]
    for name in skipped:
        command += ["--skip", rf"^{re.escape(name)}(/|\.|$)"]
    start = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    result = Result(
        target, output, process.returncode == 0, time.monotonic() - start,
        usage.ru_utime + usage.ru_stime,
    )  # fmt: skip
    # A filter that matches nothing succeeds, so a renamed target would go unnoticed.
    result.passed = result.passed and result.tests > 0
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the tests, and says what each suite took.")
    parser.add_argument("products", type=Path, help="the folder of vqvaePackageTests.xctest")
    parser.add_argument("--all", action="store_true", help="the slowest suites too")
    options = parser.parse_args()
    binary = options.products / "vqvaePackageTests.xctest"
    skipped = [] if options.all else list(SLOW)
    if os.environ.get("VQVAE_KERNELS") == "generic":
        # Minutes without fast multiply-adds; whole runs are compared in vqvaeTests.KernelTests.
        skipped.append("TrainingTests")
    targets = [path.name for path in TESTS.iterdir() if path.name.endswith("Tests")]
    targets = [name for name in targets if name not in skipped]
    # The longest first, so that the processors finish at about the same time.
    targets.sort(key=lambda name: -sum(f.stat().st_size for f in (TESTS / name).rglob("*.swift")))

    start = time.monotonic()
    said = threading.Lock()

    def report(target: str) -> Result:
        result = run(binary, target, skipped)
        with said:
            if not result.passed:
                print(result.output)
            word = "passed" if result.passed else "FAILED"
            print(f"{target}: {word}, {result.tests} tests", flush=True)
        return result

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(report, targets))

    print(f"\n{'seconds':>8} {'processor':>10}  target or suite")
    for result in sorted(results, key=lambda result: -result.seconds):
        print(f"{result.seconds:8.1f} {result.processor_seconds:10.1f}  {result.target}")
        for seconds, name in result.suites:
            if seconds >= FEWEST_SECONDS:
                print(f"{seconds:8.1f} {'':10}    {name}")
    names = [name for result in results for name in result.skipped]
    failed = [result.target for result in results if not result.passed]
    print(
        f"{time.monotonic() - start:8.1f} {sum(r.processor_seconds for r in results):10.1f}  "
        f"all: {sum(result.tests for result in results)} tests, {len(names)} skipped, "
        f"{len(skipped)} targets or suites left out"
    )
    for name in names:
        print(f"skipped: {name}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
