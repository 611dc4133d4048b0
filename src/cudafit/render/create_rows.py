"""A new environment as rows for people."""

import os
from typing import Any

from cudafit.model.environment import CONDA
from cudafit.model.finding import Report
from cudafit.model.plan import UNCHECKED, Made
from cudafit.render.row import Row
from cudafit.render.sizes import size_text
from cudafit.system.commands import command_text, path_word

_CACHES = {CONDA: "cudafit has kept"}


def create_rows(path: str, made: Made[Any], report: Report | None, bench: Row | None) -> list[Row]:
    """With sizes before, with what doctor says afterwards."""
    rows = [Row("environment", path, ""), Row("Python", made.python, "")]
    chosen = {pick.name: pick for pick in made.picks}
    rows += [
        Row(pick.name, f"{pick.version} ({pick.variant})", ", ".join(pick.sources[:1])) for pick in chosen.values()
    ]
    if report is None:
        rows += [
            Row(one.name, one.version, size_text(one.size) if one.size is not None else "") for one in made.packages
        ]
        total = made.download
        shown = (
            "not known"
            if total is None
            else f"{size_text(total)}, less what {_CACHES.get(made.kind, 'uv has in its cache')}"
        )
        rows.append(Row("download", shown, ""))
        rows += [Row("note", note, "", "warn" if made.checks == UNCHECKED else "plain") for note in made.notes]
        return rows
    checked = (
        "as the lock says, not all of them checked" if made.checks == UNCHECKED else "each checked against its hash"
    )
    rows.append(Row("installed", f"{len(made.packages)} packages, {checked}", "", "good"))
    rows.append(Row("doctor", _told(report), "", "good" if report.status == "ok" else "warn"))
    if bench is not None:
        rows.append(bench)
    place = path_word(path)
    if not any(one.name == "pip" for one in made.packages):
        way = "`uv pip install`" if made.kind != CONDA else "conda and its kin"
        rows.append(Row("note", f"no pip inside: {way} installs into it; `--seed` puts one in", ""))
    rows.append(Row("use it", _use(place, made.kind), ""))
    return rows


def _use(place: str, kind: str, *, windows: bool = os.name == "nt") -> str:
    if windows:
        return rf"{place}\Scripts\activate"
    return command_text(f"{place}/bin/python") if kind == CONDA else command_text(".", f"{place}/bin/activate")


def _told(report: Report) -> str:
    if report.cause:
        title = next(one.title for one in report.findings if one.id == report.cause)
        return f"{title} ({report.cause})"
    if report.status == "unknown":
        return "the GPUs could not be determined"
    return f"no error by {report.checked} checks"
