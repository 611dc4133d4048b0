"""A room of machines as text."""

from collections.abc import Iterator

from cudafit.model.room import ERROR, NO_GPU, OK, READ, UNKNOWN, WARNING, Room, State
from cudafit.render.counts import counted
from cudafit.render.row import Row

SAID: dict[State, str] = {
    ERROR: "a problem",
    WARNING: "works, with warnings",
    UNKNOWN: "not known",
    READ: "GPU and driver read, not diagnosed",
    NO_GPU: "no GPU",
    OK: "no problem found",
}
_TONES: dict[State, str] = {ERROR: "bad", WARNING: "warn", UNKNOWN: "warn", OK: "good"}
_SHOWN = 5


def room_rows(room: Room) -> list[Row]:
    return list(_rows(room))


def _rows(room: Room) -> Iterator[Row]:
    for one in room.states:
        names = [machine.name for machine in room.machines if machine.state == one.state]
        told = f"{counted(one.machines, 'machine')}: {SAID[one.state]}"
        yield Row("machines", told, named(names), _TONES.get(one.state, "plain"))
    for finding in room.findings:
        cause = f", the cause on {finding.causes}" if finding.causes else ""
        told = f"{finding.title} ({finding.id}): {counted(len(finding.machines), 'machine')}{cause}"
        yield Row(
            "finding", told, named(finding.machines), {"error": "bad", "warning": "warn"}.get(finding.severity, "plain")
        )
    for lock in room.locks:
        told = f"{lock.path} fits {lock.fits} of {counted(len(room.machines), 'machine')}"
        yield Row("lock", told, "", "good" if lock.fits == len(room.machines) else "plain")
        for refused in lock.refused:
            yield Row("", refused.why, named(refused.machines), "warn")
    yield from _drivers(room)
    yield from _measured(room)
    for unread in room.unread:
        yield Row("passed over", unread.path, unread.why, "warn")


def _drivers(room: Room) -> Iterator[Row]:
    for what_if in room.drivers:
        told = f"branch {what_if.branch} can be installed on {counted(what_if.changed, 'machine')}"
        yield Row("driver", told)
        for gain in what_if.gains:
            yield Row("", f"{gain.before or 'nothing'} -> {gain.after}: {counted(gain.machines, 'machine')}")
        for lock_gain in what_if.locks:
            yield Row("", f"{lock_gain.path} would fit {lock_gain.after}, not {lock_gain.before}")


def _measured(room: Room) -> Iterator[Row]:
    for speed in room.speeds:
        for outlier in speed.outliers:
            told = f"{outlier.machine}: {speed.framework} {speed.test} {speed.dtype} is {outlier.why}"
            yield Row("bench", told, speed.device, "warn")
    for drift in room.environments:
        if drift.lock is None:
            yield Row("environment", f"{drift.machine} is near to no lock", "", "warn")
        else:
            changed = counted(len(drift.differences), "difference")
            more = f", {counted(drift.more, 'package')} more" if drift.more else ""
            yield Row("environment", f"{drift.machine}: {changed} from {drift.lock}{more}", "", "warn")


def named(machines: "list[str] | tuple[str, ...]") -> str:
    """The first few of them."""
    shown = ", ".join(machines[:_SHOWN])
    return shown if len(machines) <= _SHOWN else f"{shown} and {len(machines) - _SHOWN} more"
