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
from cudafit.model.matrix import SCHEMA, Facts, Matrix
from cudafit.render.row import Row


@frozen
class Request:
    """`files` are locks, tables of what locks quote, and conda-meta folders or prefixes that have one."""

    files: tuple[str, ...]
    dry_run: bool = False


def from_locks(request: Request, environ: Mapping[str, str] = os.environ) -> tuple[Result, list[str]]:
    """Writes the layer, all or nothing; nothing where two hashes contradict each other. The texts tell what became of
    each quoted wheel. Raises InputError for a file that is no lock."""
    quotes, defaults = quotes_of(request.files)
    base = packaged(environ)
    standing = standing_of(tuple(base.packages), environ)
    facts = base.under(standing.over, base.version) if standing.over else base
    needed = replace(facts.facts("indexes", "wheels", "conda_builds"), sources=tuple(standing.sources.values()))
    outcome = judged(Matrix(needed, dict(standing.builds)), quotes, Places(needed.indexes, defaults))
    new = {name: tuple(rows) for name, rows in outcome.builds.items()}
    known = {*needed.wheels, *needed.conda_builds}
    quoted = Facts(
        wheels=tuple(row for row in outcome.wheels if row not in known),
        conda_builds=tuple(row for row in outcome.conda or () if row not in known),
    )
    conda = needed.conda_builds
    lines = lines_of(standing, new, conda, conda if outcome.conda is None else tuple(outcome.conda))
    written = bool(new or quoted != Facts()) and not request.dry_run and not outcome.refused
    if written:
        write_new(standing, new, outcome.sources.values(), quoted, environ)
    record = {"version": "", "changes": lines, "failures": outcome.refused, "written": written}
    title = "matrix update --from-locks" + (" --dry-run" if request.dry_run else "")
    rows = [Row("", line) for line in lines]
    return Result(SCHEMA, record, title, lambda: rows, 1 if outcome.refused else 0), list(outcome.lines())
