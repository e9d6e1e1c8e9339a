"""The report: tables for reading, and JSON."""

import json
from dataclasses import dataclass

from footprints import Footprint
from forms import Work
from rounds import Results


@dataclass(frozen=True)
class Machine:
    processor: str
    threads: int
    kernels: str
    core_type: str
    versions: str
    images: str
    peak: str

    @property
    def lines(self) -> list[str]:
        return [
            f"- processor: {self.processor}, {self.threads} threads on each side",
            f"- versions: {self.versions}",
            f"- kernels of vqvae: {self.kernels}",
            f"- OPENBLAS_CORETYPE: {self.core_type}",
            f"- images: {self.images}",
            f"- peak of OpenBLAS' products: {self.peak}",
        ]


def table(
    machine: Machine, works: list[Work], results: Results, footprints: dict[str, Footprint]
) -> str:
    lines = [*machine.lines, ""]
    if works:
        lines += ["| what | program | median | best | noise | over ours | in a round |"]
        lines += ["|---|---|--:|--:|--:|--:|--:|"]
    for work in works:
        for title in results.rounds[work.name]:
            median, best = results.median(work, title), results.best(work, title)
            ratios = ["", ""]
            if title in results.against:
                ratio, lowest, highest = results.ratios(work, title)
                ratios = [f"{ratio:.2f}", f"{lowest:.2f} … {highest:.2f}"]
            cells = [work.title, title, f"{1e3 * median:.1f} ms", f"{1e3 * best:.1f} ms",
                     f"{results.noise(work, title):.0%}", *ratios]  # fmt: skip
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
                        **ratio_of(work, title, results),
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


def ratio_of(work: Work, title: str, results: Results) -> dict[str, object]:
    """The program that a program is compared with, and the ratio; nothing for our own."""
    if title not in results.against:
        return {}
    ratios = zip(("ofMedians", "lowest", "highest"), results.ratios(work, title), strict=True)
    return {"against": results.against[title], "ratio": dict(ratios)}
