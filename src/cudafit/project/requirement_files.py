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

LIMIT = 4 << 20
_DEPTH = 16
_MOST_FILES = 500
_NESTED = re.compile(possessive(r"(?:-r|--requirement|-c|--constraint)[\s=]*+(.+)"))
_LINKS = re.compile(possessive(r"(-f|--find-links)[\s=]*+([^\s\"'=][^\"']*)"))
_HASHES = re.compile(r"\s--(?:hash|config-settings?|global-option)[=\s].*$")
_NAMED = re.compile(possessive(r"[A-Za-z0-9][\w.-]*+\s*+(?:\[[^\]]*+\])?+\s*+@"))
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")  # pip knows these alone
_VERSION = re.compile(r"[0-9][\w.*+!]{0,40}", re.ASCII)
_COMMENT = re.compile(r"(?:^|\s)#")
_ADDRESS = re.compile(r"(?:[a-z+]+://|file:|git\+|\.{0,2}/|[A-Za-z]:\\)|.*\.(?:whl|zip|tar\.gz)$")


@frozen
class RequirementFile:
    """The requirements of a file and of those it names, and the lines that only an installer understands, with the
    place of each. `unread` tells what was not understood."""

    wanted: tuple[Wanted, ...]
    other: tuple[str, ...]
    places: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_requirement_file(path: str, *, constraint: bool = False, named: bool = False) -> RequirementFile:
    """Raises InputError with the file and the line. One that a person `named` may be a pipe."""
    reader = _Reader()
    reader.read(path, constraint, named=named)
    return reader.made()


def parse_requirement_file(text: str, path: str) -> RequirementFile:
    """The same for a text that was read already; files that it names are read."""
    reader = _Reader()
    reader.take_all(text, path, constraint=False, above=(_real(path),))
    return reader.made()


class _Reader:
    """What was found so far, in a file and in those that it names."""

    def __init__(self) -> None:
        self.found: list[Wanted] = []
        self.other: list[str] = []
        self.places: list[str] = []
        self.unread: list[str] = []
        self.files: list[str] = []

    def made(self) -> RequirementFile:
        lists = (self.found, self.other, self.places, self.unread, list(dict.fromkeys(self.files)))
        return RequirementFile(*map(tuple, lists))  # type: ignore[arg-type] # five lists of the right kinds

    def read(self, path: str, constraint: bool, above: tuple[str, ...] = (), *, named: bool = False) -> None:
        real = _real(path)
        if real in above:
            told = " -> ".join(os.path.basename(one) for one in (*above, real))
            raise InputError(f"`{path}` names itself, by {told}")
        if len(above) > _DEPTH:
            raise InputError(f"`{path}` is named by more than {_DEPTH} files in a row")
        if len(self.files) >= _MOST_FILES:
            raise InputError(f"`{path}` is one of more than {_MOST_FILES} files that name each other")
        self.take_all(file_text(path, named=named), path, constraint=constraint, above=(*above, real))

    def take_all(self, text: str, path: str, *, constraint: bool, above: tuple[str, ...]) -> None:
        self.files.append(path)
        for number, line in _lines(text):
            self._take(path, number, line, constraint, above)

    def _take(self, path: str, number: int, line: str, constraint: bool, above: tuple[str, ...]) -> None:
        if match := _NESTED.fullmatch(line):
            inner = match[1].strip().strip("\"'")
            nested = inner if os.path.isabs(inner) else os.path.join(os.path.dirname(path), inner)
            self.read(nested, constraint or line.startswith(("-c", "--constraint")), above)
        elif line.startswith("-") or is_address(line):
            self.other.append(_beside(line, path))
            self.places.append(f"{path}:{number}")
        else:
            plain = _HASHES.sub("", line)
            self.found.append(
                wanted(self._filled(plain, f"{path}:{number}"), f"{path}:{number}", constraint=constraint)
            )

    def _filled(self, line: str, place: str) -> str:
        """With its variables put in, as pip does. A login in an address stays where it is: uv puts it in. Of a version
        that nobody tells here the package is all that is known."""
        if "${" not in line or "://" in line:
            return line
        # The file may be a stranger's: of the variables nothing but a version is taken.
        missing = [name for name in _VARIABLE.findall(line) if not _VERSION.fullmatch(os.environ.get(name, ""))]
        if not missing:
            return _VARIABLE.sub(lambda match: os.environ[match[1]], line)
        self.unread.append(f"{place}: the variable {missing[0]} holds no version here, so any will do")
        head, _, marker = line.partition(";")
        bare = re.split(r"[=<>!~@\s]", head, maxsplit=1)[0]
        return f"{bare} ;{marker}" if marker and "${" not in marker else bare


def is_address(line: str) -> bool:
    """Whether a line is an address without a name before it."""
    return _ADDRESS.match(line) is not None and _NAMED.match(line) is None


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


def file_text(path: str, *, named: bool, limit: int = LIMIT) -> str:
    try:
        data = read_named(path, limit) if named else read_bytes(path, limit)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"`{path}` is larger than {limit >> 20} MiB: that is no requirement file") from None
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise InputError(f"`{path}` is not a requirement file: it is not UTF-8 text") from None
    if "\0" in text:
        raise InputError(f"`{path}` is not a requirement file: it holds binary data")
    return text
