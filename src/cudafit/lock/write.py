"""Writing the files: all of them or none, each whole, and none over a file that somebody else wrote."""

import os
from collections.abc import Iterable, Iterator, Sequence

from cudafit.atomic import write_bytes, write_text
from cudafit.errors import InputError
from cudafit.lock.header import is_ours
from cudafit.model.frozen import frozen
from cudafit.system import diffs
from cudafit.system.reading import read_text, read_untouched
from cudafit.system.text import is_plain

LIMIT = 64 << 20


@frozen
class Document:
    """A file to write. `edits`: it is the user's own, changed in place."""

    path: str
    format: str
    text: str
    packages: int = 0
    edits: bool = False


def refuse_foreign(paths: Iterable[str], *, force: bool) -> None:
    """Before any work, since a file that cudafit did not write stays. Raises InputError."""
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise InputError(f"cannot write `{path}`: there is no folder `{folder}`")
        if os.path.isdir(path):
            raise InputError(f"cannot write `{path}`: it is a folder")
        if not os.access(folder, os.W_OK):
            raise InputError(f"cannot write `{path}`: the folder `{folder}` is read-only")
        if not force and (text := current(path)) is not None and text.strip() and not is_ours(text):
            raise InputError(
                f"`{path}` exists, and cudafit did not write it",
                hint="give another name, or `--force` to replace it",
            )


def one_line(text: str) -> str:
    """For a file in which each line is read by itself. Raises InputError for a text that would not stay in its line, or
    holds what nobody sees: no package, address or option has a reason to."""
    if not is_plain(text):
        raise InputError(
            f"`{text}` cannot stand in a lock", cause=["it holds a character that ends a line, or that is not shown"]
        )
    return text


def current(path: str, *, untouched: bool = False) -> str | None:
    """What stands in the file now; None where there is none, and for a pipe or a device: nothing in it can be lost.

    `untouched`: with its own line ends, since it is changed in place. Raises InputError.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        return None
    try:
        return read_untouched(path, LIMIT) if untouched else read_text(path, LIMIT, errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None


def write_all(documents: Sequence[Document]) -> None:
    """Raises InputError; what was written before stays, each file whole."""
    for document in documents:
        try:
            if document.edits and os.path.isfile(document.path):
                write_bytes(document.path, document.text.encode("utf-8"))
            else:
                write_text(document.path, document.text)
        except OSError as error:
            raise InputError(f"cannot write `{document.path}`: {error.strerror or error}") from None


def difference(document: Document) -> Iterator[str]:
    """What would change in the file, as a diff."""
    old = current(document.path, untouched=document.edits) or ""
    old_name = document.path if old else "/dev/null"
    return diffs.difference(diffs.lines_of(old), diffs.lines_of(document.text), old_name, document.path)
