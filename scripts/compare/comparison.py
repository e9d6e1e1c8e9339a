"""The arguments, and the order of things."""

import argparse
import os
import platform
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from console import fail, note
from footprints import footprints_of
from forms import (
    AVX2, EAGER, ENCODED, OURS_AVX2, OURS_LIMITED, PEERS, WORKS, Form, chosen_forms,
)  # fmt: skip
from images import IMAGES, USUAL_DATA, real_images, synthetic_images, write_data
from ours import Bench, Ours
from processor import processor_name
from reference import CHECKED_IMAGES, CHECKED_STEP, Reference
from report import Machine, as_json, table
from rounds import Results, run_round
from settings import ROOT
from workers import Launcher, Worker

MEMORY = "memory"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        note(f"compare: {message}")
        raise SystemExit(64)


def peers(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(PEERS)}")
    return [name for name in PEERS if name in names]


def arguments() -> argparse.Namespace:
    parser = Parser(
        prog="compare", description="Compares vqvae with other programs on this machine."
    )
    parser.add_argument("--vqvae", type=Path, default=ROOT / ".build" / "release" / "vqvae",
                        help="the program (default: %(default)s)")  # fmt: skip
    parser.add_argument("--peers", type=peers, default=list(PEERS), metavar="NAMES",
                        help=f"of {','.join(PEERS)} (default: all that can run here)")  # fmt: skip
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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if options.threads < 1 or options.rounds < 1:
        parser.error("--threads and --rounds take a number of at least 1")
    return options


def our_programs(
    program: Path, threads: int, forms: list[Form], data: Path
) -> tuple[list[Ours], list[Form]]:
    """Our columns, and the forms that have one to be compared with."""
    ours = Ours(program, threads)
    if not any(form.against == OURS_AVX2 for form in forms):
        return [ours], forms
    if not ours.chooses_kernels(data, WORKS[-1]):
        note("left out: avx2: this vqvae does not obey VQVAE_KERNELS")
        return [ours], [form for form in forms if form.against != OURS_AVX2]
    return [ours, Ours(program, threads, OURS_AVX2, OURS_LIMITED)], forms


def start_workers(
    forms: list[Form], launcher: Launcher, reference: Reference, stack: ExitStack
) -> list[Worker]:
    """Starts a worker for each form, and checks what it computes."""
    graph = launcher.folder / "encoder.onnx"
    has_graphs = any(form.program != "torch" for form in forms)
    # Its codes are what the others are compared with.
    with launcher.start(EAGER[0], reference.checkpoint) as worker:
        if has_graphs:
            worker.ask("export", graph=str(graph), batch=ENCODED)
        reference.check(worker)
    workers = []
    for form in forms:
        model = reference.checkpoint if form.program == "torch" else graph
        workers.append(stack.enter_context(launcher.start(form, model)))
    for worker in workers:
        if worker.form != EAGER[0]:
            reference.check(worker)
    return workers


def machine(
    ours: Ours, bench: Bench, workers: list[Worker], data: Path | None
) -> Machine:
    versions = {"vqvae": ours.output([str(ours.program), "--version"]).splitlines()[0]}
    names = {"torch": "PyTorch", "onnxruntime": "onnxruntime", "openvino": "OpenVINO"}
    for worker in workers:
        about = worker.ask("about")
        versions[names[worker.form.program]] = about["version"]
        # A wrong name in the environment is ignored.
        if worker.form in AVX2 and about["capability"] != "AVX2":
            fail(1, f"{worker.form.title} is not limited", "the capability AVX2",
                 about["capability"], "--peers leaves it out")  # fmt: skip
    versions["Python"] = platform.python_version()
    versions[platform.system()] = platform.release()
    return Machine(
        processor=processor_name(), threads=ours.threads,
        kernels=bench.kernels or "those of the build",
        core_type=os.environ.get("OPENBLAS_CORETYPE", "not set")
        + (f"; OpenBLAS uses {bench.blas_core}" if bench.blas_core else ""),
        versions=", ".join(f"{name} {version}" for name, version in versions.items()),
        images=f"{IMAGES} of {data}" if data else f"{IMAGES} synthetic ones",
        peak="not measured" if bench.sgemm_peak is None
        else f"{bench.sgemm_peak:.0f} GFLOP/s on these threads with these kernels",
    )  # fmt: skip


def stopped(number: int, _: object) -> NoReturn:
    """Ends the comparison through its cleanup, which ends the workers."""
    note(f"compare: stopped by {signal.Signals(number).name}")
    raise SystemExit(128 + number)


def main() -> None:
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped)
    if not os.access(options.vqvae, os.X_OK) or options.vqvae.is_dir():
        fail(66, f"cannot run {options.vqvae}", "the program, built",
             "a folder" if options.vqvae.is_dir() else "no such program",
             "make build, or name it in --vqvae")  # fmt: skip
    if options.json is not None and not options.json.resolve().parent.is_dir():
        fail(73, f"cannot create {options.json}", "a folder to write in", "no such folder",
             "make it, or choose another file")  # fmt: skip
    works = [work for work in WORKS if options.only is None or work.name in options.only]
    has_memory = options.only is None or MEMORY in options.only
    forms = chosen_forms(options.peers)

    data_folder = options.data or (USUAL_DATA if USUAL_DATA.is_dir() else None)
    images = real_images(data_folder) if data_folder else synthetic_images()
    results = Results()
    footprints = {}
    with tempfile.TemporaryDirectory(prefix="vqvae-compare-") as name, ExitStack() as stack:
        folder = Path(name)
        data = write_data(folder / "data", images)
        ours, forms = our_programs(options.vqvae.resolve(), options.threads, forms, data)
        note(f"our step {CHECKED_STEP + 1} of {CHECKED_IMAGES} images, for checking")
        launcher = Launcher(data, options.threads, folder)
        reference = Reference.make(ours[0], launcher, images)
        note("do the others compute the same? (compiling takes most of a minute)")
        workers = start_workers(forms, launcher, reference, stack)

        note("our program: verifying the kernels and measuring the peak of matrix products")
        bench = ours[0].bench(data, WORKS[0], is_quick=False)
        about = machine(ours[0], bench, workers, data_folder)
        for i in range(options.rounds if works else 0):
            note(f"round {i + 1} of {options.rounds}")
            run_round(ours, data, workers, works, results)
        if has_memory:
            footprints = footprints_of(ours[0], launcher, forms, reference.checkpoint)

    if options.json is not None:
        try:
            options.json.write_text(as_json(about, works, results, footprints))
        except OSError as error:
            fail(73, f"cannot write {options.json}", "a file", str(error), "choose another file")
    print(table(about, works, results, footprints))

