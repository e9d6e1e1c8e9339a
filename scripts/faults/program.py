"""Runs the program under a fault, a limit or a signal, and reports how it ended."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

# The exit codes in the README, without 1: an internal error is always a failure.
DOCUMENTED = frozenset({0, 64, 65, 66, 70, 71, 73, 74, 75, 78, 129, 130, 143})
# In bytes. Output beyond this limit is not kept.
OUTPUT_LIMIT = 1 << 20
# In seconds: how long a process is left alone between two looks, and how much of the time between them counts.
# A machine that stood still meanwhile, as virtual machines do, has not shown that a process hangs.
LOOK, LONGEST_LOOK = 0.2, 0.4


@dataclass(frozen=True)
class Conditions:
    """The environment of a process, where it differs from the usual one."""

    # Pairs of resource.RLIMIT_… and a value.
    limits: tuple[tuple[int, int], ...] = ()
    user: int | None = None
    # The target of a stream: None (as usual), "closed", "broken" (a pipe without a reader) or a path.
    stdin: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    # Signals ignored when the program starts.
    ignored: tuple[int, ...] = ()


@dataclass
class Outcome:
    """How a process ended, and its output."""

    arguments: Sequence[str]
    code: int | None
    signal: int | None
    hung: bool
    out: bytes
    err: bytes
    seconds: float
    kibibytes: int
    # Whether the planned fault occurred, and whether main was reached.
    hit: bool = False
    started: bool = True
    # Seconds from the last signal sent from outside to the end, or None if none was sent.
    after_signal: float | None = None
    # What the threads of a process that hung were doing.
    threads: str = ""

    @property
    def text(self) -> str:
        return self.err.decode("utf-8", "replace")

    def __str__(self) -> str:
        if self.hung:
            end = f"did not end in {self.seconds:.0f} s ({self.threads})"
        elif self.signal is not None:
            end = f"died of {signal.Signals(self.signal).name}"
        else:
            end = f"gave {self.code}"
        lines = [line for line in self.text.splitlines() if "rror" in line] or self.text.splitlines()[-1:]
        said = lines[0][:160] if lines else ""
        return f"`{' '.join(self.arguments)[:120]}` {end}" + (f": {said}" if said else "")


@dataclass
class Program:
    """The program under test, with the library that injects faults."""

    path: str
    shim: str
    # The folder for the marker files of the library; each worker has its own.
    signs: Path
    verbose: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        arguments: Sequence[str],
        plan: str = "",
        conditions: Conditions = Conditions(),
        timeout: float = 20,
        signals: Sequence[tuple[float, int]] = (),
        trace: Path | None = None,
        with_stderr: bool = False,
        minimum: int | None = None,
        uses_shim: bool = True,
    ) -> Outcome:
        """Runs one command in the current folder.

        - plan: the faults to inject (see shim.c).
        - signals: pairs of (seconds after the start, signal number), sent from outside.
        - with_stderr: whether writes to standard error are counted too.
        - minimum: the size in bytes from which allocations are counted; None to count none.
        """
        hit, started = self.signs / "hit", self.signs / "started"
        for sign in (hit, started):
            sign.unlink(missing_ok=True)
        extra = {}
        if uses_shim:
            # No request is this large, so no allocation is counted.
            least = 1 << 62 if minimum is None else minimum
            extra = {
                "LD_PRELOAD": self.shim,
                "FAULTS_ROOT": os.getcwd(),
                "FAULTS_HIT": str(hit),
                "FAULTS_STARTED": str(started),
                "FAULTS_MINIMUM": str(least),
            }
            if plan:
                extra["FAULTS_PLAN"] = plan
            if trace:
                trace.unlink(missing_ok=True)
                extra["FAULTS_TRACE"] = str(trace)
            if minimum is not None:
                # Makes allocations deterministic, so that cases are repeatable.
                extra["SWIFT_DETERMINISTIC_HASHING"] = "1"
                extra["FAULTS_CLOCK"] = "1"
            if with_stderr:
                extra["FAULTS_STDERR"] = "1"
        if self.verbose:
            shown = " ".join(f"{key}='{value}'" for key, value in extra.items())
            print(f"$ {shown} {self.path} {' '.join(arguments)}  # {conditions}", flush=True)
        outcome = self._spawn(list(arguments), {**self.environment, **extra}, conditions, timeout, signals)
        outcome.hit = hit.exists()
        outcome.started = not uses_shim or started.exists()
        if self.verbose:
            print(f"{outcome}\n{outcome.text}", flush=True)
        return outcome

    def _spawn(
        self,
        arguments: list[str],
        environment: dict[str, str],
        conditions: Conditions,
        timeout: float,
        signals: Sequence[tuple[float, int]],
    ) -> Outcome:
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        start = time.monotonic()
        # Seconds since the start, without those in which the machine stood still.
        counted, looked = 0.0, start
        pid = os.fork()
        if pid == 0:
            try:
                _become(self.path, arguments, environment, conditions, out_write, err_write)
            finally:
                os._exit(126)
        os.close(out_write)
        os.close(err_write)
        child = os.pidfd_open(pid)
        texts = {out_read: bytearray(), err_read: bytearray()}
        poll = select.poll()
        for descriptor in (out_read, err_read, child):
            poll.register(descriptor, select.POLLIN)
        pending = sorted(signals)
        hung, last_signal, threads = False, None, ""
        is_running, unread = True, set(texts)
        # After the process has ended, the streams are read to their ends, or its last output would be lost.
        while is_running or unread:
            now = time.monotonic()
            counted, looked = counted + min(now - looked, LONGEST_LOOK), now
            while pending and is_running and counted >= pending[0][0]:
                os.kill(pid, pending.pop(0)[1])
                last_signal = counted
            if counted >= timeout:
                if hung:
                    break
                threads = _threads(pid)
                os.kill(pid, signal.SIGKILL)
                # Time to read the remaining output and for the process to end.
                hung, timeout = True, counted + 5
            wake = min([timeout, counted + LOOK] + [at for at, _ in pending[:1]])
            for descriptor, _ in poll.poll(1000 * (max(0.0, wake - counted) if is_running else LOOK)):
                if descriptor == child:
                    is_running = False
                    poll.unregister(child)
                    continue
                data = os.read(descriptor, 1 << 16)
                if len(texts[descriptor]) < OUTPUT_LIMIT:
                    texts[descriptor] += data
                if not data:
                    poll.unregister(descriptor)
                    unread.discard(descriptor)
        _, status, usage = os.wait4(pid, 0)
        end = time.monotonic()
        counted += min(end - looked, LONGEST_LOOK)
        for descriptor in (out_read, err_read, child):
            os.close(descriptor)
        died = os.WIFSIGNALED(status) and not hung
        return Outcome(
            arguments, os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            os.WTERMSIG(status) if died else None, hung, bytes(texts[out_read]),
            bytes(texts[err_read]), end - start, usage.ru_maxrss,
            after_signal=None if last_signal is None else counted - last_signal, threads=threads)


def _threads(pid: int) -> str:
    """What each thread of a process is doing: its state, the kernel function in which it waits, and its seconds of
    processor time. A thread that waits tells of a deadlock, one that runs of a loop."""

    def read(path: Path) -> str:
        try:
            return path.read_text()
        except OSError:
            return ""

    found = []
    for task in sorted(Path(f"/proc/{pid}/task").glob("*")):
        # The fields after the name, which is in brackets and may contain spaces.
        fields = read(task / "stat").rpartition(")")[2].split()
        if len(fields) > 12:
            ticks = int(fields[11]) + int(fields[12])
            waits = read(task / "wchan").strip("0\n") or "nowhere"
            found.append(f"{fields[0]} in {waits}, {ticks / os.sysconf('SC_CLK_TCK'):.1f} s")
    return f"{len(found)} threads: " + "; ".join(found)


def _become(
    path: str, arguments: list[str], environment: dict[str, str], conditions: Conditions, out: int, err: int
) -> None:
    """Executes the program in a forked child. Never returns."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for descriptor, place in ((0, conditions.stdin), (1, conditions.stdout), (2, conditions.stderr)):
        if place == "closed":
            os.close(descriptor)
        elif place == "broken":
            reader, writer = os.pipe()
            os.dup2(writer, descriptor)
            os.close(reader)
        elif place is not None:
            os.dup2(os.open(place, os.O_RDWR), descriptor)
    # Python ignores these signals, and the program would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    for number in conditions.ignored:
        signal.signal(number, signal.SIG_IGN)
    for limit, value in conditions.limits:
        resource.setrlimit(limit, (value, value))
    if conditions.user is not None:
        os.setgroups([])
        os.setgid(conditions.user)
        os.setuid(conditions.user)
    os.execve(path, [path, *arguments], environment)


def compile_shim(folder: Path) -> str:
    """Compiles the library that injects faults."""
    source = Path(__file__).with_name("shim.c")
    target = folder / "shim.so"
    for compiler in ("cc", "clang", "gcc"):
        try:
            subprocess.run(
                [compiler, "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-o", str(target), str(source),
                 "-ldl"], check=True)
            return str(target)
        except FileNotFoundError:
            continue
    raise SystemExit("faults: there is no C compiler (cc, clang or gcc); make setup installs one")
