"""Environments against the locks that they were made from."""

from collections.abc import Mapping, Sequence

from cudafit.model.room import Difference, Drift
from cudafit.report.records import LockFile

NEAR = 0.5  # of a lock's packages must be there, in whatever version


def drift_of(name: str, installed: Mapping[str, str], locks: Sequence[LockFile]) -> Drift | None:
    """None where the environment is as its lock has it. The lock is the one that it has most in common with."""
    near = [lock for lock in locks if _common(lock, installed) >= NEAR]
    if not near:
        return Drift(name, None) if locks else None
    lock = max(near, key=lambda one: (_same(one, installed), _common(one, installed)))
    differences = tuple(
        Difference(package, version, installed.get(package))
        for package, version in sorted(lock.versions.items())
        if installed.get(package) != version
    )
    more = len(installed.keys() - lock.versions.keys() - _OF_THE_ENVIRONMENT)
    return Drift(name, lock.path, differences, more) if differences or more else None


# What makes environments, and is not in locks.
_OF_THE_ENVIRONMENT = frozenset({"pip", "setuptools", "wheel", "uv"})


def _common(lock: LockFile, installed: Mapping[str, str]) -> float:
    return len(lock.versions.keys() & installed.keys()) / max(1, len(lock.versions))


def _same(lock: LockFile, installed: Mapping[str, str]) -> float:
    return sum(installed.get(name) == version for name, version in lock.versions.items()) / max(1, len(lock.versions))
