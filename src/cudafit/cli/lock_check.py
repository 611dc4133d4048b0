"""`cudafit resolve --check -o FILE`: whether a lock still fits, for CI and pre-commit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cudafit.cli.common import say_lines, write, write_line
from cudafit.errors import CudafitError
from cudafit.lock.check import problems
from cudafit.lock.formats import CONDA, Format
from cudafit.lock.held import Held, read_lock
from cudafit.model.fit import SCHEMA
from cudafit.model.record import to_plain
from cudafit.render.json_text import json_rows
from cudafit.resolve.answer import resolve

if TYPE_CHECKING:
    from cudafit.model.fit import Resolution
    from cudafit.resolve.host import Host
    from cudafit.resolve.problem import Book
    from cudafit.resolve.request import Request


def check_locks(
    files: Sequence[tuple[str, Format]], request: "Request", machines: "list[Host]", book: "Book", *, as_json: bool
) -> int:
    """0 where every lock fits, 1 where one does not; raises InputError for a file that is no lock."""
    held = [(read_lock(path, form), form) for path, form in files]
    answers = [(one, *_judge(one, form, request, machines, book)) for one, form in held]
    if as_json:
        checks = [{"path": one.path, "fits": not told, "problems": told} for one, _, told in answers]
        write(json_rows({"schema": SCHEMA, **to_plain(answers[0][1]), "checks": checks}))
    for one, _, told in answers:
        if told:
            hint = f"`cudafit resolve` without `--check` writes `{one.path}` anew"
            say_lines(str(CudafitError(f"`{one.path}` does not fit", cause=told, hint=hint)))
        elif not as_json:
            write_line(f"{one.path} fits")
    return int(any(told for _, _, told in answers))


def _judge(
    held: Held, form: Format, request: "Request", machines: "list[Host]", book: "Book"
) -> "tuple[Resolution, list[str]]":
    asked = replace(
        request, locked=held.versions, conda=form.kind == CONDA, python=request.python or held.python, prefer="newest"
    )
    resolution = resolve(asked, machines, book)
    picked = {pick.name for pick in resolution.picks}
    others = [want for want in request.wanted if want.name not in picked and want.name not in book.packages]
    return resolution, list(problems(held, resolution, others))
