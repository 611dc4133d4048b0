"""What the kernel said of the NVIDIA driver since it was started: `NVRM` lines, `Xid` errors, and when it woke up.

Most containers and many users may not read it. That is told as not known; it never means that there were no errors.
"""

import os
import re
from collections.abc import Iterator

from cudafit.machine.context import Context
from cudafit.system.posix import posix

PROBE = "kernel-log"
DEVICE = "/dev/kmsg"
_FILES = ("/var/log/dmesg", "/var/log/kern.log")
_ABOUT = re.compile(
    r"\bNVRM\b|\bnvidia[-_:]|\bnouveau\b|module verification failed|PM: .{0,80}(suspend|hibernation) exit", re.I
)
_MOST = 200
_LIMIT = 4 << 20


def read_kernel_log(context: Context) -> tuple[str, ...] | None:
    """The last lines about the driver; None where the log may not be read, with the reason among what was skipped."""
    if context.here:
        try:
            text = _device()
        except OSError as error:
            context.notes.skip(PROBE, f"{DEVICE}: {error.strerror or error}")
            return None
        lines = [line.partition(";")[2] for line in text.splitlines()]
        return tuple([line for line in lines if _ABOUT.search(line)][-_MOST:])
    for path in _FILES:
        if (found := context.tail(PROBE, path, _LIMIT)) is not None:
            return tuple([line for line in found.splitlines() if _ABOUT.search(line)][-_MOST:])
    return None


def _device() -> str:
    """One record a read, until there is none; a record that was overwritten meanwhile is passed over."""
    descriptor = os.open(DEVICE, os.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    try:
        return "\n".join(_records(descriptor))
    finally:
        os.close(descriptor)


def _records(descriptor: int) -> Iterator[str]:
    size = 0
    while size < _LIMIT:
        try:
            record = os.read(descriptor, 8192)
        except BrokenPipeError:
            continue
        except BlockingIOError:
            return
        if not record:
            return
        size += len(record)
        yield record.decode("utf-8", errors="replace").split("\n")[0]
