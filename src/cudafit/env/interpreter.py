"""An environment's interpreter, and what a compiler needs of it."""

import re
from collections.abc import Sequence

from cudafit.env.reader import Reader
from cudafit.model.environment import CondaPackage


def find_interpreter(reader: Reader, prefix: str) -> str | None:
    """Also a broken link: it says which Python there was."""
    for name in ("bin/python", "bin/python3", "python.exe", "Scripts/python.exe"):
        path = f"{prefix}/{name}"
        if reader.files.exists(path):
            return path
        if (target := reader.files.link_target(path)) is not None:
            reader.note(f"{path} is a broken link to {target}")
            return path
    return None


def has_header(reader: Reader, program: str, python: str | None) -> bool | None:
    """Whether Python.h lies where the interpreter's own sysconfig would say; None where that cannot be told."""
    named = re.search(r"/python(3\.\d+t?)$", program)
    version = named[1] if named else ".".join((python or "").split(".")[:2])
    prefix, _, _ = program.rpartition("/bin/")
    if not version or "/bin/" not in program:
        return None
    return reader.files.is_file(f"{prefix}/include/python{version}/Python.h")


def conda_compiler(reader: Reader, prefix: str) -> str | None:
    """conda's own: its activation puts it into CC, which is not set where the environment is not active."""
    names = [*(f"{processor}-conda-linux-gnu-cc" for processor in ("x86_64", "aarch64")), "gcc", "clang"]
    paths = (f"{prefix}/bin/{name}" for name in names)
    return next((path for path in paths if reader.files.is_file(path)), None)


def python_by_name(program: str | None) -> str | None:
    """Of a Python without an environment: its file is called `python3.12`."""
    named = re.search(r"/python(3\.\d+)t?$", program or "")
    return named[1] if named else None


def managed_by(reader: Reader, prefix: str, program: str | None) -> str | None:
    """The file that says that a distribution, or a tool, keeps this Python (PEP 668)."""
    named = re.search(r"/(python3\.\d+t?)$", program or "")
    for library in ("lib", "lib64"):
        path = f"{prefix}/{library}/{named[1]}/EXTERNALLY-MANAGED" if named else ""
        if path and reader.files.is_file(path):
            return path
    return None


def python_by_folders(conda: Sequence[CondaPackage], places: Sequence[str]) -> str | None:
    """Where no pyvenv.cfg tells the version."""
    for package in conda:
        if package.name == "python":
            return package.version
    for place in places:
        if match := re.search(r"/python(3\.\d+)t?/", place + "/"):
            return match[1]
    return None
