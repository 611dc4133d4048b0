"""What locks quote, for the user's own layer of facts: of an installed cudafit, too, anybody's lock extends a row."""

import os
from collections.abc import Mapping
from dataclasses import replace

from cudafit.app.matrix_locks import quotes_of
from cudafit.app.matrix_own import lines_of, standing_of, write_new
from cudafit.app.result import Result
from cudafit.matrix.load import packaged
from cudafit.matrix.quotes.judge import judged
from cudafit.matrix.quotes.places import Places
from cudafit.model.frozen import frozen
from cudafit.model.matrix import SCHEMA, Matrix
from cudafit.render.row import Row


@frozen
class Request:
    """`files` are locks, or tables of what locks quote."""

    files: tuple[str, ...]
    dry_run: bool = False


def from_locks(request: Request, environ: Mapping[str, str] = os.environ) -> tuple[Result, list[str]]:
    """Writes the layer, all or nothing; nothing where two hashes contradict each other. The texts tell what became of
    each quoted wheel. Raises InputError for a file that is no lock."""
    quotes, defaults = quotes_of(request.files)
    base = packaged(environ)
    standing = standing_of(tuple(base.packages), environ)
    facts = base.under(standing.over, base.version) if standing.over else base
    needed = replace(facts.facts("indexes", "wheels"), sources=tuple(standing.sources.values()))
    outcome = judged(Matrix(needed, dict(standing.builds)), quotes, Places(needed.indexes, defaults))
    new = {name: tuple(rows) for name, rows in outcome.builds.items()}
    known = set(needed.wheels)
    wheels = [row for row in outcome.wheels if row not in known]
    lines = lines_of(standing, new)
    written = bool(new or wheels) and not request.dry_run and not outcome.refused
    if written:
        write_new(standing, new, outcome.sources.values(), wheels, environ)
    record = {"version": "", "changes": lines, "failures": outcome.refused, "written": written}
    title = "matrix update --from-locks" + (" --dry-run" if request.dry_run else "")
    rows = [Row("", line) for line in lines]
    return Result(SCHEMA, record, title, lambda: rows, 1 if outcome.refused else 0), list(outcome.lines())
