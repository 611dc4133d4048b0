"""Facts from locks of others: what they quote, laid beside the matrix."""

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from zlib import crc32

from cudafit.app.matrix_update import Change, changes_of, folder_of
from cudafit.env.conda_meta import read_meta
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.indexes import default_index
from cudafit.lock.quoted import read_quotes
from cudafit.lock.quoted.conda_files import by_address
from cudafit.lock.quoted.text import Given, sha256_of
from cudafit.matrix.harvest.index import default_index as installers_index
from cudafit.matrix.merge import quoted_files
from cudafit.matrix.quotes.judge import judged
from cudafit.matrix.quotes.outcome import Outcome
from cudafit.matrix.quotes.places import Places
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Source
from cudafit.model.quoted import Quotes
from cudafit.system.reading import read_named_text

_LIMIT = 64 << 20


@frozen
class Request:
    """`files` are locks, tables of what locks quote, and conda-meta folders or prefixes that have one."""

    files: tuple[str, ...]
    folder: str | None = None


@frozen
class FromLocks:
    """What came of it, and the files of the matrix that differ; none where two hashes contradict each other."""

    outcome: Outcome
    changes: tuple[Change, ...]
    exit_code: int


def from_locks(request: Request) -> FromLocks:
    """Reads; nothing is written. Raises InputError for a file that is no lock: then nothing is taken of any."""
    path, read = folder_of(request.folder)
    quotes, defaults = quotes_of(request.files)
    matrix = read.matrix()
    outcome = judged(matrix, quotes, Places(matrix.facts.indexes, defaults))
    texts = quoted_files(read, outcome.builds, outcome.conda, outcome.wheels, outcome.sources.values())
    return FromLocks(outcome, tuple(changes_of(path, read, texts)), 1 if outcome.refused else 0)


def quotes_of(files: Sequence[str]) -> tuple[list[Quotes], list[str]]:
    """All that the files quote, and the addresses of the default index; raises InputError."""
    if not files:
        raise InputError("`--from-locks` needs the files of locks")
    day = datetime.now(timezone.utc).date().isoformat()
    return [_read(file, day) for file in files], _defaults()


def _read(path: str, day: str) -> Quotes:
    if os.path.isdir(path):
        return _installed(path, day)
    try:
        text = read_named_text(path, _LIMIT)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    name = os.path.basename(path)
    return read_quotes(Given(path, name, text, _given(name, text, day), day))


def _given(name: str, content: str, day: str) -> Source:
    """By its name and a mark of its content: where it lay is nobody's business."""
    mark = f"{crc32(content.encode('utf-8', 'surrogatepass')):08x}"
    return Source(f"{name}@{mark}", f"{name}, as it was given", "lock", read=day, reliability="C")


def _installed(path: str, day: str) -> Quotes:
    """What conda wrote down of the packages in a prefix: their addresses and hashes, as a lock has them."""
    whole = os.path.abspath(path)
    prefix = os.path.dirname(whole) if os.path.basename(whole) == "conda-meta" else whole
    meta = read_meta(Files(), prefix)
    if meta.problems or not meta.records:
        told = meta.problems[0].error if meta.problems else "it has no records of conda's packages"
        raise InputError(f"`{path}` cannot be read as a conda-meta folder: {told}")
    source = _given("conda-meta", " ".join(f"{one.url} {one.sha256}" for one in meta.records), day)
    found = (by_address(one.url, sha256_of(f"sha256:{one.sha256}"), one.depends, source) for one in meta.records)
    return Quotes(conda=tuple(one for one in found if one))


def _defaults() -> list[str]:
    found: Sequence[str | None] = (default_index(), installers_index({}))
    return [one for one in found if one]
