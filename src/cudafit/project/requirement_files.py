"""Requirement files as pip reads them: requirements, constraints, files within files.

Source: pip documentation, "Requirements File Format". Options for indexes and editable installs are kept as lines for
the package installer, and told; nothing is fetched or installed here.
"""

import errno
import os
import re
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, wanted
from cudafit.system.python310 import possessive
from cudafit.system.reading import is_possible, read_bytes, read_named

_LIMIT = 4 << 20
_DEPTH = 16
_MOST_FILES = 500
_NESTED = re.compile(possessive(r"(?:-r|--requirement|-c|--constraint)[\s=]*+(.+)"))
_LINKS = re.compile(possessive(r"(-f|--find-links)[\s=]*+([^\s\"'=][^\"']*)"))
_HASHES = re.compile(r"\s--(?:hash|config-settings?|global-option)[=\s].*$")
_COMMENT = re.compile(r"(?:^|\s)#")
_ADDRESS = re.compile(r"(?:[a-z+]+://|file:|git\+|\.{0,2}/|[A-Za-z]:\\)|.*\.(?:whl|zip|tar\.gz)$")


@frozen
class RequirementFile:
    """The requirements of a file and of those it names, and the lines that only an installer understands."""

    wanted: tuple[Wanted, ...]
    other: tuple[str, ...]


def read_requirement_file(path: str, *, constraint: bool = False, named: bool = False) -> RequirementFile:
    """Raises InputError with the file and the line. One that a person `named` may be a pipe."""
    reader = _Reader()
    reader.read(path, constraint, named=named)
    return RequirementFile(tuple(reader.found), tuple(reader.other))


class _Reader:
    """What was found so far, in a file and in those that it names."""

    def __init__(self) -> None:
        self.found: list[Wanted] = []
        self.other: list[str] = []
        self.files = 0

    def read(self, path: str, constraint: bool, above: tuple[str, ...] = (), *, named: bool = False) -> None:
        real = _real(path)
        if real in above:
            told = " -> ".join(os.path.basename(one) for one in (*above, real))
            raise InputError(f"`{path}` names itself, by {told}")
        if len(above) > _DEPTH:
            raise InputError(f"`{path}` is named by more than {_DEPTH} files in a row")
        self.files += 1
        if self.files > _MOST_FILES:
            raise InputError(f"`{path}` is one of more than {_MOST_FILES} files that name each other")
        for number, line in _lines(_text(path, named=named)):
            self._take(path, number, line, constraint, (*above, real))

    def _take(self, path: str, number: int, line: str, constraint: bool, above: tuple[str, ...]) -> None:
        if match := _NESTED.fullmatch(line):
            inner = match[1].strip().strip("\"'")
            nested = inner if os.path.isabs(inner) else os.path.join(os.path.dirname(path), inner)
            self.read(nested, constraint or line.startswith(("-c", "--constraint")), above)
        elif line.startswith("-") or (_ADDRESS.match(line) and " @ " not in line):
            self.other.append(_beside(line, path))
        else:
            self.found.append(wanted(_HASHES.sub("", line), f"{path}:{number}", constraint=constraint))


def _real(path: str) -> str:
    return os.path.realpath(path) if is_possible(path) else path


def _beside(line: str, path: str) -> str:
    """`--find-links wheels` means the folder beside the file, wherever the line is handed on to."""
    match = _LINKS.fullmatch(line)
    if match is None or "://" in match[2] or os.path.isabs(match[2]):
        return line
    return f"{match[1]} {os.path.abspath(os.path.join(os.path.dirname(path), match[2]))}"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines without comments, each with the number of its first line."""
    number, start, pending = 0, 0, ""
    for number, raw in enumerate(text.splitlines(), start=1):
        start = start or number
        # A comment ends a continued line too.
        comment = _COMMENT.search(raw)
        stripped = raw[: comment.start()].rstrip() if comment else raw
        stripped = stripped.lstrip() if pending else stripped
        if stripped.endswith("\\"):
            pending += stripped[:-1].rstrip() + " "
            continue
        line = (pending + stripped).strip()
        if line:
            yield start, line
        pending, start = "", 0
    if pending.strip():
        yield start or number, pending.strip()


def _text(path: str, *, named: bool) -> str:
    try:
        data = read_named(path, _LIMIT) if named else read_bytes(path, _LIMIT)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"`{path}` is larger than {_LIMIT >> 20} MiB: that is no requirement file") from None
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise InputError(f"`{path}` is not a requirement file: it is not UTF-8 text") from None
    if "\0" in text:
        raise InputError(f"`{path}` is not a requirement file: it holds binary data")
    return text
