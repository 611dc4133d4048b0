"""A run against an earlier one: what became worse by more than both vary. Pure."""

from collections.abc import Iterator

from cudafit.model.bench import Bench, Regression, Result

# Between two runs on one machine that does nothing else, medians differ by a little whatever their spread.
_ALWAYS_NOISE = 0.05
_SPREADS = 3.0
_LOWER_IS_BETTER = ("us",)


def regressions(now: Bench, before: Bench) -> tuple[Regression, ...]:
    """Only what was measured the same way is compared: framework, test, dtype and size."""
    known = {_key(one): one for one in before.results if one.kind == "speed" and one.value}
    return tuple(_worse(now, known))


def _worse(now: Bench, known: "dict[tuple[object, ...], Result]") -> Iterator[Regression]:
    for one in now.results:
        was = known.get(_key(one))
        if was is None or not one.value or not was.value or one.kind != "speed":
            continue
        noise = max(_ALWAYS_NOISE, _SPREADS * max(one.spread or 0.0, was.spread or 0.0))
        loss = one.value / was.value - 1 if one.unit in _LOWER_IS_BETTER else 1 - one.value / was.value
        if loss > noise:
            yield Regression(one.framework, one.test, one.dtype, was.value, one.value, one.unit or "", round(noise, 4))


def _key(one: Result) -> tuple[object, ...]:
    return one.framework, one.test, one.dtype, one.size, one.unit
