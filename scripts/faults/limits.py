"""Deprives the program of memory, threads, descriptors, disk space and standard streams."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import sys
from typing import Callable, Iterator

from campaign import Case, Failure, Place
from kills import has_begun
from program import Conditions, Outcome
from runs import (
    CONFIGURATION, TRAIN, Scenario, World, can_go_on, ends_well, is_undisturbed, keeps_checkpoints, keeps_log,
    leaves_no_temporary_file, trace)

MEGABYTE = 1 << 20
# The distance in megabytes between the address space limits that are tried, and the highest limit. Each
# distance is a multiple of the next, so that a larger scale includes the limits of a smaller one.
STEPS = {"short": 144, "default": 24, "long": 4}
HIGHEST = 1200
# How many of the possible allocations and threads are refused, one at a time.
REFUSALS = {"short": 6, "default": 70, "long": 10**6}
# In bytes. Allocations from this size on are images, tensors and buffers; smaller ones are the language's.
LARGE = 4096
# A run that does not end on its own.
ENDLESS = CONFIGURATION.replace(b"steps: 4,", b"steps: 100000000,").replace(b"_every: 2", b"_every: 0").replace(
    b"log_every: 1,", b"log_every: 100,")
STREAMS = ("stdin", "stdout", "stderr")

Oracle = Callable[[World, Place, Scenario, Outcome], Iterator[Failure]]


def cases(world: World, place: Place, scale: str, seed: int) -> Iterator[Case]:
    scenarios = [world.scenarios[name] for name in ("train", "resume", "eval", "reconstruct")]
    yield from address_space(world, scenarios, scale)
    if os.getuid() == 0:
        yield from thread_limits(world, scenarios, scale)
        yield from stops_without_threads(scale)
    else:
        print("faults: limits of threads are tried by root alone", file=sys.stderr)
    yield from descriptors(world, scenarios, scale)
    yield from file_sizes(world, scenarios)
    yield from refused_memory(world, place, scenarios, scale, seed)
    yield from refused_threads(world, place, scenarios)
    yield from streams(world)


def limited(
    world: World, scenario: Scenario, name: str, promise: str, conditions: Conditions, codes: set[int],
    arguments: tuple[str, ...] = (), user: bool = False, **options,
) -> Case:
    """A command under a limit succeeds as usual, or says what it lacks."""

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        circumstances = conditions
        if user:
            circumstances = Conditions(conditions.limits, user=hand_over())
        outcome = place.run(*(scenario.arguments + arguments), conditions=circumstances, **options)
        place.counts["faults"] += outcome.hit
        # The program cannot control what the loader and libraries do before main.
        if not outcome.started:
            return
        yield from ends_well(outcome)
        if outcome.code is not None and outcome.code not in codes:
            yield Failure("other exit code", f"{outcome}; expected {sorted(codes)}")
        yield from stays_whole(world, place, scenario, outcome)

    return Case(f"limits/{name}", f"limits: {promise}", check)


def stays_whole(world: World, place: Place, scenario: Scenario, outcome: Outcome) -> Iterator[Failure]:
    """Whatever was missing, the run is intact and can be continued."""
    if outcome.code is not None:
        yield from leaves_no_temporary_file()
    yield from keeps_checkpoints(world, place, scenario.files)
    if not scenario.trains:
        if outcome.code == 0 and outcome.out != scenario.out:
            yield Failure("other output, exit 0", str(outcome))
        return
    yield from keeps_log(scenario.files)
    if outcome.code == 0:
        yield from is_undisturbed(scenario)
    else:
        yield from can_go_on(world, place, scenario)


def hand_over() -> int:
    """Gives the case's folder to a separate user, so that a process limit counts only its own processes."""
    user = 61000 + os.getpid() % 1000
    for parent, _, names in os.walk("."):
        os.chown(parent, user, user)
        for name in names:
            os.chown(os.path.join(parent, name), user, user)
    return user


# MARK: Limits of the system


def address_space(world: World, scenarios: list[Scenario], scale: str) -> Iterator[Case]:
    for scenario in scenarios:
        for megabytes in range(16, HIGHEST, STEPS[scale]):
            yield limited(
                world, scenario, f"address-space/{scenario.name}/{megabytes}",
                "little address space: success, or exit 71", Conditions(
                    limits=((resource.RLIMIT_AS, megabytes * MEGABYTE),)), {0, 71})


def thread_limits(world: World, scenarios: list[Scenario], scale: str) -> Iterator[Case]:
    for scenario in scenarios:
        for count in (2, 3, 5) if scale == "short" else range(1, 7):
            for threads in (1, 4):
                yield limited(
                    world, scenario, f"threads/{scenario.name}/{count}-for-{threads}",
                    "few processes and threads allowed: success, or exit 71",
                    Conditions(limits=((resource.RLIMIT_NPROC, count),)), {0, 71},
                    arguments=("--threads", str(threads)), user=True)


def stops_without_threads(scale: str) -> Iterator[Case]:
    """A signal ends a run even if few threads can be created."""

    def case(count: int, threads: int, number: signal.Signals) -> Case:
        def check(place: Place) -> Iterator[Failure]:
            place.prepare({"c.yaml": ENDLESS})
            conditions = Conditions(limits=((resource.RLIMIT_NPROC, count),), user=hand_over())
            outcome = place.run(
                *TRAIN, "--threads", str(threads), conditions=conditions, signals=[(0.7, number)], timeout=6)
            if not outcome.started:
                return
            if outcome.hung:
                yield Failure("hang", f"{outcome}, {number.name} or not")
            elif outcome.signal == number and not has_begun(outcome.text):
                pass
            elif outcome.code not in (71, 128 + number):
                yield Failure("other exit code", str(outcome))

        return Case(
            f"limits/stop/{number.name}/{count}-for-{threads}",
            "limits: a signal ends a run within 5 s, however few threads are allowed", check)

    for count in range(1, 7) if scale != "short" else (2, 3, 5):
        for threads in (1, 2):
            for number in (signal.SIGTERM, signal.SIGINT):
                yield case(count, threads, number)


def descriptors(world: World, scenarios: list[Scenario], scale: str) -> Iterator[Case]:
    for scenario in scenarios + [world.scenarios["data"]]:
        for count in range(3, 21, 2 if scale == "short" else 1):
            yield limited(
                world, scenario, f"descriptors/{scenario.name}/{count}",
                "few file descriptors: success, or exit 71",
                Conditions(limits=((resource.RLIMIT_NOFILE, count),)), {0, 71})


def file_sizes(world: World, scenarios: list[Scenario]) -> Iterator[Case]:
    size = len(world.scenarios["train"].expected["run/checkpoints/last.safetensors"])
    for scenario in scenarios:
        for limit in (0, 1, 100, 600, 700, 1000, 4096, 8192, size - 1, size, size + 1, 4 * size):
            for ignored in ((), (signal.SIGXFSZ,)):
                yield limited(
                    world, scenario, f"file-size/{scenario.name}/{limit}{'-ignored' * bool(ignored)}",
                    "small files allowed, SIGXFSZ as usual or ignored: success, or exit 74",
                    Conditions(limits=((resource.RLIMIT_FSIZE, limit),), ignored=ignored), {0, 74})


# MARK: Refusals by the library


def refused_memory(
    world: World, place: Place, scenarios: list[Scenario], scale: str, seed: int
) -> Iterator[Case]:
    for name, minimum, promise in (
        ("large", LARGE, f"an allocation of {LARGE} bytes or more refused: success, or exit 71"),
        ("any", 0, "any allocation refused: success, or exit 71")):
        for scenario in scenarios:
            place.prepare(scenario.files)
            numbers = [call.number for call in trace(place, scenario.arguments, "a", minimum=minimum)]
            random.Random(f"{seed}/{name}/{scenario.name}").shuffle(numbers)
            for number in sorted(numbers[: REFUSALS[scale]]):
                for later in ("", "+*"):
                    yield limited(
                        world, scenario, f"memory-{name}/{scenario.name}/{number}{'-on' * bool(later)}", promise,
                        Conditions(), {0, 71}, plan=f"a{number}{later}:errno={errno.ENOMEM}", minimum=minimum)


def refused_threads(world: World, place: Place, scenarios: list[Scenario]) -> Iterator[Case]:
    threads = ("--threads", "4")
    for scenario in scenarios:
        place.prepare(scenario.files)
        for call in trace(place, scenario.arguments + threads, "t"):
            for later in ("", "+*"):
                yield limited(
                    world, scenario, f"thread/{scenario.name}/{call.number}{'-on' * bool(later)}",
                    "a new thread refused: success, or exit 71", Conditions(), {0, 71}, arguments=threads,
                    plan=f"t{call.number}{later}:errno={errno.EAGAIN}")


# MARK: Standard streams


def streams(world: World) -> Iterator[Case]:
    made = world.scenarios
    commands = [made[name] for name in ("train", "resume", "eval", "json", "reconstruct")]
    for name, arguments in (
        ("help", ("--help",)), ("version", ("--version",)), ("train-help", ("train", "--help")),
        ("help-eval", ("help", "eval")), ("completion", ("--generate-completion-script", "bash")),
        ("bench", ("bench", "--config", "c.yaml", "--steps", "1", "--quick", "--threads", "1")),
        ("bench-json", ("bench", "--config", "c.yaml", "--steps", "1", "--quick", "--threads", "1", "--json"))):
        commands.append(Scenario(name, made["train"].files, arguments, expected=made["train"].files))
    # Resuming a finished run also prints something.
    commands.append(Scenario("finished", made["train"].expected, made["resume"].arguments,
                             expected=made["train"].expected))
    for scenario in commands:
        for mask in range(1, 8):
            closed = [stream for bit, stream in enumerate(STREAMS) if mask >> bit & 1]
            yield without_streams(
                world, scenario, "closed-" + "-".join(closed), Conditions(**dict.fromkeys(closed, "closed")),
                {74} if "stdout" in closed else {0})
        yield without_streams(world, scenario, "stdout-full", Conditions(stdout="/dev/full"), {74})
        yield without_streams(world, scenario, "stderr-full", Conditions(stderr="/dev/full"), {0})
        yield without_streams(
            world, scenario, "both-full", Conditions(stdout="/dev/full", stderr="/dev/full"), {74})
        yield without_streams(world, scenario, "stdout-broken", Conditions(stdout="broken"), {0, 74})


def without_streams(
    world: World, scenario: Scenario, name: str, conditions: Conditions, codes: set[int]
) -> Case:
    """Losing the result is an error, losing progress notes is not. Nothing is written to other files."""

    trains = scenario.arguments in (TRAIN, world.scenarios["resume"].arguments)

    def check(place: Place) -> Iterator[Failure]:
        # Repeated, because the descriptors of files vary, and notes must never be written to them.
        is_closed = "closed" in (conditions.stdin, conditions.stdout, conditions.stderr)
        failures: dict[str, Failure] = {}
        for _ in range(5 if trains and is_closed else 1):
            failures |= {failure.kind: failure for failure in once(place)}
        yield from failures.values()

    def once(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        outcome = place.run(*scenario.arguments, conditions=conditions, uses_shim=False)
        # Without standard error there is no message to check.
        if conditions.stderr is None or outcome.code is None:
            yield from ends_well(outcome)
        if outcome.code is not None and outcome.code not in codes:
            kind = "output lost, exit 0" if outcome.code == 0 else "other exit code"
            yield Failure(kind, f"{outcome}; expected {sorted(codes)}")
        yield from leaves_no_temporary_file()
        yield from keeps_checkpoints(world, place, scenario.files)
        if trains:
            yield from is_undisturbed(scenario)

    return Case(
        f"limits/streams/{scenario.name}/{name}",
        "limits: standard streams closed, full or broken: a lost result is exit 74, files are intact", check)
