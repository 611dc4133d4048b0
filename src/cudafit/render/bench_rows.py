"""A benchmark as rows for people."""

from collections.abc import Iterator, Sequence

from cudafit.model.bench import (
    FAILED,
    MEASURED,
    NOT_VERIFIED,
    PASS,
    SKIPPED,
    SLOW,
    WRONG,
    Bench,
    Framework,
    Regression,
    Result,
)
from cudafit.render.row import Row

_TONES = {PASS: "good", SLOW: "warn", WRONG: "bad", FAILED: "bad", MEASURED: "plain", SKIPPED: "quiet"}
_VERDICTS = {PASS: "good", SLOW: "warn", WRONG: "bad", NOT_VERIFIED: "warn"}


def bench_rows(bench: Bench) -> list[Row]:
    """The verdict last, where the eye is when it is done."""
    rows = [Row("environment", bench.environment, "")] if bench.environment else []
    device = bench.device
    where = "NVML" if device.kind == "cuda" else "--device cpu"
    named = " · ".join(one for one in (device.number, device.name) if one)
    rows.append(Row("device", named if device.name else f"{named}: not found", where))
    if device.proof:
        said = "used, seen from outside" if device.used_gpu else "not used"
        rows.append(
            Row("proof", "; ".join((said, *device.evidence)), device.proof, "good" if device.used_gpu else "bad")
        )
    for framework in bench.frameworks:
        rows += _framework_rows(framework, bench.results)
    rows += [_regression(one) for one in bench.regressions]
    rows.append(Row("verdict", verdict_text(bench), "", _VERDICTS[bench.verdict]))
    told = bench.causes[1:] if bench.verdict == NOT_VERIFIED else bench.causes
    rows += [Row("cause", cause.text, cause.via, "warn") for cause in told]
    return rows


def verdict_text(bench: Bench) -> str:
    """In one line, as `create` and `repair` end with it."""
    if bench.verdict == NOT_VERIFIED:
        return "not verified: " + (bench.causes[0].text if bench.causes else "nothing was run")
    names = {
        PASS: "pass: right, and as fast as this GPU should be",
        SLOW: "slow: right, and slower than this GPU should be",
        WRONG: "wrong",
    }
    bad = [one for one in bench.results if one.status in (WRONG, FAILED)]
    named = ", ".join(f"{one.framework} {one.test} {one.dtype}" for one in bad[:4])
    took = f" ({bench.seconds:g} s)" if bench.seconds is not None else ""
    return names[bench.verdict] + (f": {named}" if bench.verdict == WRONG and named else "") + took


def verdict_row(bench: Bench) -> Row:
    return Row("bench", verdict_text(bench), "bench --quick", _VERDICTS[bench.verdict])


def _framework_rows(framework: Framework, results: Sequence[Result]) -> Iterator[Row]:
    name = framework.name
    imported = f", imported in {framework.import_seconds:.1f} s" if framework.import_seconds is not None else ""
    where = f", its tensors are on {framework.where}" if framework.where else ""
    tone = "plain" if framework.error is None else "bad"
    yield Row(name, f"{framework.version or framework.state}{imported}{where}", "", tone)
    own = [one for one in results if one.framework == name]
    right = [one for one in own if one.kind == "right" and one.status == PASS]
    tests: dict[str, list[str]] = {}
    for one in right:
        tests.setdefault(one.test, []).append(one.dtype)
    if right:
        told = ", ".join(f"{test} ({', '.join(dtypes)})" for test, dtypes in tests.items())
        yield Row("  right", told, "against float64", "good")
    for one in own:
        if one.kind != "right" or one.status != PASS:
            yield Row(f"  {one.test} {one.dtype}", _outcome(one), "", _TONES[one.status])


def _outcome(one: Result) -> str:
    if one.status in (SKIPPED, FAILED) or one.value is None:
        error = f", error {one.max_error:.2g}" if one.max_error is not None else ""
        return f"{one.status}{error}" + (f": {one.note}" if one.note else "")
    text = f"{number(one.value)} {one.unit or ''}"
    if one.spread is not None:
        text += f" ± {one.spread / 2:.1%}"
    if one.expected and one.ratio is not None:
        text += f", {one.ratio:.2f} of {number(one.expected)}"
    if one.status in (SLOW, WRONG):
        text += f", {one.status}: {one.note}"
    return text


def _regression(one: Regression) -> Row:
    change = one.now / one.before - 1
    what = f"{one.framework} {one.test} {one.dtype}"
    text = f"{what}: {number(one.now)} {one.unit}, was {number(one.before)} ({change:+.0%})"
    return Row("worse", text, f"noise {one.noise:.0%}", "bad")


def history_rows(runs: Sequence[Bench]) -> list[Row]:
    """A line for each run: the day, the verdict, and its largest matmul and copy."""
    rows = []
    for bench in runs:
        shown = [
            f"{one.framework} {one.test} {one.dtype} {number(one.value)} {one.unit}"
            for one in bench.results
            if one.kind == "speed" and one.test in ("matmul", "copy") and one.value is not None
        ]
        told = " · ".join((bench.device.name or bench.device.number, *shown))
        rows.append(Row(bench.date or "", f"{bench.verdict} · {told}", bench.mode, _VERDICTS[bench.verdict]))
    return rows


def number(value: float) -> str:
    """Three digits that count, and all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
