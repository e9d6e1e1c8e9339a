"""Makes every library call on a file fail, one at a time, in every way in which it can fail."""

from __future__ import annotations

import errno
import random
from collections import defaultdict
from typing import Iterator

from campaign import Case, Failure, Place, read_files
from runs import (
    Call, Scenario, World, can_go_on, ends_well, is_undisturbed, keeps_checkpoints, keeps_log,
    leaves_no_temporary_file, trace)

# The errors of each call. A call that is not listed cannot fail on a healthy machine.
ERRORS = {
    "open": "EACCES EMFILE EIO EINTR ELOOP ESTALE",
    "create": "EACCES EMFILE EIO EINTR ENOSPC EROFS EDQUOT ELOOP",
    "read": "EIO EINTR EAGAIN ESTALE",
    "pread": "EIO EINTR EAGAIN ESTALE",
    "write": "ENOSPC EIO EINTR EDQUOT EAGAIN",
    "writev": "ENOSPC EIO EINTR EDQUOT",
    "fsync": "EIO EINTR ENOSPC EDQUOT",
    "close": "EIO EINTR EDQUOT",
    "rename": "EACCES EIO ENOSPC EROFS EDQUOT ESTALE",
    "unlink": "EACCES EIO EROFS",
    "mkdir": "EACCES ENOSPC EROFS EDQUOT EIO",
    "stat": "EACCES EIO ELOOP ESTALE",
    "fstat": "EIO ESTALE",
    "access": "EACCES EIO ELOOP ESTALE",
    "flock": "ENOLCK EINTR EAGAIN",
    "fcntl": "ENOLCK EINTR EAGAIN",
    "ftruncate": "EIO EINTR",
    "lseek": "EIO ESTALE",
    "opendir": "EACCES EMFILE EIO",
    "readdir": "EIO ESTALE",
    "link": "EACCES EIO ENOSPC EROFS",
}
SAME_AS = {
    "pread64": "pread", "pwrite": "write", "pwrite64": "write", "readv": "read", "fdatasync": "fsync",
    "renameat": "rename", "renameat2": "rename", "unlinkat": "unlink", "mkdirat": "mkdir", "stat64": "stat",
    "lstat": "stat", "lstat64": "stat", "fstatat": "stat", "fstatat64": "stat", "statx": "stat",
    "fstat64": "fstat", "faccessat": "access", "ftruncate64": "ftruncate", "lseek64": "lseek",
    "readdir64": "readdir", "linkat": "link", "symlink": "link", "readlink": "stat",
}
# Persistent faults, such as a full or lost disk: also every later call of the same name (+) or any name (*).
LASTING = {
    "create": ["ENOSPC+", "EMFILE+"], "open": ["EMFILE+"], "write": ["ENOSPC+", "EIO*"],
    "fsync": ["EIO+"], "rename": ["EROFS*"], "pread": ["EIO+"], "mkdir": ["EROFS*"], "stat": ["EACCES+"],
    "access": ["EACCES+", "EIO*"],
}
# The number of calls tried among those with the same name, file and fault.
ALIKE = {"short": 1, "default": 4, "long": 10**6}
PROMISES = {
    "train": "a failing call in a new `train`: a documented exit, and the way on leads to the same bytes",
    "resume": "the same in `train --resume` of a killed run",
    "extend": "the same in `train --resume` of a finished run with more steps",
    "data": "the same in `train` on data files",
    "eval": "a failing call in `eval`: the right result or an error, and nothing changed",
    "json": "the same in `eval --json`",
    "reconstruct": "the same in `reconstruct`",
}


def cases(world: World, place: Place, scale: str, seed: int) -> Iterator[Case]:
    for scenario in world.scenarios.values():
        place.prepare(scenario.files)
        alike: dict[tuple[str, str, str], list[tuple[Call, str]]] = defaultdict(list)
        for call in trace(place, scenario.arguments):
            for fault in faults(call):
                alike[call.name, call.role, fault].append((call, fault))
        chosen = []
        for key, group in alike.items():
            source = random.Random(f"{seed}/{scenario.name}/{key}")
            # The order depends only on the group, so a larger scale includes the cases of a smaller one.
            source.shuffle(group)
            chosen += group[: ALIKE[scale]]
        if scale == "short":
            random.Random(f"{seed}/{scenario.name}").shuffle(chosen)
            chosen = chosen[:45]
        for call, fault in sorted(chosen, key=lambda pair: (pair[0].number, pair[1])):
            yield case(world, scenario, call, fault)


def faults(call: Call) -> list[str]:
    """The faults that a call can have."""
    name = SAME_AS.get(call.name, call.name)
    result = ERRORS.get(name, "").split() + LASTING.get(name, [])
    if name in ("read", "pread", "write"):
        result += ["short"] * (call.size > 1) + ["zero"]
    return result


def case(world: World, scenario: Scenario, call: Call, fault: str) -> Case:
    kind = scenario.name.split("-")[0]

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        place.counts["faults"] += 1
        outcome = place.run(*scenario.arguments, plan=plan(call, fault))
        if not outcome.hit:
            yield Failure("the call did not come", "the program makes other calls than the time before")
            return
        yield from ends_well(outcome)
        if outcome.hung:
            return
        # On a disk where every call fails, the temporary file cannot be removed.
        if outcome.signal is None and not fault.endswith("*"):
            yield from leaves_no_temporary_file()
        is_invisible = fault in ("EINTR", "short") and outcome.code is not None
        if is_invisible and outcome.code != 0:
            yield Failure("not repeated", f"{fault} of {call.name} is no error, but {outcome}")
        if outcome.code == 0 and outcome.out != scenario.out:
            is_lost = call.path == "stdout"
            yield Failure(
                "output lost, exit 0" if is_lost else "other output, exit 0",
                f"after {fault} of {call.name} on {call.path}")
        if scenario.trains:
            yield from keeps_checkpoints(world, place, scenario.files)
            yield from keeps_log(scenario.files)
            if outcome.code == 0:
                yield from is_undisturbed(scenario)
            else:
                yield from can_go_on(world, place, scenario)
        else:
            yield from changes_nothing(scenario, outcome.code == 0)

    return Case(
        f"injection/{scenario.name}/{call.number}-{call.name}-{call.role}/{fault}",
        f"injection: {PROMISES[kind]}", check)


def changes_nothing(scenario: Scenario, succeeded: bool) -> Iterator[Failure]:
    """A reading command does not change the run, and its output file is complete or absent."""
    now = read_files()
    picture = now.pop("g.png", None)
    if picture is not None and picture != scenario.expected.get("g.png"):
        yield Failure("half a picture", "g.png")
    if succeeded and picture != scenario.expected.get("g.png"):
        yield Failure("output lost, exit 0", "g.png")
    now = {path: content for path, content in now.items() if not path.endswith(".partial")}
    if now != dict(scenario.files):
        changed = [path for path in {*now, *scenario.files} if now.get(path) != scenario.files.get(path)]
        yield Failure("changed a run that it was to read", ", ".join(changed))


def plan(call: Call, fault: str) -> str:
    if fault in ("short", "zero"):
        return f"c{call.number}:{fault}"
    number = getattr(errno, fault.rstrip("+*"))
    later = {"+": f"+{call.name}", "*": "+*"}.get(fault[-1], "")
    return f"c{call.number}{later}:errno={number}"
