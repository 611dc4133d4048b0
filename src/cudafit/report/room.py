"""The model of a page: what was read of many machines, judged and put in order."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cudafit.model import room
from cudafit.model.finding import Severity
from cudafit.model.fit import CPU, FIT
from cudafit.model.kinds import KINDS
from cudafit.model.room import Cell, Counted, Found, LockFit, MatrixVersion, Refused, Room, Seen, State
from cudafit.model.versions import natural_key
from cudafit.report.drift import drift_of
from cudafit.report.kinds import Judge, Kinds
from cudafit.report.records import Known, LockFile, Records
from cudafit.report.speeds import speeds_of
from cudafit.report.upgrades import what_ifs
from cudafit.resolve.host import NO_DRIVER, UNDETERMINED, Host, hosts_of
from cudafit.resolve.host import NO_GPU as SEES_NO_GPU
from cudafit.resolve.problem import Library

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_HERE = re.compile(r"; here is (?:driver [\d.]{1,40}|no driver)(?= \(|$)")  # the list of machines tells it
_HOME = re.compile(r"(?i)((?:/home|/users|[a-z]:\\users)[/\\])[^/\\\s'\"`,;:()]{1,255}")


def room_of(records: Records, library: Library, judge: Judge, *, date: str, cudafit: str) -> Room:
    """`judge` says what a lock is worth on a machine."""
    kinds = Kinds(library, judge)
    hosts = {host.label: host for host in _hosts(records, library.book.facts)}
    machines = tuple(_seen(known, hosts.get(known.name), records.locks, kinds) for known in records.machines)
    cells = list(_map(machines))
    places = {one.name: number for number, (_, seen) in enumerate(cells) for one in seen}
    drifts = [
        drift_of(known.name, known.installed, records.locks)
        for known in records.machines
        if known.installed is not None
    ]
    return Room(
        records.name,
        date,
        tuple(replace(one, cell=places[one.name]) for one in machines),
        counted(one.state for one in machines),
        kinds.frameworks,
        tuple(cell for cell, _ in cells),
        tuple(_lock_fit(lock, hosts, kinds) for lock in records.locks),
        tuple(what_ifs(list(hosts.values()), records.locks, kinds)),
        tuple(_findings(records.machines)),
        tuple(speeds_of(records.machines)),
        tuple(one for one in drifts if one is not None),
        records.unread,
        MatrixVersion(library.book.version),
        cudafit,
    )


def counted(states: "Iterator[State] | Sequence[State]") -> tuple[Counted, ...]:
    """The worst first, without those that no machine is in."""
    found = Counter(states)
    return tuple(Counted(state, found[state]) for state in room.STATES if found[state])


def without_users(text: str) -> str:
    """A path in a home without the name of whose it is."""
    return _HOME.sub(r"\1USER", text)


def _hosts(records: Records, facts: Callable[..., object]) -> list[Host]:
    there = [(one.name, one.machine) for one in records.machines if one.machine is not None]
    return hosts_of(there, facts)  # type: ignore[arg-type]


def _seen(known: Known, host: Host | None, locks: Sequence[LockFile], kinds: Kinds) -> Seen:
    state, why = _state(known, host)
    verdicts = [kinds.fits(lock, host) if host else None for lock in locks]
    return Seen(
        known.name,
        state,
        why,
        host.kind.driver if host else None,
        host.kind.cuda if host else None,
        gpus_text(host) if host else None,
        host.kind.platform if host else None,
        cause=known.diagnosis.cause if known.diagnosis else None,
        builds=kinds.best(host.kind) if host else tuple(None for _ in kinds.frameworks),
        locks=tuple(None if one is None else one[0] == FIT for one in verdicts),
    )


def _state(known: Known, host: Host | None) -> tuple[State, str | None]:
    """By doctor's report, else by the snapshot."""
    if told := known.diagnosis:
        cause = next((one for one in told.findings if one.id == told.cause), None)
        first = cause or next((one for one in told.findings if one.severity == told.status), None)
        if told.status == room.OK and told.gpus == 0:
            return room.NO_GPU, None
        return told.status, title_of(first.id, first.title) if first else None
    if host is None:
        return room.UNKNOWN, "no snapshot and no report of doctor's"
    undetermined = known.machine.undetermined if known.machine else None
    if undetermined or host.kind.state == UNDETERMINED:
        return room.UNKNOWN, without_users(undetermined or host.why or "")
    if host.kind.state == NO_DRIVER:
        return room.ERROR, host.why
    if host.kind.state == SEES_NO_GPU:
        return room.NO_GPU, host.why
    return room.READ, None


def title_of(name: str, told: str) -> str:
    """What holds on every machine, for a finding that the catalogue has."""
    return KINDS[name].title if name in KINDS else without_users(told)


def gpus_text(host: Host) -> str | None:
    """Each name once, with its number; also of those that are hidden."""
    names = Counter(card.name for card in (*host.cards, *host.hidden))
    return ", ".join(f"{count} x {name}" if count > 1 else name for name, count in names.items()) or None


def branch_of(driver: str | None) -> str:
    return driver.partition(".")[0] if driver else "none"


def _place(one: Seen) -> tuple[str, str]:
    return one.gpus or "no GPU", branch_of(one.driver)


def _map(machines: Sequence[Seen]) -> Iterator[tuple[Cell, list[Seen]]]:
    """In the order of the GPUs' names and of the branches."""
    found: dict[tuple[str, str], list[Seen]] = {}
    for one in machines:
        found.setdefault(_place(one), []).append(one)
    for (gpus, branch), seen in sorted(found.items(), key=lambda one: (one[0][0], natural_key(one[0][1]))):
        yield Cell(gpus, branch, counted(one.state for one in seen), len(seen)), seen


def _lock_fit(lock: LockFile, hosts: dict[str, Host], kinds: Kinds) -> LockFit:
    fits = cpu = unknown = 0
    refused: dict[str, list[str]] = {}
    for name, host in hosts.items():
        verdict = kinds.fits(lock, host)
        if verdict is None:
            unknown += 1
        elif verdict[0] == FIT:
            fits += 1
        elif verdict[0] == CPU:
            cpu += 1
        else:
            why = without_users(verdict[1] or "it does not fit")
            refused.setdefault(_HERE.sub("", why), []).append(name)
    told = sorted(refused.items(), key=lambda one: -len(one[1]))
    whys = tuple(Refused(why, tuple(names)) for why, names in told)
    return LockFit(lock.path, len(lock.versions), fits, cpu, unknown, whys)


def _findings(machines: Sequence[Known]) -> Iterator[Found]:
    """The root causes first, then by how bad and how frequent."""
    where: dict[str, list[str]] = {}
    causes: Counter[str] = Counter()
    worst: dict[str, tuple[int, str]] = {}
    for known in machines:
        if known.diagnosis is None:
            continue
        causes.update([known.diagnosis.cause] if known.diagnosis.cause else [])
        for one in known.diagnosis.findings:
            where.setdefault(one.id, [])
            if where[one.id][-1:] != [known.name]:
                where[one.id].append(known.name)
            rank = _SEVERITIES.index(one.severity)
            if one.id not in worst or rank < worst[one.id][0]:
                worst[one.id] = (rank, title_of(one.id, one.title))
    order = sorted(where, key=lambda one: (not causes[one], worst[one][0], -len(where[one]), one))
    for name in order:
        rank, title = worst[name]
        yield Found(name, _SEVERITIES[rank], title, causes[name], tuple(where[name]))
