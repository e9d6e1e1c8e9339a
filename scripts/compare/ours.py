"""Our side: runs of vqvae."""

import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from console import fail
from forms import KERNELS, OURS, Work
from settings import COMMITMENT_COST, CONFIG, LEARNING_RATE


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
    kernels: str | None  # such as avx512

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
                kernels=report.get("kernelSet"),
            )
        except (KeyError, TypeError, ValueError) as error:
            fail(1, "vqvae bench is not understood", "a JSON object with threads, secondsPerStep …",
                 f"{type(error).__name__}: {error} in {text[:200]!r}",
                 "build vqvae from the sources of this script")  # fmt: skip


@dataclass(frozen=True)
class Ours:
    """vqvae, with the settings that all sides share."""

    program: Path
    threads: int
    title: str = OURS
    environment: dict[str, str] = field(default_factory=dict)

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
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | self.environment
        )
        if done.returncode != 0:
            fail(1, f"{' '.join(command[:2])} failed", "exit status 0",
                 f"{done.returncode}: {done.stderr.strip()[-500:]}",
                 "run it by hand: " + " ".join(command))  # fmt: skip
        return done.stdout

    def chooses_kernels(self, data: Path, work: Work) -> bool:
        """Whether the program obeys VQVAE_KERNELS: then it refuses the name of none."""
        command = self.command("bench", data, "--quick", "--steps", "1", "--warmup", "0", "--json",
                               "--batch", str(work.batch))  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, env=os.environ | {KERNELS: "no-such-kernels"}
        )
        return done.returncode != 0

    def bench_command(self, data: Path, work: Work, is_quick: bool = True) -> list[str]:
        arguments = ["--batch", str(work.batch), "--warmup", str(work.warmup)]
        arguments += ["--steps", str(work.steps), "--json", *(["--quick"] if is_quick else [])]
        return self.command("bench", data, *arguments)

    def bench(self, data: Path, work: Work, is_quick: bool = True) -> Bench:
        return Bench.parse(self.output(self.bench_command(data, work, is_quick)))
