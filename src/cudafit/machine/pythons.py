"""Pythons that environments can be made from, found without running any."""

import os
import re
import sys

from cudafit.machine.context import Context
from cudafit.model.machine import Interpreter
from cudafit.model.versions import natural_key

PROBE = "pythons"
_NAME = re.compile(r"python(\d(?:\.\d+)?)?")
_SYSTEM_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin")
_WINDOWS_STORE = "WindowsApps"


def read_pythons(context: Context) -> tuple[Interpreter, ...]:
    """Each interpreter once, newest first; the one that runs cudafit with its full version."""
    found: dict[str, Interpreter] = {}
    if context.here and sys.executable:
        version = ".".join(map(str, sys.version_info[:3]))
        # In a venv of Windows it is a copy, which knows the one that environments are made from.
        program = str(getattr(sys, "_base_executable", sys.executable)) if os.name == "nt" else sys.executable
        found[context.files.real(program)] = Interpreter(version, program, "running cudafit")
    if context.system == "windows":
        context.notes.skip(PROBE, "on Windows only the Python that runs cudafit is listed; `py -0p` lists all")
        return tuple(found.values())
    for folder in _folders(context):
        for name in context.names(PROBE, folder, "python*"):
            if not _NAME.fullmatch(name):
                continue
            path = f"{folder}/{name}"
            if not context.files.exists(path):
                context.note_broken_link(PROBE, path)
                continue
            real = context.files.real(path)
            if real not in found and _is_program(context, path) and (told := version_of(real)):
                found[real] = Interpreter(told[0], path, told[1])
    return tuple(sorted(found.values(), key=lambda python: natural_key(python.version), reverse=True))


def _folders(context: Context) -> list[str]:
    folders = [folder for folder in context.environ.get("PATH", "").split(":") if folder.startswith("/")]
    folders += _SYSTEM_FOLDERS
    for home in context.homes():
        for base in (f"{home}/.pyenv/versions", f"{home}/.local/share/uv/python"):
            folders += [f"{base}/{name}/bin" for name in context.names(PROBE, base)]
    return list(dict.fromkeys(folder.rstrip("/") for folder in folders))


def version_of(real: str) -> tuple[str, str] | None:
    """From where an interpreter lies: pyenv's and uv's folders carry the full version, a plain name its first two."""
    if match := re.search(r"/\.pyenv/versions/(\d+\.\d+\.\d+)/bin/", real):
        return match.group(1), "pyenv folder"
    if match := re.search(r"/cpython-(\d+\.\d+\.\d+)(?!\d)[^/]*/bin/", real):
        return match.group(1), "uv folder"
    if match := re.search(r"/python(\d+\.\d+)$", real):
        return match.group(1), "file name"
    return None


def _is_program(context: Context, path: str) -> bool:
    """A pyenv or asdf shim is a script: which Python it starts depends on the folder it is started in."""
    try:
        return context.files.head(path, 4) in (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    except OSError:
        return False
