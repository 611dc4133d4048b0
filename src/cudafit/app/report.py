"""One page about a room of machines, or about one of them."""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cudafit import __version__
from cudafit.app.asked import WhichFacts
from cudafit.app.judged import judged
from cudafit.app.result import Result
from cudafit.app.room_files import read_room
from cudafit.errors import CudafitError
from cudafit.matrix.load import open_matrix
from cudafit.model.fit import Resolution
from cudafit.model.frozen import frozen
from cudafit.model.room import ERROR, SCHEMA, Room
from cudafit.report.records import LockFile
from cudafit.report.room import room_of
from cudafit.resolve.conda import in_our_names
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Library
from cudafit.resolve.request import Request as Builds

if TYPE_CHECKING:
    from cudafit.render.row import Row

_PROBLEM = 1


@frozen
class Request:
    """`path` is a folder of files, or one. `html` is the page to write."""

    path: str
    facts: WhichFacts
    html: str | None = None


def report(request: Request) -> Result:
    """`record` of the result is a `Room`. Raises InputError where there is nothing to show."""
    book = open_matrix(request.facts.matrices, request.facts.pinned)
    records = read_room(request.path)
    library = Library(book)

    def judge(lock: LockFile, host: Host) -> Resolution:
        asked = Builds(wanted=(), python=lock.python, conda=lock.conda)
        if lock.conda:
            asked = in_our_names(asked, [host])
        return judged(lock.versions, asked, [host], book).resolution

    now = datetime.datetime.now(datetime.timezone.utc)
    room = room_of(records, library, judge, date=now.strftime("%Y-%m-%d %H:%M UTC"), cudafit=__version__)
    if request.html:
        _write(request.html, room)
    worst = any(one.state == ERROR for one in room.states)
    return Result(
        SCHEMA, room, f"report {room.name}", lambda: _rows(room), _PROBLEM if worst else 0, long=True, facts=book.told
    )


def _write(path: str, room: Room) -> None:
    from cudafit.atomic import write_text  # noqa: PLC0415 - where a page is written
    from cudafit.render.room_html import page  # noqa: PLC0415

    try:
        write_text(path, page(room))
    except OSError as error:
        raise CudafitError(f"cannot write `{path}`: {error.strerror or error}") from None


def _rows(room: Room) -> "Sequence[Row]":
    from cudafit.render.room_rows import room_rows  # noqa: PLC0415 - not for JSON

    return room_rows(room)
