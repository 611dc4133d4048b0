"""The rules for error texts, as people edit them: `matrices/messages/*.yaml`, one file a family.

They are facts like the others, and compiled like them into one JSON file, which `explain` alone reads.
"""

import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.errors import CudafitError
from cudafit.matrix.folder import Flaw
from cudafit.messages.conditions import divided
from cudafit.messages.keys import has_no_bound, keys_of, needs_of, width_of
from cudafit.messages.patterns import KINDS as CAPTURED
from cudafit.messages.patterns import expanded
from cudafit.model.frozen import frozen
from cudafit.model.kinds import KINDS
from cudafit.model.messages import Book, book_from
from cudafit.system.reading import read_text

FORMAT = 4
COMPILED = "messages.json"
FOLDER = "messages"
_LIMIT = 4 << 20
_ROLES = ("cause", "weak", "ordinary", "harmless", "echo", "sign")
_TEXTS = (
    "id",
    "role",
    "finding",
    "pattern",
    "says",
    "fix",
    "type",
    "also",
    "when",
    "unless",
    "if",
    "outranks",
    "source",
)
_KEYS = frozenset({*_TEXTS, "cases", "match", "unlike"})
_IN_CASE = frozenset({"role", "finding", "says", "fix", "type", "also", "when", "unless", "if"})
_REMEDIES = "remedies"


@frozen
class Written:
    """A rule as it stands in a file."""

    plain: Mapping[str, Any]
    file: str
    line: int

    def flaw(self, message: str) -> Flaw:
        return Flaw(self.file, self.line, "messages", message)


@frozen
class Rules:
    """All that the folder holds; `remedies` is what to do about each finding, and what to type."""

    written: tuple[Written, ...]
    remedies: Mapping[str, tuple[str, str]]
    flaws: tuple[Flaw, ...] = ()

    def compiled(self) -> list[dict[str, Any]]:
        """As `rules_from` reads them."""
        return [_compiled(one.plain, self.remedies) for one in self.written]

    def book(self) -> dict[str, Any]:
        """As `book_from` reads it."""
        remedies = {name: [fix, _commands(typed)] for name, (fix, typed) in self.remedies.items()}
        return {"rules": self.compiled(), "remedies": remedies}


def read_rules(folder: str) -> Rules:
    """The files of a folder of matrices, with what is wrong in them."""
    from cudafit.matrix.yaml_text import MatrixSyntaxError, load  # noqa: PLC0415 - YAML is slow to load

    written: list[Written] = []
    remedies: dict[str, tuple[str, str]] = {}
    flaws: list[Flaw] = []
    place = os.path.join(folder, FOLDER)
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
        if not name.endswith(".yaml"):
            continue
        file = f"{FOLDER}/{name}"
        try:
            whole = load(read_text(os.path.join(place, name), _LIMIT))
        except MatrixSyntaxError as error:
            flaws.append(Flaw(file, error.line, "messages", error.what))
            continue
        except OSError as error:
            flaws.append(Flaw(file, 1, "messages", f"cannot be read: {error.strerror or error}"))
            continue
        rows = whole if isinstance(whole, dict) else {}
        for row in rows.get("rules") or ():
            one = Written(row, file, getattr(row, "line", 1))
            found = list(_flaws(one))
            flaws += found
            if not found:
                written.append(one)
        for row in rows.get(_REMEDIES) or ():
            remedies[row["finding"]] = row["fix"], row.get("type", "")
    return Rules(tuple(written), remedies, tuple(flaws))


def _flaws(one: Written) -> Iterator[Flaw]:
    """What keeps a rule from being compiled."""
    row = one.plain
    if not isinstance(row, dict):
        yield one.flaw("a rule is a mapping")
        return
    for key in row:
        if key not in _KEYS:
            yield one.flaw(f"no field is called `{key}`")
        elif key in _TEXTS and not (isinstance(row[key], str) and row[key].strip()):
            yield one.flaw(f"`{key}` must be a text")
    for key in ("match", "unlike"):
        if not all(isinstance(text, str) for text in row.get(key, ())):
            yield one.flaw(f"`{key}` is a list of texts: quote those that hold `: `")
    role = row.get("role", "cause")
    needed = ("id", "pattern", "match") if role == "sign" else ("id", "pattern", "says", "source", "match")
    for key in needed:
        if key not in row:
            yield one.flaw(f"`{key}` is missing")
    if role not in _ROLES:
        yield one.flaw(f"`role` cannot be `{role}`")
    for part in (row, *row.get("cases", ())):
        yield from _part_flaws(one, part, whole=part is row)
    try:
        pattern = expanded(row.get("pattern", ""))
        re.compile(pattern)
        keys_of(pattern)
        if has_no_bound(pattern):
            yield one.flaw("`pattern` has a repetition without a bound: write {0,80}")
    except (re.error, KeyError, ValueError) as error:
        yield one.flaw(f"`pattern` cannot be used: {error}")


def _part_flaws(one: Written, part: Mapping[str, Any], *, whole: bool) -> Iterator[Flaw]:
    if not whole and (surplus := sorted(set(part) - _IN_CASE)):
        yield one.flaw(f"no field of a case is called `{surplus[0]}`")
    for name in (part.get("finding", ""), *part.get("also", "").split()):
        if name and name not in KINDS:
            yield one.flaw(f"no finding is called `{name}`")
    if "if" in part:
        try:
            divided(part["if"])
        except ValueError as error:
            yield one.flaw(str(error))


def _compiled(row: Mapping[str, Any], remedies: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    pattern = expanded(row["pattern"])
    meanings = [_meaning(row, case, remedies) for case in (*row.get("cases", ()), {})]
    return {
        "id": row["id"],
        "pattern": pattern,
        "keys": keys_of(pattern),
        "needs": needs_of(pattern),
        "width": width_of(pattern),
        "outranks": row.get("outranks", "").split(),
        "meanings": meanings,
    }


def _meaning(row: Mapping[str, Any], case: Mapping[str, Any], remedies: Mapping[str, tuple[str, str]]) -> list[Any]:
    role = case.get("role", row.get("role", "cause"))
    finding = case.get("finding", row.get("finding")) if role in ("cause", "weak", "harmless") else None
    if role == "harmless" and "finding" not in case and finding:
        finding = None
    fix, typed = remedies.get(finding or "", ("", ""))
    fix = case.get("fix") or row.get("fix") or fix
    typed = case.get("type") or row.get("type") or typed
    also = case["also"] if "also" in case else row.get("also", "") if finding == row.get("finding") else ""
    commands = _commands(typed)
    when, unless = (f"{row.get(key, '')} {case.get(key, '')}".split() for key in ("when", "unless"))
    condition = case.get("if") or row.get("if", "")
    return [
        role,
        finding,
        case.get("says") or row.get("says", ""),
        fix,
        commands,
        also.split(),
        when,
        unless,
        condition,
    ]


def _commands(typed: str) -> list[list[str]]:
    return [words.split() for words in typed.split(" ;; ") if words]


def load_book(shipped: str, compiled: str | None, cache: str) -> Book:
    """The rules: compiled with the wheel, or from a checkout's own files, kept in `cache`."""
    if compiled and os.path.isfile(path := os.path.join(compiled, COMPILED)):
        return book_from(json.loads(read_text(path, _LIMIT)))
    path = os.path.join(cache, f"messages-{_key(shipped)}.json")
    try:
        return book_from(json.loads(read_text(path, _LIMIT)))
    except (OSError, ValueError, KeyError, TypeError):
        return book_from(_made(shipped, path))


def _made(shipped: str, path: str) -> Any:
    from contextlib import suppress  # noqa: PLC0415

    from cudafit.atomic import write_text  # noqa: PLC0415

    rules = read_rules(shipped)
    if rules.flaws:
        raise CudafitError(f"the rules of messages cannot be read: {rules.flaws[0]}", hint="`cudafit matrix check`")
    made = compiled_text(rules)
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_text(path, made)
    return json.loads(made)


def compiled_text(rules: Rules) -> str:
    return json.dumps({"format": FORMAT, **rules.book()}, separators=(",", ":")) + "\n"


def _key(shipped: str) -> str:
    """What the files and the code that compiles them are, without loading either."""
    crc = FORMAT
    for module in (__file__, keys_of.__code__.co_filename, expanded.__code__.co_filename):
        crc = zlib.crc32(f"{os.stat(module).st_mtime_ns}".encode(), crc)
    place = os.path.join(shipped, FOLDER)
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
        status = os.stat(os.path.join(place, name))
        crc = zlib.crc32(f"{name} {status.st_size} {status.st_mtime_ns}".encode(), crc)
    return f"{crc:08x}"


__all__ = ["CAPTURED", "Rules", "Written", "compiled_text", "load_book", "read_rules"]
