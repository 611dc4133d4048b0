"""Requirement files as pip reads them: requirements, constraints, files within files.

Source: pip documentation, "Requirements File Format". Options for indexes and editable installs are kept as lines for
the package installer, and told; nothing is fetched or installed here.
"""

import os
import re
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, wanted

_LIMIT = 4 << 20
_DEPTH = 16
_NESTED = re.compile(r"(?:-r|--requirement|-c|--constraint)[\s=]*+(.+)")
_HASHES = re.compile(r"\s--(?:hash|config-settings?|global-option)[=\s].*$")
_COMMENT = re.compile(r"(?:^|\s)#")
_ADDRESS = re.compile(r"(?:[a-z+]+://|file:|git\+|\.{0,2}/|[A-Za-z]:\\)|.*\.(?:whl|zip|tar\.gz)$")


@frozen
class RequirementFile:
    """The requirements of a file and of those it names, and the lines that only an installer understands."""

    wanted: tuple[Wanted, ...]
    other: tuple[str, ...]


def read_requirement_file(path: str, *, constraint: bool = False) -> RequirementFile:
    """Raises InputError with the file and the line."""
    found: list[Wanted] = []
    other: list[str] = []
    _read(path, constraint, (), found, other)
    return RequirementFile(tuple(found), tuple(other))


def _read(path: str, constraint: bool, above: tuple[str, ...], found: list[Wanted], other: list[str]) -> None:
    real = os.path.realpath(path)
    if real in above:
        raise InputError(f"`{path}` names itself, by {' -> '.join(os.path.basename(one) for one in (*above, real))}")
    if len(above) > _DEPTH:
        raise InputError(f"`{path}` is named by more than {_DEPTH} files in a row")
    for number, line in _lines(path):
        origin = f"{path}:{number}"
        if match := _NESTED.fullmatch(line):
            inner = match[1].strip().strip("\"'")
            nested = inner if os.path.isabs(inner) else os.path.join(os.path.dirname(path), inner)
            is_constraint = constraint or line.startswith(("-c", "--constraint"))
            _read(nested, is_constraint, (*above, real), found, other)
        elif line.startswith("-") or (_ADDRESS.match(line) and " @ " not in line):
            other.append(line)
        else:
            found.append(wanted(_HASHES.sub("", line), origin, constraint=constraint))


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Logical lines without comments, each with the number of its first line."""
    text = _text(path)
    number, start, pending = 0, 0, ""
    for number, raw in enumerate(text.splitlines(), start=1):
        start = start or number
        # A comment ends a continued line too.
        comment = _COMMENT.search(raw)
        stripped = raw[: comment.start()].rstrip() if comment else raw
        if stripped.endswith("\\"):
            pending += stripped[:-1].rstrip() + " "
            continue
        line = (pending + stripped).strip()
        if line:
            yield start, line
        pending, start = "", 0
    if pending.strip():
        yield start or number, pending.strip()


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    if len(data) > _LIMIT:
        raise InputError(f"`{path}` is larger than {_LIMIT >> 20} MiB: that is no requirement file")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise InputError(f"`{path}` is not a requirement file: it is not UTF-8 text") from None
    if "\0" in text:
        raise InputError(f"`{path}` is not a requirement file: it holds binary data")
    return text
