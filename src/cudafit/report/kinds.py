"""What runs on each sort of machine, asked once for each: the newest builds, the locks, both with newer drivers."""

from collections.abc import Callable
from dataclasses import replace

from cudafit.errors import CudafitError
from cudafit.model.fit import NO_FIT, Resolution
from cudafit.model.frameworks import LEADING
from cudafit.model.requirement import wanted
from cudafit.report.records import LockFile
from cudafit.resolve.answer import solved
from cudafit.resolve.drivers import at_least
from cudafit.resolve.explain import last_branch, with_driver
from cudafit.resolve.host import GPU, NO_DRIVER, Host, Kind
from cudafit.resolve.pins import label
from cudafit.resolve.problem import Library, Problem
from cudafit.resolve.request import Request

# A lock on one machine: raises CudafitError where it cannot be judged.
Judge = Callable[[LockFile, Host], Resolution]
Best = tuple[str | None, ...]
# `fit`, `cpu`, or why not; None where that is not known.
Verdict = tuple[str, str | None] | None


class Kinds:
    """The answers, kept: machines that the rules cannot tell apart are asked of once."""

    def __init__(self, library: Library, judge: Judge) -> None:
        self.frameworks = tuple(one.name for one in LEADING if one.name in library.book.packages)
        self._library = library
        self._judge = judge
        self._best: dict[Kind, Best] = {}
        self._fits: dict[tuple[str, Kind], Verdict] = {}
        self._seen: dict[object, Kind] = {}

    def alike(self, kind: Kind) -> Kind:
        """The first kind that no rule tells apart from this one."""
        if kind not in self._seen:
            sort = (replace(kind, driver=None, cuda=None), self._library.drivers.abilities(kind))
            self._seen[kind] = self._seen.setdefault(sort, kind)
        return self._seen[kind]

    def best(self, kind: Kind) -> Best:
        """The newest build of each framework that uses the GPU; None where there is none."""
        kind = self.alike(kind)
        if kind not in self._best:
            self._best[kind] = tuple(self._newest(name, kind) for name in self.frameworks)
        return self._best[kind]

    def _newest(self, name: str, kind: Kind) -> str | None:
        if kind.state != GPU:
            return None
        _, combination = solved(self._library, Request(wanted=(wanted(name),)), (kind,))
        picks = combination.picks if combination else ()
        return next((label(one.build) for one in picks if one.build.name == name), None)

    def fits(self, lock: LockFile, host: Host) -> Verdict:
        if host.kind.state not in (GPU, NO_DRIVER):
            return None
        kind = self.alike(host.kind)
        if (lock.path, kind) not in self._fits:
            self._fits[lock.path, kind] = self._verdict(lock, replace(host, kind=kind))
        return self._fits[lock.path, kind]

    def _verdict(self, lock: LockFile, host: Host) -> Verdict:
        try:
            answer = self._judge(lock, host)
        except CudafitError as error:
            return (NO_FIT, error.what)
        if answer.status != NO_FIT:
            return (answer.status, None)
        return (NO_FIT, answer.causes[0] if answer.causes else answer.reason)

    def drives(self, kind: Kind, branch: str) -> bool:
        """Whether that branch drives all the cards."""
        last = last_branch(Problem(self._library, Request(wanted=()), (kind,), "3.12"), kind)
        return last is None or int(branch) <= int(last)

    def branches(self) -> list[str]:
        """Those that are maintained; by its branch alone a driver is the newest of it."""
        drivers = self._library.drivers
        return sorted((row.branch for row in self._library.facts.drivers if drivers.maintained(row.branch)), key=int)


def with_branch(host: Host, branch: str) -> Host:
    return replace(host, kind=with_driver(host.kind, branch), why=None)


def has_branch(kind: Kind, branch: str) -> bool:
    return kind.driver is not None and at_least(kind.driver, branch)
