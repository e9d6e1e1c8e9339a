"""Kills the program at every library call and by signals from outside, then resumes from what is left."""

from __future__ import annotations

import random
import re
import signal
from typing import Iterator

from campaign import Case, Failure, Place
from runs import (
    BEST, CONFIGURATION, LAST, RESUME, TRAIN, Call, Scenario, World, can_go_on, ends_well, is_undisturbed,
    keeps_checkpoints, keeps_log, leaves_no_temporary_file, read, step_of, trace)

STOPPING = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "HUP": signal.SIGHUP}
SAVING = {"USR1": signal.SIGUSR1}
# How many of the possible calls are tried, by kind.
PLACES = {
    "short": {"kill": 100, "signal": 60, "again": 6, "random": 4},
    "default": {"kill": 1700, "signal": 800, "again": 60, "random": 60},
    "long": dict.fromkeys(["kill", "signal", "again", "random"], 10**6),
}
# The number of kills at random moments at the scale `long`; there is no natural limit.
RANDOM_LONG = 600
# Long enough that random moments hit it while it is working.
LONGER = CONFIGURATION.replace(b"steps: 4,", b"steps: 200,").replace(b"_every: 2", b"_every: 20").replace(
    b"log_every: 1,", b"log_every: 50,")
# Saves only at the end, so any other save is due to a signal.
UNSAVED = CONFIGURATION.replace(b"_every: 2", b"_every: 0")


def cases(world: World, place: Place, scale: str, seed: int) -> Iterator[Case]:
    longer = world.longer(LONGER)
    for number in range(min(PLACES[scale]["random"], RANDOM_LONG)):
        yield at_random(world, longer, number)
    groups: dict[str, list[Case]] = {"kill": [], "signal": [], "again": []}
    for scenario in (world.scenarios[name] for name in ("train", "resume", "extend", "data")):
        place.prepare(scenario.files)
        for call in trace(place, scenario.arguments, with_stderr=True):
            ways = ["kill", "kill-after"] + ["torn"] * (call.name.startswith("write") and call.size > 1)
            groups["kill"] += [kill(world, scenario, call, way) for way in ways]
            groups["signal"] += [stop(world, scenario, call, name) for name in STOPPING]
            groups["signal"] += [save_and_go_on(world, scenario, call, name) for name in SAVING]
            groups["again"] += [
                twice(world, scenario, call, a, b) for a, b in (("INT", "INT"), ("TERM", "TERM"), ("HUP", "INT"))]
    for kind, group in groups.items():
        random.Random(f"{seed}/{kind}").shuffle(group)
        yield from group[: PLACES[scale][kind]]
    for call in calls_between_steps(place):
        yield from (really_saves(call, name) for name in SAVING)


def calls_between_steps(place: Place) -> list[Call]:
    """The calls that write the progress lines of all training steps but the last."""
    place.prepare({"c.yaml": UNSAVED})
    lines = place.run(*TRAIN, uses_shim=False).text.splitlines()
    place.prepare({"c.yaml": UNSAVED})
    writes = [call for call in trace(place, TRAIN, with_stderr=True) if call.path == "stderr"]
    return [
        call for line, call in zip(lines, writes)
        if line.startswith("step ") and "loss" in line and not line.startswith("step 4/")]


def name_of(call: Call) -> str:
    return f"{call.number}-{call.name}-{call.role}"


def kill(world: World, scenario: Scenario, call: Call, way: str) -> Case:
    """SIGKILL before, after or in the middle of a call."""

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        place.counts["kills"] += 1
        outcome = place.run(*scenario.arguments, plan=f"c{call.number}:{way}", with_stderr=True)
        if outcome.signal != signal.SIGKILL:
            yield Failure("the call did not come", str(outcome))
            return
        yield from keeps_checkpoints(world, place, scenario.files)
        yield from keeps_log(scenario.files)
        yield from can_go_on(world, place, scenario)

    return Case(
        f"kills/{scenario.name}/{name_of(call)}/{way}",
        "kills: after SIGKILL before, in or after any call, the way on leads to the same bytes", check)


def has_begun(text: str) -> bool:
    """Whether a step was made, according to the progress lines."""
    return re.search(r"^step \d+/", text, re.MULTILINE) is not None


def stop(world: World, scenario: Scenario, call: Call, name: str) -> Case:
    """A stop signal: the current step is finished and saved."""
    number = STOPPING[name]

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        place.counts["signals"] += 1
        outcome = place.run(*scenario.arguments, plan=f"c{call.number}:signal={int(number)}", with_stderr=True)
        if outcome.signal == number:
            # The default action is right before the first step, and harmless after the last one.
            if has_begun(outcome.text) and any(is_undisturbed(scenario)):
                yield Failure("work lost", f"{outcome}, after training had begun")
        else:
            yield from ends_well(outcome)
            if outcome.hung:
                return
            yield from leaves_no_temporary_file()
        if outcome.code == 0:
            # The signal may come too late to stop anything.
            yield from is_undisturbed(scenario)
        elif outcome.code == 128 + number:
            yield from is_saved(scenario, outcome.text)
        elif outcome.code is not None:
            yield Failure("other exit code after a signal", str(outcome))
        yield from keeps_checkpoints(world, place, scenario.files)
        yield from keeps_log(scenario.files)
        yield from can_go_on(world, place, scenario)

    return Case(
        f"kills/{scenario.name}/{name_of(call)}/{name}",
        "kills: SIGINT, SIGTERM or SIGHUP at any call ends the run after saving, or at once before the first step",
        check)


def is_saved(scenario: Scenario, text: str) -> Iterator[Failure]:
    """After a stop by a signal, the last checkpoint is that of the step in the message."""
    content = read(LAST)
    reached = [int(step) for step in re.findall(r"^step (\d+)/", text, re.MULTILINE)]
    named = re.search(r"\bat step (\d+)[;.,]", text.rpartition("saved")[2])
    if reached and (content is None or step_of(content) < max(reached)):
        yield Failure("not saved", f"step {max(reached)} was made, the last checkpoint is another")
    if named and (content is None or step_of(content) != int(named[1])):
        yield Failure("not saved", f"the message says step {named[1]}, the last checkpoint is another")


def save_and_go_on(world: World, scenario: Scenario, call: Call, name: str) -> Case:
    """A save signal: the run continues to the same result."""

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        place.counts["signals"] += 1
        outcome = place.run(
            *scenario.arguments, plan=f"c{call.number}:signal={int(SAVING[name])}", with_stderr=True)
        if outcome.code != 0:
            yield Failure("stopped by a signal that asks for a save", str(outcome))
            yield from can_go_on(world, place, scenario)
        else:
            yield from leaves_no_temporary_file()
            yield from is_undisturbed(scenario)

    return Case(
        f"kills/{scenario.name}/{name_of(call)}/{name}",
        "kills: SIGUSR1 at any call changes nothing in the end", check)


def really_saves(call: Call, name: str) -> Case:
    """Only the signal can cause a save that the configuration does not ask for."""

    def check(place: Place) -> Iterator[Failure]:
        place.prepare({"c.yaml": UNSAVED})
        place.counts["signals"] += 1
        calls = trace(place, TRAIN, with_stderr=True, plan=f"c{call.number}:signal={int(SAVING[name])}")
        saves = [other for other in calls if other.name.startswith("rename") and other.path == LAST]
        if len(saves) < 2:
            yield Failure("not saved", f"{name} at call {call.number}: {len(saves)} saves in the whole run")

    return Case(
        f"kills/unsaved/{name_of(call)}/{name}", "kills: SIGUSR1 between steps saves", check)


def twice(world: World, scenario: Scenario, call: Call, first: str, second: str) -> Case:
    """Two signals: the second one ends the process at once, with exit code 75. The same signal again within a
    moment is a repetition, as batch systems signal a process and then its group: the first one counts."""
    one, other = STOPPING[first], STOPPING[second]

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        place.counts["signals"] += 2
        outcome = place.run(
            *scenario.arguments, with_stderr=True,
            plan=f"c{call.number}:signal={int(one)};c{call.number}:again={int(other)}")
        if outcome.hung:
            yield Failure("hang", str(outcome))
            return
        if outcome.code == 0:
            yield from is_undisturbed(scenario)
        elif has_begun(outcome.text) and outcome.code not in ((75, 128 + one) if one == other else (75,)):
            yield Failure("not 75 after a second signal", str(outcome))
        elif outcome.code not in (None, 75, 128 + one, 128 + other) or outcome.signal not in (None, one, other):
            yield Failure("other exit code after a signal", str(outcome))
        yield from keeps_checkpoints(world, place, scenario.files)
        yield from keeps_log(scenario.files)
        yield from can_go_on(world, place, scenario)

    return Case(
        f"kills/{scenario.name}/{name_of(call)}/{first}-{second}",
        "kills: a second signal ends the run at once with 75, and it can go on", check)


def at_random(world: World, scenario: Scenario, number: int) -> Case:
    """Several signals from outside at random moments of a run."""

    def check(place: Place) -> Iterator[Failure]:
        place.prepare(scenario.files)
        arguments = scenario.arguments
        names = [place.random.choice(["KILL", "KILL", "INT", "TERM", "HUP"]) for _ in range(3)]
        for name in names:
            moment = place.random.uniform(0, world.longer_seconds * 1.05)
            sent = getattr(signal, f"SIG{name}")
            place.counts["kills" if name == "KILL" else "signals"] += 1
            before = {path: content for path in (LAST, BEST) if (content := read(path)) is not None}
            outcome = place.run(*arguments, signals=[(moment, sent)], uses_shim=False)
            yield from keeps_checkpoints(world, place, before)
            if outcome.code == 0:
                break
            if outcome.code == 128 + sent:
                yield from is_saved(scenario, outcome.text)
            elif outcome.code in (66, 73):
                # The run exists already, or not yet: continue with the other command.
                arguments = RESUME if arguments == scenario.arguments else scenario.arguments
            elif outcome.code is not None:
                yield Failure("other exit code after a signal", f"{name} after {moment:.3f} s: {outcome}")
            if before:
                arguments = RESUME
        yield from can_go_on(world, place, scenario)

    return Case(
        f"kills/random/{number}", "kills: signals at random moments, three in a run (the moments differ each time)",
        check)
