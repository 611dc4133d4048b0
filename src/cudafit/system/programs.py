"""Which programs are the system's own: no other one is started to read a machine.

PATH says what its writer likes to run, and begins with the environment that is looked at, or with the current folder.
So the folders are named here, and PATH only orders them. A folder of the list counts where it is no environment's, and
where nobody else can write: it, the file and all folders above belong to root, to ourselves, or to a user that this
user namespace does not know (as the host's root inside an unprivileged container), and not everybody may write there.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cudafit.system.posix import posix

FOLDERS = (
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/lib/wsl/lib",  # where WSL puts the driver's programs
    "/usr/local/nvidia/bin",  # container runtimes of clouds
    "/opt/bin",  # Colab, Flatcar
    "/opt/nvidia/bin",
    "/run/nvidia/driver/usr/bin",  # NVIDIA's driver container
    "/run/current-system/sw/bin",  # NixOS
)
# Toolkits as NVIDIA's packages and the distributions install them.
_TOOLKIT = re.compile(r"/(?:usr/local|opt)/cuda(?:-\d+(?:\.\d+)*)?/bin")
_WINDOWS = (
    ("SYSTEMROOT", "System32"),
    ("PROGRAMFILES", r"NVIDIA Corporation\NVSMI"),
)
_WINDOWS_TOOLKITS = r"NVIDIA GPU Computing Toolkit\CUDA"
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
_UNKNOWN_USER = 65534  # /proc/sys/kernel/overflowuid


@dataclass(frozen=True)
class Found:
    """A program to start; or, where there is none, those that were passed over, each with the reason."""

    path: str | None
    refused: tuple[str, ...] = ()


def system_program(name: str, environ: Mapping[str, str], *, windows: bool = os.name == "nt") -> Found:
    """The system's program of that name."""
    searched = environ.get("PATH", "").split(";" if windows else ":")
    known = [*FOLDERS, *_windows_folders(environ)] if windows else list(FOLDERS)
    name = f"{name}.exe" if windows else name
    listed = [folder for folder in map(_plain, searched) if folder in known]
    refused = []
    for folder in dict.fromkeys([*listed, *known, *searched]):
        place = os.path.join(folder or ".", name)
        if not (os.path.isfile(place) and os.access(place, os.X_OK)):
            continue
        reason = why_not(place, environ, windows=windows)
        if reason is None:
            return Found(place)
        refused.append(f"{place} was not run: {reason}")
    return Found(None, tuple(dict.fromkeys(refused)))


def why_not(place: str, environ: Mapping[str, str], *, windows: bool = os.name == "nt") -> str | None:
    """Why a program is not to be started; None where it is the system's own."""
    folder = _plain(os.path.dirname(place))
    if not os.path.isabs(folder):
        return "a relative folder of PATH is none of the system's"
    if windows:
        toolkits = os.path.join(environ.get("PROGRAMFILES", ""), _WINDOWS_TOOLKITS)
        known = folder in _windows_folders(environ) or folder.startswith(toolkits + "\\")
        return None if known else f"{folder} is no folder of the system"
    if folder not in FOLDERS and not _TOOLKIT.fullmatch(folder):
        return f"{folder} is no folder of the system"
    if any(os.path.lexists(os.path.join(os.path.dirname(folder), mark)) for mark in _ENVIRONMENT_MARKS):
        return f"{folder} belongs to an environment"
    return next(_writable_by_others(place), None)


def _plain(folder: str) -> str:
    return folder.rstrip("/") or folder


def _windows_folders(environ: Mapping[str, str]) -> list[str]:
    return [os.path.join(environ[variable], rest) for variable, rest in _WINDOWS if environ.get(variable)]


def _writable_by_others(place: str) -> Iterator[str]:
    """Along the way as it is written, and along the way that its links lead."""
    trusted = {0, posix.geteuid(), _UNKNOWN_USER}
    for start in dict.fromkeys([place, os.path.realpath(place)]):
        path = start
        while True:
            try:
                status = os.stat(path)
            except OSError as error:
                yield f"{path}: {error.strerror or error}"
                return
            if status.st_uid not in trusted:
                yield f"{path} belongs to user {status.st_uid}"
            # In a folder such as /tmp everybody may add files, and nobody may replace another one's.
            above = path not in (start, os.path.dirname(start))
            if status.st_mode & stat.S_IWOTH and not (above and status.st_mode & stat.S_ISVTX):
                yield f"everybody may write to {path}"
            if path == os.path.dirname(path):
                break
            path = os.path.dirname(path)
