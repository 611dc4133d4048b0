"""A resolution as rows for people, and as the error that says why nothing fits."""

from collections.abc import Sequence

from cudafit.errors import CudafitError
from cudafit.model.fit import (
    CPU,
    CUBIN,
    NO_FIT,
    PTX,
    UNKNOWN,
    Alternative,
    How,
    Passed,
    Pick,
    Rejection,
    Resolution,
    Served,
)
from cudafit.render.row import Row
from cudafit.system.commands import joined
from cudafit.system.python310 import assert_never

_COMPAT = {
    "native": "the driver runs it natively",
    "minor": "by CUDA's minor-version compatibility",
    "forward": "by a cuda-compat package",
    "cpu": "on the CPU",
}
_ORDER = "order"
_RULES = {
    "platform": "for another platform",
    "python": "no wheel for this Python",
    "driver": "driver too old",
    "kernels": "no kernels for a GPU",
    "libraries": "its CUDA libraries have no kernels for a GPU",
    "cpu": "not for what is to do the work",
    "request": "not what was asked for",
    "pairing": "does not go with another package",
    "shared-libraries": "shares files with another package",
}
# What differs from build to build within these rules is said of the group as a whole.
_SHORT = ("platform", "python", "request")
_TOLD_BY_NEED = ("driver", "kernels")
_SHOWN_GPUS = 4
_SHOWN_REASONS = 3


def resolution_rows(resolution: Resolution) -> list[Row]:
    """Machine, picks, the command, what a newer driver unlocks, and what should be known."""
    rows = [Row("machine", line, "") for line in resolution.machines]
    if resolution.status == NO_FIT:
        for number, group in enumerate(resolution.groups, start=1):
            rows.append(Row(f"group {number}", _listed(group.machines), ""))
            rows += [_pick_row(pick) for pick in group.picks if pick.requested]
        return rows
    rows.append(Row("python", resolution.python, ""))
    if resolution.status == CPU and resolution.reason:
        rows.append(Row("status", resolution.reason, "", "warn"))
    for pick in resolution.picks:
        if pick.requested:
            rows.append(_pick_row(pick))
            rows += [Row("because", text, "") for text in _reasons(pick.because)]
    if along := [f"{pick.name} {pick.version}" for pick in resolution.picks if not pick.requested]:
        rows.append(Row("with", ", ".join(along), ""))
    rows += [Row("and", f"{one.requirement}: {one.why}", one.source or "") for one in resolution.constraints]
    rows += _passed_rows(resolution.passed)
    if resolution.before:
        rows.append(Row("first", joined(resolution.before), "there is no environment here"))
    if resolution.command:
        rows.append(Row("install", joined(resolution.command), "", "good"))
    rows += [Row("upgrade", f"driver {one.driver} unlocks {one.unlocks}", "") for one in resolution.upgrades]
    rows += [Row("warning", text, "", "warn") for text in resolution.warnings]
    rows += [Row("note", text, "") for text in resolution.notes]
    return rows


def _reasons(because: Sequence[str]) -> list[str]:
    """Those that say which version come first."""
    ordered = sorted(because, key=lambda text: not set("<>=~!") & set(text))
    more = len(ordered) - _SHOWN_REASONS
    return [*ordered[:_SHOWN_REASONS], *([f"and {more} more need it"] if more > 0 else [])]


def _passed_rows(passed: Sequence[Passed]) -> list[Row]:
    """What is left to the package installer, in one row for each note."""
    by_note: dict[str | None, list[str]] = {}
    for one in passed:
        by_note.setdefault(one.note, []).append(one.requirement)
    return [
        Row("passed on", f"{_listed(names)}" + (f" ({note})" if note else ""), "") for note, names in by_note.items()
    ]


def _pick_row(pick: Pick) -> Row:
    parts = [_version(pick)]
    if pick.cuda:
        parts.append(f"CUDA {pick.cuda}")
    if pick.cudnn and pick.compat != CPU:
        parts.append(f"cuDNN {pick.cudnn}")
    if pick.compat:
        parts.append(_COMPAT[pick.compat])
    if served := _served(pick.gpus):
        parts.append(served)
    if pick.index_name != "pypi":
        parts.append(f"from {pick.index_name}")
    tone = "good" if pick.verified else "warn"
    return Row(pick.name, ", ".join(parts), pick.sources[0] if pick.sources else "", tone)


def _version(pick: Pick) -> str:
    """`2.14.1+cu126`, as its index writes it; `2.21.0 [and-cuda]` where an extra brings the CUDA libraries."""
    extra = pick.requirement.partition("==")[0].partition("[")[2]
    if extra:
        return f"{pick.version} [{extra}"
    if pick.index_name.startswith("pytorch-"):
        return pick.requirement.partition("==")[2]
    plain = pick.variant == "any" or (pick.variant == CPU and pick.index_name == "pypi")
    return pick.version if plain else f"{pick.version}+{pick.variant}"


def _served(gpus: Sequence[Served]) -> str:
    """`GPU 0 runs sm_60`; alike ones together."""
    by_kernel: dict[tuple[str | None, How], list[Served]] = {}
    for gpu in gpus:
        by_kernel.setdefault((gpu.kernel, gpu.how), []).append(gpu)
    if len(by_kernel) == 1 and len(gpus) > 1:
        ((kernel, how),) = by_kernel
        return _one_served(kernel, how, f"all {len(gpus)} GPUs")
    return "; ".join(_one_served(kernel, how, _listed(_names(alike))) for (kernel, how), alike in by_kernel.items())


def _names(gpus: Sequence[Served]) -> list[str]:
    return list(dict.fromkeys(f"GPU {gpu.index}" if gpu.machine is None else gpu.machine for gpu in gpus))


def _one_served(kernel: str | None, how: How, who: str) -> str:  # noqa: RET503 - ruff does not know this assert_never
    if how == CUBIN:
        return f"{who}: {kernel}"
    if how == PTX:
        return f"{who}: {kernel}, compiled by the driver"
    if how == UNKNOWN:
        return f"{who}: kernels not known"
    assert_never(how)


def fitting_rows(resolution: Resolution) -> list[Row]:
    """Every build that fits, when they were asked for."""
    width = max((len(pick.requirement) for pick in resolution.all), default=0)
    rows = []
    for pick in resolution.all:
        line = f"{pick.requirement.ljust(width)}  {pick.index_name.ljust(13)}  {_COMPAT.get(pick.compat or '', '')}"
        rows.append(Row("fits", line.rstrip(), pick.sources[0] if pick.sources else ""))
    return rows


def explained_rows(resolution: Resolution) -> list[Row]:
    """Why the others lost: builds with the same reason in one row."""
    groups: dict[tuple[str, str, str], list[Rejection]] = {}
    for one in resolution.rejected:
        told = one.need if one.rule in _TOLD_BY_NEED else ""
        groups.setdefault((one.name, one.rule, told), []).append(one)
    return [_explained(group) for group in groups.values()]


def _explained(group: Sequence[Rejection]) -> Row:
    one = group[-1]
    ordered = group if one.rule == _ORDER else tuple(reversed(group))
    builds = list(dict.fromkeys(f"{each.version}+{each.variant}" for each in ordered))
    count = f"{len(builds)} build{'s' if len(builds) > 1 else ''} of {one.name}"
    if one.rule == _ORDER:
        return Row("fits too", f"{count}, later in the order: {_listed(builds)}", "")
    where = f" on {one.machine}" if one.machine else ""
    what = f"{count}, {_RULES.get(one.rule, one.rule)}"
    if one.rule not in _SHORT:
        what += f": need {one.need}; have {one.have}{where}"
    what += f" ({_listed(builds)})"
    return Row("lost", what, one.source or "")


def error_of(resolution: Resolution) -> CudafitError | None:
    """Why nothing fits, and the nearest things that would work."""
    if resolution.status != NO_FIT:
        return None
    hints = [_hint(one) for one in resolution.alternatives]
    return CudafitError(resolution.reason or "nothing fits", cause=resolution.causes, hints=hints)


def _hint(one: Alternative) -> str:
    return f"`{joined(one.command)}`: {one.text}" if one.command else one.text


def _listed(items: Sequence[str]) -> str:
    if len(items) <= _SHOWN_GPUS:
        return ", ".join(items)
    return f"{', '.join(items[:_SHOWN_GPUS])} and {len(items) - _SHOWN_GPUS} more"
