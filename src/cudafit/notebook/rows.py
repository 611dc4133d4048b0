"""What was seen of a cell, as rows for people."""

from collections.abc import Iterator

from cudafit.model.finding import Finding
from cudafit.notebook.causes import Causes
from cudafit.notebook.cell import Cell, CellUse, seconds_text
from cudafit.render.doctor_rows import finding_rows
from cudafit.render.row import Row
from cudafit.render.run_rows import seconds_text as long_text

_MOST_EARLIER = 3
_MINUTE_S = 60
_TONES = {True: "good", False: "bad", None: "warn"}


def cell_rows(cell: Cell, use: CellUse, causes: Causes | None) -> list[Row]:
    """The verdict first. `causes` where the cell did not use the GPU, or that could not be told."""
    rows = [Row("verdict", _verdict(cell, use), use.proof or "", _TONES[use.used])]
    rows += [
        Row(
            f"GPU {one.index}",
            f"{one.name or 'a GPU without a name'}: {one.text}",
            "nvml",
            "good" if one.used else "plain",
        )
        for one in use.gpus
    ]
    busy = f", {cell.cores:.1f} cores busy" if cell.cores is not None else ""
    seconds = long_text(cell.seconds) if cell.seconds >= _MINUTE_S else seconds_text(cell.seconds)
    rows.append(Row("cell", f"{seconds}{busy}"))
    if causes is not None:
        rows += _cause_rows(use, causes)
    return rows


def _verdict(cell: Cell, use: CellUse) -> str:
    if use.used:
        names = ", ".join(f"GPU {one.index}" for one in use.gpus if one.used)
        return f"this cell used {names or 'a GPU'}"
    told = "this cell did not use the GPU"
    if use.used is None:
        told = f"whether this cell used the GPU could not be told in {seconds_text(cell.seconds)}"
    return ": ".join([told, *(["; ".join(use.why)] if use.why else [])])


def _cause_rows(use: CellUse, causes: Causes) -> Iterator[Row]:
    for one in causes.code:
        yield from finding_rows("cause", one)
    for one in causes.earlier[:_MOST_EARLIER]:
        yield Row("earlier", f"{one.title} ({one.id})", one.evidence[0].via, "quiet")
    if causes.root:
        yield Row("installation" if causes.code else "cause", _in_one_line(causes.root), "", "warn")
    elif causes.failed:
        yield Row("not checked", causes.failed, "", "quiet")
    elif use.used is False and not causes.code and not causes.earlier:
        told = "none was found, neither in the code nor in the installation: does it compute with a framework at all?"
        yield Row("cause", told, "", "warn")


def _in_one_line(one: Finding) -> str:
    return f"{one.title} ({one.id}); `%cudafit` has the evidence and the fix"
