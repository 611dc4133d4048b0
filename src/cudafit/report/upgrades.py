"""What newer drivers would bring: to how many machines, and to which locks."""

from collections import Counter
from collections.abc import Iterator, Sequence

from cudafit.model.fit import FIT
from cudafit.model.room import Gain, LockGain, WhatIf
from cudafit.report.kinds import Kinds, Verdict, has_branch, with_branch
from cudafit.report.records import LockFile
from cudafit.resolve.host import GPU, NO_DRIVER, Host, Kind


def what_ifs(hosts: Sequence[Host], locks: Sequence[LockFile], kinds: Kinds) -> Iterator[WhatIf]:
    """For each branch that is maintained and that some machine lacks and can have."""
    numbers = Counter(host.kind for host in hosts)
    first = {host.kind: host for host in reversed(hosts)}
    for branch in kinds.branches():
        one = _what_if(branch, [(first[kind], count) for kind, count in numbers.items()], locks, kinds)
        if one.changed:
            yield one


def _what_if(branch: str, sorts: list[tuple[Host, int]], locks: Sequence[LockFile], kinds: Kinds) -> WhatIf:
    changed = already = cannot = left = 0
    gains: Counter[tuple[str | None, str]] = Counter()
    fits = {lock.path: [0, 0] for lock in locks}
    for host, count in sorts:
        then = host
        if not _counts(host.kind):
            left += count
        elif has_branch(host.kind, branch):
            already += count
        elif not kinds.drives(host.kind, branch):
            cannot += count
        else:
            changed += count
            then = with_branch(host, branch)
            for before, after in zip(kinds.best(host.kind), kinds.best(then.kind), strict=True):
                if after and after != before:
                    gains[before, after] += count
        for lock in locks:
            fits[lock.path][0] += count * _is_fit(kinds.fits(lock, host))
            fits[lock.path][1] += count * _is_fit(kinds.fits(lock, then))
    told = [Gain(before, after, count) for (before, after), count in gains.most_common()]
    more = [LockGain(path, before, after) for path, (before, after) in fits.items() if after != before]
    return WhatIf(branch, changed, already, cannot, left, tuple(told), tuple(more))


def _counts(kind: Kind) -> bool:
    return kind.state in (GPU, NO_DRIVER) and kind.platform.startswith("linux") and not kind.wsl and not kind.tegra


def _is_fit(verdict: Verdict) -> bool:
    return verdict is not None and verdict[0] == FIT
