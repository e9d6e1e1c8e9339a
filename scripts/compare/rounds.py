"""Rounds, in which all programs take turns."""

import statistics
from dataclasses import dataclass, field
from pathlib import Path

from console import fail, note
from forms import KERNELS, Work
from ours import Ours, Timing
from workers import Worker, idle


@dataclass
class Results:
    """Timings of each round, by the name of the work and the title of the program."""

    rounds: dict[str, dict[str, list[Timing]]] = field(default_factory=dict)
    # For each title of another program, the title of ours that it is compared with.
    against: dict[str, str] = field(default_factory=dict)

    def add(self, work: Work, title: str, timing: Timing) -> None:
        self.rounds.setdefault(work.name, {}).setdefault(title, []).append(timing)
        note(f"  {work.title}: {title} {1e3 * timing.median:.1f} ms")

    def median(self, work: Work, title: str) -> float:
        return statistics.median(x.median for x in self.rounds[work.name][title])

    def best(self, work: Work, title: str) -> float:
        return min(x.best for x in self.rounds[work.name][title])

    def ratios(self, work: Work, title: str) -> tuple[float, float, float]:
        """The ratio of the medians to ours, and the lowest and highest ratio of a round."""
        against = self.against[title]
        ours, theirs = self.rounds[work.name][against], self.rounds[work.name][title]
        of_rounds = [b.median / a.median for a, b in zip(ours, theirs, strict=True)]
        ratio = self.median(work, title) / self.median(work, against)
        return ratio, min(of_rounds), max(of_rounds)

    def noise(self, work: Work, title: str) -> float:
        """The highest median of a round minus the lowest, relative to the median of all."""
        medians = [x.median for x in self.rounds[work.name][title]]
        return (max(medians) - min(medians)) / statistics.median(medians)


def run_round(
    ours: list[Ours], data: Path, workers: list[Worker], works: list[Work], results: Results
) -> None:
    """Measures vqvae and then each worker, for each work. In the first round, workers compile during the
    warm-up steps, which are not timed."""
    results.against |= {worker.form.title: worker.form.against for worker in workers}
    for batch in sorted({work.batch for work in works}, reverse=True):
        of_batch = [work for work in works if work.batch == batch]
        # One run of ours measures training and encoding.
        leading = next((work for work in of_batch if work.kind == "train"), of_batch[0])
        for our in ours:
            with idle(workers, busy=None):
                bench = our.bench(data, leading)
            if bench.threads != our.threads:
                fail(1, "vqvae bench used another number of threads", str(our.threads),
                     str(bench.threads), "build vqvae from the sources of this script")  # fmt: skip
            wanted = our.environment.get(KERNELS)
            if wanted not in (None, bench.kernels):
                fail(1, f"{our.title} used other kernels", wanted, str(bench.kernels),
                     "build vqvae from the sources of this script, or leave avx2 out of --peers")  # fmt: skip
            for work in of_batch:
                results.add(work, our.title, bench.step if work.kind == "train" else bench.encode)
        for work in of_batch:
            for worker in workers:
                if work.kind not in worker.form.kinds:
                    continue
                with idle(workers, busy=worker):
                    timing = worker.measure(work)
                results.add(work, worker.form.title, timing)
