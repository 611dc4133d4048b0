"""The runs of earlier days: a file for each machine and environment, in the user's data folder."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping

from cudafit.errors import InputError
from cudafit.model.bench import SCHEMA, Bench
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.system.parsing import reason
from cudafit.system.reading import read_named_text, read_text
from cudafit.system.secrets import redacted_tree

_LIMIT = 64 << 20
_KEPT = 500  # runs of an environment; the oldest go


def data_folder(environ: Mapping[str, str], system: str = sys.platform) -> str:
    """By the XDG base directories; on Windows and macOS where programs keep data of a user."""
    if base := environ.get("XDG_DATA_HOME"):
        return os.path.join(base, "cudafit")
    if system == "win32":
        return os.path.join(environ.get("LOCALAPPDATA") or os.path.expanduser("~"), "cudafit")
    if system == "darwin":
        return os.path.expanduser("~/Library/Application Support/cudafit")
    home = environ.get("HOME") or os.path.expanduser("~")
    return os.path.join(home, ".local", "share", "cudafit")


def history_file(environ: Mapping[str, str], machine: str, environment: str) -> str:
    """`machine` names it for as long as its GPUs stay: their UUIDs, or the name of a host that has none."""
    key = hashlib.sha256(f"{machine}\n{environment}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return os.path.join(data_folder(environ), "bench", f"{key}.jsonl")


def add(path: str, bench: Bench) -> None:
    """Raises OSError."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    lines = [*_lines(path)[-(_KEPT - 1) :], as_line(bench)]
    from cudafit.atomic import write_text  # noqa: PLC0415 - for a run that is kept

    write_text(path, "".join(f"{line}\n" for line in lines))


def read(path: str) -> tuple[Bench, ...]:
    """The runs, the oldest first; a line that an interrupted write left is passed over. Raises InputError."""
    try:
        lines = _lines(path)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    found = []
    for line in lines:
        try:
            found.append(from_plain(Bench, json.loads(line)))
        except (ValueError, RecursionError):
            continue
    return tuple(found)


def _lines(path: str) -> list[str]:
    try:
        return [line for line in read_text(path, _LIMIT).split("\n") if line]
    except FileNotFoundError:
        return []


def as_line(bench: Bench) -> str:
    return json.dumps(redacted_tree({"schema": SCHEMA, **to_plain(bench)}))


def load(path: str) -> Bench:
    """A run that `--save` or `--json` wrote; raises InputError."""
    try:
        value = json.loads(read_named_text(path, _LIMIT))
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{path}` is no JSON: {reason(error)}") from None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise InputError(f"`{path}` is no result of `cudafit bench --save`: its schema is not `{SCHEMA}`")
    try:
        return from_plain(Bench, value)
    except RecordError as error:
        raise InputError(f"`{path}`: {error}") from None
