"""The bars of measured against expected as a PNG, drawn by matplotlib where that is installed."""

from typing import Any

from cudafit.model.bench import FAILED, MEASURED, PASS, SLOW, WRONG, Bench
from cudafit.render.bench_rows import number, verdict_text
from cudafit.system.text import harmless

_COLORS = {PASS: "#2e7d32", SLOW: "#ef8e00", WRONG: "#c62828", FAILED: "#c62828", MEASURED: "#5b7a99"}


def draw(bench: Bench, path: str) -> None:
    """Raises ImportError where matplotlib is missing, and OSError."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - large, and for this format only

    shown = [one for one in bench.results if one.kind == "speed" and one.value]
    figure: Any = Figure(figsize=(10, 1.4 + 0.34 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for place, one in enumerate(shown):
        value = one.value or 0.0
        largest = max(other.value or 0.0 for other in shown if other.unit == one.unit)
        length = value / (one.expected or largest)
        if one.expected:
            axes.barh(place, 1.0, color="#e6eaef")
        axes.barh(place, min(1.0, length), color=_COLORS.get(one.status, "#5f6b7a"))
        told = f"{number(value)} {one.unit}" + (f" = {length:.0%} of {number(one.expected)}" if one.expected else "")
        axes.text(1.02, place, harmless(told), va="center", fontsize=9, parse_math=False)
    labels = [harmless(f"{one.framework} · {one.test} · {one.dtype}") for one in shown]
    axes.set_yticks(range(len(shown)), labels, fontsize=9, parse_math=False)
    axes.set_xlim(0, 1.45)
    axes.set_xticks([])
    axes.invert_yaxis()
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    title = (f"cudafit bench: {bench.device.name or bench.device.number}", verdict_text(bench))
    axes.set_title("\n".join(map(harmless, title)), fontsize=10, loc="left", parse_math=False)
    figure.savefig(path, dpi=110)
