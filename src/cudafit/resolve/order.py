"""The order among the builds of one package: which version comes first, and which of its builds."""

from collections.abc import Sequence
from typing import Any

from cudafit.model.fit import CPU, NATIVE
from cudafit.model.matrix import DEFAULT_INDEX, Build
from cudafit.resolve.drivers import build_cuda
from cudafit.resolve.request import INSTALLED, PREFER_NATIVE, Request
from cudafit.resolve.versions import parsed, read

_COMPAT_RANK = {None: 0, CPU: 0, NATIVE: 0, "minor": 1, "forward": 2}


Rank = tuple[tuple[Any, ...], tuple[Any, ...]]


class Order:
    """The order among the builds of one package."""

    def __init__(self, name: str, builds: Sequence[Build], request: Request) -> None:
        self._prefer = request.prefer
        versions = sorted({parsed(build.version) for build in builds}, reverse=True)
        self._age = {version: number for number, version in enumerate(versions)}
        self._kept = self._place_of(request.installed.get(name)) if request.prefer == INSTALLED else None
        self._known: dict[tuple[int, str | None], Rank] = {}  # by builds that outlive it

    def of(self, build: Build, compat: str | None, place: int) -> Rank:
        """The level, and the order within it: native, then the default index, then the newest CUDA, then as written."""
        key = (id(build), compat)
        if key not in self._known:
            self._known[key] = self._rank(build, compat, place)
        return self._known[key]

    def _rank(self, build: Build, compat: str | None, place: int) -> Rank:
        age = self._age[parsed(build.version)]
        rank = _COMPAT_RANK[compat]
        level: tuple[Any, ...] = (not build.verified, age)
        if self._prefer == PREFER_NATIVE:
            level = (not build.verified, rank, age)
        elif self._kept is not None:
            level = (not build.verified, abs(age - self._kept), age)
        cuda = build_cuda(build) or (0, 0)
        newest = (-cuda[0], -(cuda[1] or 0))
        return level, (rank, build.index != DEFAULT_INDEX, newest, place)

    def _place_of(self, version: str | None) -> float | None:
        """The installed version's place among those known; between two of them when it is none of them."""
        public = None if version is None else read(version.partition("+")[0])
        if public is None:
            return None
        if public in self._age:
            return self._age[public]
        return sum(known > public for known in self._age) - 0.5
