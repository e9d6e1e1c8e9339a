#!/usr/bin/env python3
"""Makes the runs of docs/results.md and docs/reproduced-systems.md, and prints their tables.

    python3 scripts/reproduce.py --data data/cifar10/cifar-10-batches-bin --out runs/reproduced

A run that is finished is not made again, and one that was interrupted goes on. All take about an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Run:
    name: str
    config: str
    steps: int
    settings: tuple[str, ...] = ()
    # A run whose first steps these are: it is continued from there.
    start: str | None = None
    picture: str | None = None
    uses_data: bool = True


def zalando(name: str, steps: int, *settings: str, **options) -> Run:
    return Run(name, "cifar10-zalando", steps, ("quantizer.kind=vq", *settings), **options)


def recommended(name: str, *settings: str) -> Run:
    return Run(name, "cifar10-sonnet", 2000, settings)


RATE, KEEP = "training.learning_rate=1e-3", "quantizer.ema_unused=keep"
FUNCTION, DETACH = "quantizer.straight_through=function", "quantizer.straight_through=detach"
RUNS = [
    Run("sonnet-1", "cifar10-sonnet", 2000, ("seed=1",), picture="cifar10-sonnet-2000"),
    Run("sonnet-2", "cifar10-sonnet", 2000, ("seed=2",)),
    zalando("function-500", 500, FUNCTION),
    zalando("function-1000", 1000, FUNCTION, start="function-500", picture="zalando-function"),
    zalando("detach-500", 500, DETACH),
    zalando("detach-1000", 1000, DETACH, start="detach-500", picture="zalando-detach"),
    zalando("detach-2000", 2000, DETACH, start="detach-1000", picture="zalando-detach-2000"),
    zalando("function-500-seed-2", 500, FUNCTION, "seed=2"),
    zalando("function-500-seed-3", 500, FUNCTION, "seed=3"),
    Run("zalando-ema", "cifar10-zalando", 1000),
    Run("strided", "strided", 2000, picture="strided"),
    Run("hierarchical", "hierarchical", 2000, picture="hierarchical"),
    Run("demo-hierarchical-64", "demo-hierarchical-64", 2500, picture="demo-hierarchical-64", uses_data=False),
    Run("resblock-small", "resblock-small", 500, picture="resblock-small"),
    recommended("rate", RATE),
    recommended("rate-keep", RATE, KEEP),
    recommended("rate-keep-16", RATE, KEEP, "quantizer.dimension=16"),
    recommended("rate-keep-8-normal", RATE, KEEP, "quantizer.dimension=8", "quantizer.init=normal"),
    Run("cifar10", "cifar10", 6000, picture="cifar10-6000"),
    Run("resblock", "resblock", 500, picture="resblock"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vqvae", type=Path, default=ROOT / ".build" / "release" / "vqvae")
    parser.add_argument("--data", type=Path, required=True, help="a folder of CIFAR-10's binary batches")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--only", metavar="NAMES", help="of " + ",".join(run.name for run in RUNS))
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [run.name for run in RUNS]
    unknown = set(names) - {run.name for run in RUNS}
    if unknown:
        parser.error(f"there is no run {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    for run in RUNS:
        if run.name in names:
            make(run, options)
    report(options.out, [run for run in RUNS if (options.out / f"{run.name}.json").exists()])
    return 0


def make(run: Run, options: argparse.Namespace) -> None:
    folder, result = options.out / run.name, options.out / f"{run.name}.json"
    if result.exists():
        return
    print(f"reproduce: {run.name}", file=sys.stderr, flush=True)
    began, minutes = time.monotonic(), 0.0
    source = options.out / run.start if run.start else None
    if source and not folder.exists():
        subprocess.run(["cp", "-r", source, folder], check=True)
        minutes = json.loads((options.out / f"{run.start}.json").read_text())["minutes"]
    settings = [f"training.steps={run.steps}", *run.settings]
    if run.uses_data:
        settings.append(f"data.root={options.data.resolve()}")
    vqvae = str(options.vqvae)
    command = [vqvae, "train", "--config", str(ROOT / "configs" / f"{run.config}.yaml"), "--run", str(folder)]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command + ["--resume"] * folder.exists(), check=True, stderr=subprocess.DEVNULL)
    minutes += (time.monotonic() - began) / 60
    split = ["--split", "test"] if run.uses_data else []
    found = subprocess.run(
        [vqvae, "eval", str(folder), *split, "--json"], check=True, capture_output=True, text=True)
    if run.picture:
        subprocess.run(
            [vqvae, "reconstruct", str(folder), *split, "--count", "16", "--out",
             str(options.out / f"{run.picture}.png")], check=True, stderr=subprocess.DEVNULL)
    result.write_text(json.dumps({"minutes": minutes, "test": json.loads(found.stdout)}, indent=2))


def report(out: Path, runs: list[Run]) -> None:
    """Prints what each run reached on the test split, and its course in training."""
    print("| run | minutes | MSE | NMSE | PSNR | perplexity | codes used |\n|---|--:|--:|--:|--:|--:|--:|")
    for run in runs:
        found = json.loads((out / f"{run.name}.json").read_text())
        test = found["test"]
        books = test.get("codebooks") or [test]
        print(
            f"| {run.name} | {found['minutes']:.1f} | {test['mse']:.5f} | {test['nmse']:.4f} | {test['psnr']:.2f} | "
            + ", ".join(f"{book['perplexity']:.0f}" for book in books) + " | "
            + ", ".join(f"{book['codesUsed']} of {book['codebookSize']}" for book in books) + " |")
    print("\nNMSE / batch perplexity: means over the last 100 batches; in brackets the validation split.\n")
    for run in runs:
        lines = [json.loads(line) for line in open(out / run.name / "metrics.jsonl")]
        training = {line["step"]: line for line in lines if "validation" not in line.get("split", "")}
        validation = {line["step"]: line for line in lines if line.get("split") == "validation"}
        cells = []
        for step in sorted({100, 200, 300, 400, 500, *range(1000, run.steps + 1, 1000), run.steps}):
            steps = [training[s] for s in range(step - 99, step + 1) if s in training]
            if len(steps) < 100:
                continue
            mean = lambda key: sum(line[key] for line in steps) / len(steps)
            key = "perplexity" if "perplexity" in steps[0] else None
            text = f"{step}: {mean('nmse'):.4f}" + (f" / {mean(key):.1f}" if key else "")
            if step in validation:
                text += f" ({validation[step]['nmse']:.4f}, {validation[step].get('codesUsed', '–')} codes)"
            cells.append(text)
        print(f"- {run.name}: " + "; ".join(cells))


if __name__ == "__main__":
    sys.exit(main())
