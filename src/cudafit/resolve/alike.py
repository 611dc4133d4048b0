"""Machines that no rule can tell apart, and machines that are easier to serve than another one.

A room of ten thousand machines has a few dozen kinds; of those, many differ only in a driver's last digits. The rules
are asked once for each sort that is left.
"""

from collections.abc import Sequence
from dataclasses import replace

from cudafit.resolve.drivers import Drivers
from cudafit.resolve.host import Host, Kind
from cudafit.resolve.problem import Problem


def told_apart(hosts: Sequence[Host], drivers: Drivers) -> list[Host]:
    """The hosts with one kind for all that every rule answers alike: that of the first of them."""
    first: dict[object, Kind] = {}
    known: dict[Kind, Kind] = {}
    for host in hosts:
        if host.kind not in known:
            known[host.kind] = first.setdefault(_what_rules_see(host.kind, drivers), host.kind)
    return [host if known[host.kind] is host.kind else replace(host, kind=known[host.kind]) for host in hosts]


def _what_rules_see(kind: Kind, drivers: Drivers) -> object:
    """Everything of a kind but the driver's number, and in its place what that driver can run."""
    return (replace(kind, driver=None, cuda=None), drivers.abilities(kind))


def hardest(problem: Problem) -> dict[Kind, Kind]:
    """For each kind one that is at least as hard to serve, and hardest of all: what serves that one serves both."""
    allowed = {kind: _allowed(problem, kind) for kind in problem.kinds}
    found: dict[Kind, Kind] = {}
    for kind in problem.kinds:
        harder = kind
        for other in problem.kinds:
            if other is not harder and _is_harder(other, harder, allowed):
                harder = other
        found[kind] = harder
    return found


def _is_harder(one: Kind, other: Kind, allowed: dict[Kind, dict[str, frozenset[object]]]) -> bool:
    """Whether every answer for `one` is an answer for `other` too; of two that are equal the first counts as harder."""
    if one.platform != other.platform or not set(other.capabilities) <= set(one.capabilities):
        return False
    mine, theirs = allowed[one], allowed[other]
    if any(not builds <= theirs.get(name, frozenset()) for name, builds in mine.items()):
        return False
    same = mine == theirs and one.capabilities == other.capabilities
    return not same or list(allowed).index(one) < list(allowed).index(other)


def _allowed(problem: Problem, kind: Kind) -> dict[str, frozenset[object]]:
    """The builds that fit this kind, of every package that could be in an answer."""
    alone = problem.again(kinds=[kind])
    fields = [alone.field(name) for name in alone.asked()]
    found: dict[str, frozenset[object]] = {}
    while fields:
        field = fields.pop()
        found[field.name] = frozenset(
            (one.build.name, one.build.version, one.build.variant, one.build.index) for one in field.candidates
        )
        for name in {item for one in field.candidates for item in problem.names_brought(one)}:
            if name not in found and (along := alone.along(name)):
                fields.append(along)
    return found
