"""What the packer of a source archive wrote into it of what it needs. Nothing of it is unpacked or run.

Sources: PEP 643 (metadata 2.2 in PKG-INFO holds unless it is called dynamic), setuptools' `requires.txt`; of the build
PEP 518 and the imports at the top of `setup.py`.
"""

import ast
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from email.parser import Parser
from functools import partial

from cudafit.model.frozen import frozen
from cudafit.system.python_text import parsed
from cudafit.system.toml import TomlError, read_toml

_MEMBERS = 20_000
_LIMIT = 1 << 20
_UNPACKED_LIMIT = 256 << 20
_STATIC = re.compile(r"(?:2\.(?:[2-9]|\d\d+)|[3-9])")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
_SECTION = re.compile(r"\[([^:\]]*)(?::(.*))?\]")


@frozen
class Archive:
    """`requires` is None where the archive does not tell. `imports` are the modules that its build imports whatever
    happens, `build` is what else the build is to find."""

    requires: tuple[str, ...] | None
    imports: tuple[str, ...] = ()
    build: tuple[str, ...] = ("setuptools",)


def read_archive(data: bytes) -> Archive:
    """What is broken tells nothing."""
    try:
        found = dict(_told(data))
    except _BROKEN:
        return Archive(None)
    build = _build_requires(found.get("pyproject.toml", ""))
    return Archive(_requires(found), tuple(_imports(found.get("setup.py", ""))), build or ("setuptools",))


def needs_of_archive(data: bytes) -> tuple[str, ...] | None:
    """The requirements; None where the archive does not tell, or is broken."""
    return read_archive(data).requires


def _requires(found: Mapping[str, str]) -> tuple[str, ...] | None:
    info = found.get("PKG-INFO")
    if info is not None:
        told = Parser().parsestr(info, headersonly=True)
        dynamic = {str(one).strip().lower() for one in told.get_all("Dynamic") or ()}
        if _STATIC.match(str(told.get("Metadata-Version") or "")) and "requires-dist" not in dynamic:
            return tuple(map(str, told.get_all("Requires-Dist") or ()))
    if "requires.txt" in found:
        return tuple(_of_setuptools(found["requires.txt"]))
    if info is not None and (listed := Parser().parsestr(info, headersonly=True).get_all("Requires-Dist")):
        return tuple(map(str, listed))
    return None


def _imports(text: str) -> Iterator[str]:
    """Those at the top, which no `try` and no `if` stands around."""
    try:
        body = parsed(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for one in body:
        if isinstance(one, ast.Import):
            yield from (name.name.partition(".")[0] for name in one.names)
        elif isinstance(one, ast.ImportFrom) and one.module and not one.level:
            yield one.module.partition(".")[0]


def _build_requires(text: str) -> tuple[str, ...]:
    try:
        table = read_toml(text.encode()).get("build-system")
    except TomlError:
        return ()
    told = table.get("requires") if isinstance(table, dict) else None
    return tuple(one for one in told if isinstance(one, str)) if isinstance(told, list) else ()


def _told(data: bytes) -> Iterator[tuple[str, str]]:
    """`PKG-INFO` and what the build begins with at the top, and `requires.txt` of an egg-info."""
    for name, read in _members(data):
        parts = name.split("/")
        is_info = len(parts) == 2 and parts[1] in ("PKG-INFO", "setup.py", "pyproject.toml")
        is_list = len(parts) >= 3 and parts[-2].endswith(".egg-info") and parts[-1] == "requires.txt"
        if is_info or is_list:
            yield parts[-1], read().decode("utf-8", "replace")


def _members(data: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist()[:_MEMBERS]:
                if info.file_size <= _LIMIT:
                    yield info.filename, partial(archive.read, info)
        return
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as packed:
        for number, member in enumerate(packed):
            if number >= _MEMBERS:
                return
            if member.offset_data + member.size > _UNPACKED_LIMIT:  # what is passed over has to be unpacked too
                return
            if member.isreg() and member.size <= _LIMIT:
                file = packed.extractfile(member)
                if file is not None:
                    yield member.name, file.read


def _of_setuptools(text: str) -> Iterator[str]:
    """Sections are extras with a marker: `[all:python_version < "3.9"]`."""
    marker = ""
    for line in map(str.strip, text.splitlines()):
        if match := _SECTION.fullmatch(line):
            parts = [f'extra == "{match[1]}"'] if match[1] else []
            parts += [f"({match[2]})"] if match[2] else []
            marker = " and ".join(parts)
        elif line:
            yield f"{line}; {marker}" if marker else line
