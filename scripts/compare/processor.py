"""What the processor can do, and what a process uses of it."""

import os
import platform
from pathlib import Path


def _lines(key: str) -> list[str]:
    """The values of a key in /proc/cpuinfo, one for each processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith(key)]


def processor_name() -> str:
    return next(iter(_lines("model name")), platform.machine())


def processor_flags() -> set[str]:
    """Instruction sets as Linux names them on x86, such as avx2 and avx512_bf16."""
    return set(next(iter(_lines("flags")), "").split())


def processor_seconds(pid: int) -> float:
    """The processor time of a process and its ended children, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
