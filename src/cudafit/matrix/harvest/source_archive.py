"""What the packer of a source archive wrote into it of what it needs. Nothing of it is unpacked or run.

Sources: PEP 643 (metadata 2.2 in PKG-INFO holds unless it is called dynamic), setuptools' `requires.txt`.
"""

import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from email.parser import Parser
from functools import partial

_MEMBERS = 20_000
_LIMIT = 1 << 20
_UNPACKED_LIMIT = 256 << 20
_STATIC = re.compile(r"(?:2\.(?:[2-9]|\d\d+)|[3-9])")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
_SECTION = re.compile(r"\[([^:\]]*)(?::(.*))?\]")


def needs_of_archive(data: bytes) -> tuple[str, ...] | None:
    """The requirements; None where the archive does not tell, or is broken."""
    try:
        found = dict(_told(data))
    except _BROKEN:
        return None
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


def _told(data: bytes) -> Iterator[tuple[str, str]]:
    """`PKG-INFO` at the top, and `requires.txt` of an egg-info."""
    for name, read in _members(data):
        parts = name.split("/")
        is_info = len(parts) == 2 and parts[1] == "PKG-INFO"
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
