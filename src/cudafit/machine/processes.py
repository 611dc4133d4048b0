"""Processes as /proc shows them: who started whom, what they cost, which files of GPUs they hold open."""

import os
import re
from collections.abc import Mapping

from cudafit.model.frozen import frozen

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_DEVICE = re.compile(r"/dev/(nvidia(\d+|-uvm)|dxg)")
CUDA_FILE = "/dev/nvidia-uvm"  # what CUDA opens when it starts, and NVML does not
_LONGEST = 1 << 20  # of a command line or an environment


@frozen
class Process:
    """One look at a process. `started` in ticks since the machine's start tells two of one number apart."""

    pid: int
    parent: int
    group: int
    started: int
    name: str
    state: str
    cpu_s: float

    @property
    def ended(self) -> bool:
        return self.state in "ZX"


@frozen
class Command:
    """What a process runs, and with which variables; `variables` is None where they may not be read."""

    words: tuple[str, ...]
    program: str | None
    folder: str | None
    variables: Mapping[str, str] | None


def read_process(pid: int) -> Process | None:
    """None where there is no such process (any more)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The name is in brackets and may hold anything, brackets and spaces too.
    start, end = text.find(b"("), text.rfind(b")")
    fields = text[end + 2 :].split()
    if start < 0 or len(fields) < 20:
        return None
    name = text[start + 1 : end].decode("utf-8", "replace")
    try:
        cpu = (int(fields[11]) + int(fields[12])) / _TICKS
        return Process(pid, int(fields[1]), int(fields[2]), int(fields[19]), name, fields[0].decode(), cpu)
    except (ValueError, OverflowError):  # what stands for /proc in some containers makes mistakes
        return None


def every_pid() -> set[int]:
    try:
        return {int(name) for name in os.listdir("/proc") if name.isdecimal()}
    except OSError:
        return set()


def read_command(pid: int) -> Command | None:
    """None where it is gone, or has no command line, as a kernel thread has."""
    words = _words(pid, "cmdline")
    if not words:
        return None
    variables = _words(pid, "environ")
    pairs = None if variables is None else dict(word.split("=", 1) for word in variables if "=" in word)
    return Command(tuple(words), _link(pid, "exe"), _link(pid, "cwd"), pairs)


def opened_devices(pid: int) -> tuple[str, ...] | None:
    """The files of GPUs that a process has open, and CUDA's own (nvidia-uvm); None where that may not be read.

    nvidiactl says nothing: whoever asks for the driver's version opens it.
    """
    found = set()
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return None
    for number in numbers:
        target = _link(pid, f"fd/{number}")
        if target and _DEVICE.fullmatch(target):
            found.add(target)
    return tuple(sorted(found))


def mapped_libraries(pid: int) -> frozenset[str]:
    """The names of the shared libraries that a process has loaded."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
            paths = {line.rstrip("\n").rpartition(" ")[2] for line in file if ".so" in line}
    except OSError:
        return frozenset()
    return frozenset(os.path.basename(path) for path in paths)


def _words(pid: int, name: str) -> list[str] | None:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            data = file.read(_LONGEST)
    except OSError:
        return None
    words = data.split(b"\0")
    return [os.fsdecode(word) for word in (words[:-1] if words[-1] == b"" else words)]


def _link(pid: int, name: str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return None
