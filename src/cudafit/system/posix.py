"""What one system has and another lacks, in one place, so that types are checked for each of them.

`posix` is `os` and `signals` is `signal`, where there are such things. On Windows they hold what cudafit's modules
name: a flag is no wish (0), and a call raises OSError, which says so. Nothing calls them there: `run` is for Linux, and
a change of an environment is refused before (`repair/state`).
"""

import errno
import os
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import socket

if sys.platform == "linux":
    from signal import sigtimedwait, struct_siginfo
else:

    class struct_siginfo:  # noqa: N801 - as it is called where there is one
        si_signo: int
        si_code: int
        si_pid: int

    def sigtimedwait(_numbers: Collection[int], _seconds: float, /) -> struct_siginfo | None:
        _lacking("sigtimedwait")


if sys.platform != "win32":
    import os as posix
    import signal as signals

    def allocated(status: os.stat_result) -> int:
        """What a file takes on the disk, in bytes."""
        return status.st_blocks * 512

    def lock_file(descriptor: int, *, shared: bool) -> None:
        """Takes the lock now or raises BlockingIOError; OSError on a file system without locks."""
        import fcntl  # noqa: PLC0415 - for this alone

        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def share_blocks(reader: int, writer: int) -> None:
        """Both files on the same blocks, until one is written to; raises OSError where a file system cannot do so."""
        import fcntl  # noqa: PLC0415

        fcntl.ioctl(writer, _FICLONE, reader)

    def no_core_file() -> None:
        import resource  # noqa: PLC0415 - for this alone

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def terminal_like(descriptor: int) -> tuple[int, int]:
        """A pseudo-terminal of the same size and settings: what is read of, and what a program is given. It changes no
        byte of what is written there, since the terminal itself does that; raises OSError."""
        import termios  # noqa: PLC0415 - for this alone

        ours, theirs = os.openpty()
        try:
            settings = termios.tcgetattr(descriptor)
            settings[1] &= ~termios.OPOST
            termios.tcsetattr(theirs, termios.TCSANOW, settings)
        except termios.error as error:
            os.close(ours)
            os.close(theirs)
            raise OSError(*error.args) from None
        copy_size(descriptor, theirs)
        return ours, theirs

    def message_sockets() -> "tuple[socket.socket, socket.socket]":
        """Two ends: what is sent at one comes whole at the other, or is not sent."""
        import socket  # noqa: PLC0415 - for this alone

        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def copy_size(terminal: int, other: int) -> None:
        """How many lines and columns a terminal has, for another one; raises OSError."""
        import fcntl  # noqa: PLC0415 - for this alone
        import termios  # noqa: PLC0415

        fcntl.ioctl(other, termios.TIOCSWINSZ, fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))

else:

    class _Posix:
        O_CLOEXEC = O_DIRECTORY = O_NOFOLLOW = O_NONBLOCK = 0
        ST_RDONLY = PRIO_PROCESS = 0
        WNOHANG = 1

        def __getattr__(self, name: str) -> Any:
            return lambda *_words, **_named: _lacking(name)

    class _Signals:
        def __getattr__(self, name: str) -> Any:
            return 0 if name.startswith("SIG") else lambda *_words, **_named: _lacking(name)

    posix = _Posix()
    signals = _Signals()

    def allocated(status: os.stat_result) -> int:
        return status.st_size

    def lock_file(descriptor: int, *, shared: bool) -> None:
        import msvcrt  # noqa: PLC0415 - for this alone

        if shared:
            _lacking("shared lock")
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError(errno.EAGAIN, "another process has the lock") from None

    def share_blocks(_reader: int, _writer: int) -> None:
        _lacking("ioctl")

    def no_core_file() -> None:
        _lacking("setrlimit")

    def terminal_like(_descriptor: int) -> tuple[int, int]:
        _lacking("openpty")

    def message_sockets() -> "tuple[socket.socket, socket.socket]":
        _lacking("socketpair")

    def copy_size(_terminal: int, _other: int) -> None:
        _lacking("ioctl")


__all__ = [
    "allocated",
    "copy_size",
    "lock_file",
    "message_sockets",
    "no_core_file",
    "posix",
    "share_blocks",
    "signals",
    "sigtimedwait",
    "struct_siginfo",
    "terminal_like",
]
_FICLONE = 0x40049409  # linux/fs.h


def _lacking(name: str) -> NoReturn:
    raise OSError(errno.ENOSYS, f"this system has no `{name}`")
