"""A job over time, as SVG written by hand: how busy the GPUs were, what it held there, and its processors."""

import math
from collections.abc import Callable, Iterator, Sequence

from cudafit.model.run import Moment, RunReport
from cudafit.render.page import picture_page
from cudafit.render.run_rows import seconds_text, verdict_row
from cudafit.render.sizes import size_text
from cudafit.render.svg import INK, QUIET, opening, safe, shortened, text
from cudafit.system.commands import joined

_MIB = 1 << 20
_WIDTH, _LEFT, _RIGHT = 900, 90, 860
_TOP, _HEIGHT, _GAP = 92, 130, 56
_LINES = ("#1565c0", "#2e7d32", "#ef8e00", "#8e24aa", "#c62828", "#00838f", "#6d4c41", "#5b7a99")
_GRID = "#e6eaef"

Value = Callable[[Moment], float | None]


def svg(report: RunReport) -> str:
    panels = list(_panels(report))
    height = _TOP + (_HEIGHT + _GAP) * len(panels) + 10
    title = shortened(f"cudafit run: {joined(report.command)}", 90)
    verdict = verdict_row(report)
    parts = [*opening(_WIDTH, height, title), text(20, 52, shortened(verdict.value, 120), color=QUIET)]
    for place, (name, top_value, unit, lines) in enumerate(panels):
        parts += _panel(report, _TOP + (_HEIGHT + _GAP) * place, name, top_value, unit, lines)
    return "\n".join([*parts, "</svg>"]) + "\n"


def html(report: RunReport) -> str:
    causes = "".join(f"<li>{safe(one.title)} ({safe(one.id)})</li>\n" for one in report.findings)
    return picture_page(f"cudafit run: {joined(report.command)}", svg(report), causes)


def _panels(report: RunReport) -> Iterator[tuple[str, float, str, list[tuple[str, Value]]]]:
    """Name, the value at the upper edge, its unit, and the lines."""
    names = [f"GPU {one.index}" for one in report.gpus]

    def busy(place: int) -> Value:
        return lambda one: one.utilization[place] if place < len(one.utilization) else None

    def held(place: int) -> Value:
        return lambda one: one.memory_mib[place] if place < len(one.memory_mib) else None

    if names:
        yield "busy, in percent", 100.0, "100 %", [(name, busy(place)) for place, name in enumerate(names)]
        memory = max([one.memory_mib or 0 for one in report.gpus] + [one.peak_memory_mib or 0 for one in report.gpus])
        if memory:
            lines = [(name, held(place)) for place, name in enumerate(names)]
            yield "memory that the job held", float(memory), size_text(memory * _MIB), lines
    cores = max((one.cores or 0.0 for one in report.timeline), default=0.0)
    upper = float(max(1, math.ceil(cores - 0.2)))
    unit = f"{upper:.0f} core{'s' * (upper > 1)}"
    yield "processor cores that the job kept busy", upper, unit, [("job", lambda one: one.cores)]


def _panel(
    report: RunReport, top: int, name: str, upper: float, unit: str, lines: Sequence[tuple[str, Value]]
) -> Iterator[str]:
    bottom = top + _HEIGHT
    span = max(report.seconds, 1e-3)
    yield text(_LEFT, top - 8, name, weight="bold")
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * _HEIGHT
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_RIGHT}" y2="{y:.1f}" stroke="{_GRID}"/>'
    yield text(_LEFT - 8, top + 5, unit, anchor="end", size=11, color=QUIET)
    yield text(_LEFT - 8, bottom + 4, "0", anchor="end", size=11, color=QUIET)
    yield f'<path d="M{_LEFT} {top} V{bottom} H{_RIGHT}" fill="none" stroke="{INK}"/>'
    yield text(_LEFT, bottom + 16, "0 s", size=11, color=QUIET)
    yield text(_RIGHT, bottom + 16, seconds_text(report.seconds), anchor="end", size=11, color=QUIET)
    for place, (label, value) in enumerate(lines):
        color = _LINES[place % len(_LINES)]
        for run in _runs(report.timeline, value):
            points = " ".join(
                f"{_LEFT + min(1.0, at / span) * (_RIGHT - _LEFT):.1f},"
                f"{bottom - min(1.0, held / upper if upper else 0.0) * _HEIGHT:.1f}"
                for at, held in run
            )
            yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"/>'
        if len(lines) > 1 or label != "job":
            yield text(_RIGHT - 70 * (len(lines) - 1 - place), top - 8, label, anchor="end", size=11, color=color)


def _runs(timeline: Sequence[Moment], value: Value) -> Iterator[list[tuple[float, float]]]:
    """Steps, broken where nothing was known or held."""
    run: list[tuple[float, float]] = []
    for one in timeline:
        found = value(one)
        if found is None:
            if run:
                yield run
            run = []
        else:
            run += [(one.at, found), (one.at + one.seconds, found)]
    if run:
        yield run
