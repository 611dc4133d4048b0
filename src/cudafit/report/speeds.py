"""Benchmarks of many machines, each test on each model of GPU by itself."""

from collections.abc import Iterator, Sequence
from statistics import median

from cudafit.model.bench import SLOW, WRONG, Bench, Result
from cudafit.model.room import Outlier, Speed
from cudafit.report.records import Known

FEW = 3  # of fewer machines none stands out from the others
BELOW = 0.9  # of the median


def speeds_of(machines: Sequence[Known]) -> Iterator[Speed]:
    """In the order of the models' names, and within one in that of the first benchmark."""
    found: dict[tuple[str, str, str, str, str], list[tuple[str, Result]]] = {}
    for known in machines:
        for bench in newest(known.benches):
            for one in bench.results:
                if one.kind == "speed" and one.value and one.unit:
                    device = bench.device.model or bench.device.name or bench.device.number
                    key = (device, one.framework, one.test, one.dtype, one.unit)
                    found.setdefault(key, []).append((known.name, one))
    for (device, framework, test, dtype, unit), results in sorted(found.items(), key=lambda one: one[0][0]):
        values = [one.value or 0.0 for _, one in results]
        middle = median(values)
        yield Speed(
            device,
            framework,
            test,
            dtype,
            unit,
            len({name for name, _ in results}),
            middle,
            min(values),
            max(values),
            next((one.expected for _, one in results if one.expected), None),
            next((one.share for _, one in results if one.share), None),
            tuple(_outliers(results, middle)),
        )


def newest(benches: Sequence[Bench]) -> list[Bench]:
    """The last of each device."""
    found: dict[str, Bench] = {}
    for bench in sorted(benches, key=lambda one: one.date or ""):
        found[bench.device.uuid or bench.device.number] = bench
    return list(found.values())


def _outliers(results: Sequence[tuple[str, Result]], middle: float) -> Iterator[Outlier]:
    for name, one in results:
        value = one.value or 0.0
        if one.status == WRONG:
            yield Outlier(name, value, "wrong result")
        elif one.status == SLOW:
            yield Outlier(name, value, "slow by what the card can do")
        elif len(results) >= FEW and _is_behind(value, middle, one.unit or ""):
            yield Outlier(name, value, f"{value / middle:.0%} of the median")


def _is_behind(value: float, middle: float, unit: str) -> bool:
    """A rate that is low, or a time that is long."""
    return value < BELOW * middle if unit.endswith("/s") else value > middle / BELOW
