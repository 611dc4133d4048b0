"""A picture of a benchmark, as SVG written by hand: bars of measured against expected, and a roofline."""

import math
from collections.abc import Iterator, Sequence

from cudafit.model.bench import FAILED, MEASURED, PASS, SLOW, WRONG, Bench, Result
from cudafit.render.bench_rows import number, verdict_text
from cudafit.render.page import picture_page
from cudafit.render.svg import INK, QUIET, opening, safe, shortened, text

_COLORS = {PASS: "#2e7d32", SLOW: "#ef8e00", WRONG: "#c62828", FAILED: "#c62828", MEASURED: "#5b7a99"}
_WIDTH = 900
_LABELS = 250  # left of the bars
_BARS = 400
_LINE = 26
_TOP = 74
_ROOF_HEIGHT = 300
_BAR_BACK = "#e6eaef"


def svg(bench: Bench) -> str:
    """Readable by itself: its own background, its own sizes, no script."""
    shown = [one for one in bench.results if one.kind == "speed" and one.value]
    roof = list(_roofline(bench, _TOP + _LINE * (len(shown) + 2)))
    height = _TOP + _LINE * (len(shown) + 2) + (_ROOF_HEIGHT if roof else 0)
    device = bench.device.name or bench.device.number or "no device"
    title = f"cudafit bench: {device}" + (f", {bench.date[:10]}" if bench.date else "")
    parts = [*opening(_WIDTH, height, title), text(20, 52, shortened(verdict_text(bench), 120), color=QUIET)]
    for place, one in enumerate(shown):
        parts += _bar(one, _TOP + _LINE * place, shown)
    parts.append(_legend(_TOP + _LINE * len(shown) + 22, any(one.expected for one in shown)))
    return "\n".join([*parts, *roof, "</svg>"]) + "\n"


def html(bench: Bench) -> str:
    """The picture in a page."""
    causes = "".join(f"<li>{safe(cause.text)} ({safe(cause.via)})</li>\n" for cause in bench.causes)
    return picture_page(f"cudafit bench: {bench.device.name or bench.device.number}", svg(bench), causes)


def _bar(one: Result, y: int, shown: Sequence[Result]) -> Iterator[str]:
    """Against its peak where that is known; else against the largest of the same unit, in another colour."""
    value = one.value or 0.0
    scale = one.expected or max(other.value or 0.0 for other in shown if other.unit == one.unit and not other.expected)
    length = min(1.0, value / scale) * _BARS
    yield text(_LABELS - 8, y + 14, f"{one.framework} · {one.test} · {one.dtype}", anchor="end")
    if one.expected:
        yield f'<rect x="{_LABELS}" y="{y}" width="{_BARS}" height="18" fill="{_BAR_BACK}"/>'
    yield f'<rect x="{_LABELS}" y="{y}" width="{length:.1f}" height="18" fill="{_COLORS.get(one.status, QUIET)}"/>'
    if one.expected and one.share:
        at = _LABELS + one.share * _BARS
        yield f'<line x1="{at:.1f}" y1="{y - 3}" x2="{at:.1f}" y2="{y + 21}" stroke="{INK}" stroke-dasharray="3 2"/>'
    told = f"{number(value)} {one.unit}"
    if one.expected:
        told += f" = {value / one.expected:.0%} of {number(one.expected)}"
    yield text(_LABELS + _BARS + 8, y + 14, told)


def _legend(y: int, judged: bool) -> str:
    bars = "grey: the GPU's peak; dashed: below it is slow. " if judged else ""
    free = "blue: nothing to judge by, drawn against the largest of its unit."
    return text(20, y, bars + free, color=QUIET, size=12)


def _roofline(bench: Bench, top: int) -> Iterator[str]:
    """Work a second by work for each byte: what memory allows rises, until the cores allow no more."""
    matmuls = [one for one in bench.results if one.kind == "speed" and one.test == "matmul" and one.expected]
    copy = next((one for one in bench.results if one.test == "copy" and one.kind == "speed" and one.expected), None)
    if not matmuls or copy is None or not copy.expected:
        return
    bandwidth = copy.expected / 1e3  # TB/s
    peak = max(one.expected or 0.0 for one in matmuls)
    left, right, bottom, height = _LABELS, _LABELS + _BARS, top + _ROOF_HEIGHT - 60, _ROOF_HEIGHT - 110
    low, high = -1.0, 5.0  # powers of ten of operations for each byte
    least = bandwidth * 10**low / 20  # below the roof there is room for what is slow

    def place(intensity: float, speed: float) -> tuple[float, float]:
        across = (math.log10(max(intensity, 10**low)) - low) / (high - low)
        up = math.log(max(speed, least) / least) / math.log(peak * 2 / least)
        return left + across * (right - left), bottom - up * height

    yield text(20, top + 26, "roofline", size=15, weight="bold")
    yield f'<path d="M{left} {bottom - height} V{bottom} H{right}" fill="none" stroke="{INK}"/>'
    for power in range(int(low), int(high) + 1):
        x, _ = place(10.0**power, least)
        yield text(x, bottom + 16, number(10.0**power), anchor="middle", size=11, color=QUIET)
    yield text((left + right) / 2, bottom + 36, "floating point operations for each byte of memory", anchor="middle")
    yield text(left - 8, bottom - height + 4, "TFLOP/s", anchor="end", size=11, color=QUIET)
    for roof in sorted({one.expected or 0.0 for one in matmuls}):
        knee, end = place(roof / bandwidth, roof), place(10**high, roof)
        start = place(10**low, bandwidth * 10**low)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (start, knee, end))
        yield f'<polyline points="{path}" fill="none" stroke="{QUIET}"/>'
        yield text(right + 8, end[1] + 4, f"{number(roof)} TFLOP/s", size=11, color=QUIET)
    for one in matmuls:
        # Three matrices of n x n are moved for 2 n^3 operations.
        item = {"float32": 4, "tf32": 4, "float8": 1}.get(one.dtype, 2)
        x, y = place(2 * (one.size or 1) / 3 / item, one.value or 0.0)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_COLORS.get(one.status, QUIET)}"/>'
        yield text(x + 9, y + 15, f"{one.framework} {one.dtype}", size=11)
    x, y = place(1.0, (copy.value or 0.0) / 1e3)  # what its bandwidth would allow at one operation a byte
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_COLORS.get(copy.status, QUIET)}"/>'
    yield text(x + 10, y + 6, f"copy: {number((copy.value or 0.0) / 1e3)} of {number(bandwidth)} TB/s", size=11)
