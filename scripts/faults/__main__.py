"""The fault campaign: breaks everything around vqvae, and checks that its promises hold.

    python3 scripts/faults --vqvae .build/release/vqvae [--scale short|default|long] [--case ID]

docs/faults.md lists the promises.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import injection
import kills
import limits
import mutation
from campaign import Campaign, Place
from program import Program, compile_shim
from runs import World

SUITES = {"injection": injection, "kills": kills, "mutation": mutation, "limits": limits}


def main() -> int:
    options = parse()
    folder = Path(tempfile.mkdtemp(prefix="vqvae-faults-", dir=fast_folder()))
    # Some cases run as a user other than root, and create marker files here.
    folder.chmod(0o1777)
    signal.signal(signal.SIGTERM, stopped)
    try:
        return campaign(options, folder)
    finally:
        os.chdir("/")
        if options.keep:
            print(f"faults: kept {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def stopped(number: int, _: object) -> None:
    """Ends the campaign with a message, and through its cleanup."""
    print("faults: stopped by SIGTERM", file=sys.stderr, flush=True)
    sys.exit(128 + number)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 scripts/faults", description=__doc__.splitlines()[0])
    parser.add_argument("--vqvae", required=True, metavar="PATH", help="the program")
    parser.add_argument("--seed", type=int, default=1, help="chooses among the cases, and makes the files")
    parser.add_argument("--scale", choices=["short", "default", "long"], default="default")
    parser.add_argument("--only", metavar="SUITES", help="of " + ",".join(SUITES))
    parser.add_argument("--case", metavar="ID", help="this one alone, with all that it runs and says")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    options = parser.parse_args()
    options.suites = (options.only or ",".join(SUITES)).split(",")
    if options.case:
        options.suites, options.scale = [options.case.split("/")[0]], "long"
    unknown = [name for name in options.suites if name not in SUITES]
    if unknown:
        parser.error(f"there is no suite {unknown[0]}; there are {', '.join(SUITES)}")
    return options


def fast_folder() -> str | None:
    """/dev/shm if it has enough room, or None. Thousands of small files are written and removed."""
    try:
        status = os.statvfs("/dev/shm")
    except OSError:
        return None
    has_room = status.f_bavail * status.f_frsize > 512 << 20 and not status.f_flag & os.ST_NOEXEC
    return "/dev/shm" if has_room and os.access("/dev/shm", os.W_OK) else None


def campaign(options: argparse.Namespace, folder: Path) -> int:
    # No core dumps: the campaign kills thousands of processes.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    # A copy, which any user can run, and which does not change if the project is rebuilt meanwhile.
    copy = folder / "vqvae"
    shutil.copy(options.vqvae, copy)
    copy.chmod(0o755)
    environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
    place = Place(folder, Program(str(copy), compile_shim(folder), folder, environment=environment))
    world = World(place)
    cases = [
        case for name in options.suites
        for case in SUITES[name].cases(world, place, options.scale, options.seed)]
    if options.case:
        cases = [case for case in cases if case.id == options.case]
        if not cases:
            print(f"faults: there is no case {options.case}", file=sys.stderr)
            return 2
        place.program.verbose = True
    command = f"python3 scripts/faults --vqvae {shlex.quote(options.vqvae)} --seed {options.seed}"
    print(f"faults: {len(cases)} cases, seed {options.seed}", file=sys.stderr, flush=True)
    return 0 if Campaign(place, cases, options.seed, options.workers, command).run() else 1


if __name__ == "__main__":
    sys.exit(main())
