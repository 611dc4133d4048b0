"""The builds of one package that could be picked, best first, and why the others cannot."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cudafit.model.fit import CPU, NATIVE
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build
from cudafit.model.requirement import Wanted
from cudafit.resolve.drivers import build_cuda
from cudafit.resolve.host import GPU, NO_DRIVER, Kind
from cudafit.resolve.pins import is_gpu, label, requirements
from cudafit.resolve.request import INSTALLED, PREFER_NATIVE, Request
from cudafit.resolve.rules import EITHER, ON_CPU, ON_GPU, Obstacle, Service, Setting, combined, judge
from cudafit.resolve.versions import admits, disjoint, parsed, read

DEFAULT_INDEX = "pypi"
# Whose extra chooses the build; that of onnxruntime-gpu only brings libraries along.
_WITH_CUDA_EXTRA = frozenset(name for one in FRAMEWORKS if one.cuda_extra for name in (one.name, one.build))
WITHOUT_CUDA = "the CUDA wheel, without its CUDA libraries"
_COMPAT_RANK = {None: 0, CPU: 0, NATIVE: 0, "minor": 1, "forward": 2}


@frozen
class Candidate:
    """A build that fits by itself, and its place in the order."""

    build: Build
    services: tuple[Service, ...]  # one for each kind of machine
    level: tuple[Any, ...]  # its version's place: what comes first wins
    tie: tuple[Any, ...]  # among equal levels

    @property
    def compat(self) -> str | None:
        return combined(self.services)


@frozen
class Lost:
    """A build that cannot be picked, and on which kind of machine (None: on any)."""

    build: Build
    obstacle: Obstacle
    kind: int | None = None


@frozen
class Field:
    """The candidates of one package, best first, and its lost builds."""

    name: str
    candidates: tuple[Candidate, ...]
    lost: tuple[Lost, ...]


def field_of(
    name: str,
    builds: Sequence[Build],
    wants: Sequence[Wanted],
    request: Request,
    kinds: Sequence[Kind],
    setting: Setting,
    others: Mapping[str, Sequence[Wanted]],
) -> Field:
    """Every build of a package, judged. `others` are the user's own words about packages that are not ours."""
    has_gpu = any(is_gpu(build) for build in builds)
    has_cpu = any(build.variant == CPU for build in builds)
    candidates, lost = [], []
    own = _Levels(name, builds, request)
    platforms = {kind.platform for kind in kinds}
    purposes = [_purpose(kind, request, has_gpu) for kind in kinds]
    # The wheel without its CUDA libraries serves no GPU: it is an answer only where all are to work on the CPU.
    only_cpu = has_cpu and all(purpose == ON_CPU for purpose in purposes)
    for place, original in enumerate(builds):
        if original.platform not in platforms and original.platform != "any":
            elsewhere = Obstacle("platform", original.platform, kinds[0].platform)
            lost.append(Lost(original, elsewhere, 0))
            continue
        words = list(_against_words(original, wants, request, others, has_gpu=has_gpu))
        if words:
            lost += [Lost(original, words[0])]
            continue
        services: list[Service] = []
        # By rule, and by card where kernels lack: one machine that a build does not fit is enough to lose.
        obstacles: dict[tuple[str, str], Lost] = {}
        build = _without_cuda(original) if only_cpu and original.extra and original.kernels else original
        for number, (kind, purpose) in enumerate(zip(kinds, purposes, strict=True)):
            answer = judge(build, kind, setting, purpose)
            if isinstance(answer, Service):
                services.append(answer)
            else:
                for obstacle in answer:
                    card = obstacle.have if obstacle.rule == "kernels" else ""
                    obstacles.setdefault((obstacle.rule, card), Lost(original, obstacle, number))
        if obstacles:
            lost += obstacles.values()
        else:
            level, tie = own.order(build, combined(services), place)
            candidates.append(Candidate(build, tuple(services), level, tie))
    candidates.sort(key=lambda candidate: (candidate.level, candidate.tie))
    return Field(name, tuple(candidates), tuple(lost))


def _purpose(kind: Kind, request: Request, has_gpu: bool) -> str:
    if not has_gpu:
        return EITHER
    return ON_GPU if kind.state in (GPU, NO_DRIVER) and not request.cpu else ON_CPU


def _without_cuda(build: Build) -> Build:
    """The same wheel installed without the extra that brings its CUDA libraries: it then works on the CPU."""
    kept = tuple(text for text in build.requires if not text.startswith("nvidia-"))
    return replace(build, extra=None, variant=CPU, cuda=None, requires=kept, note=WITHOUT_CUDA)


def _against_words(
    build: Build, wants: Sequence[Wanted], request: Request, others: Mapping[str, Sequence[Wanted]], *, has_gpu: bool
) -> Iterator[Obstacle]:
    for want in wants:
        if not _admitted(want.specifier, build):
            yield Obstacle("request", f"{want.name}{want.specifier} ({want.origin})", label(build))
        choosing = [extra for extra in want.extras if is_cuda_extra(want.name, extra)]
        if missing := [extra for extra in choosing if _cuda_extra(extra) != build.extra]:
            yield Obstacle("request", f"{want.name}[{missing[0]}] ({want.origin})", label(build))
    if request.locked is not None and (told := _not_locked(build, request.locked, asked=bool(wants))):
        yield Obstacle("request", told, label(build))
    if request.cuda and has_gpu and not _is_of_cuda(build, request.cuda):
        yield Obstacle("request", f"CUDA {request.cuda} (--cuda)", label(build))
    for item in requirements(build) if others else ():
        for want in others.get(item.name, ()):
            if disjoint(item.specifier, want.specifier):
                yield Obstacle(
                    "request", f"{want.text} ({want.origin})", f"{label(build)} needs {item.name}{item.specifier}"
                )


def _admitted(specifier: str, build: Build) -> bool:
    """`==2.14.1+cu126` names the variant too, as the PyTorch indexes do."""
    if "+" in specifier and build.index != DEFAULT_INDEX:
        return admits(specifier, f"{build.version}+{build.variant}")
    return admits(specifier, build.version)


def _not_locked(build: Build, locked: Mapping[str, str], *, asked: bool) -> str | None:
    """What the lock holds in place of this build. What nobody asked for may be missing: not every lock names all."""
    held = locked.get(build.name)
    if held is None:
        return f"{build.name}, which the lock does not hold" if asked else None
    if "=" in held:
        version, _, string = held.partition("=")
        kind = f"cuda{build.cuda.replace('.', '')}" if build.cuda else "cpu"
        same = build.version == version and string.startswith(kind)
    elif "+" in held:
        same = build.index != DEFAULT_INDEX and parsed(f"{build.version}+{build.variant}") == read(held)
    else:
        same = build.index == DEFAULT_INDEX and parsed(build.version) == read(held)
    return None if same else f"{build.name} {held} (the lock)"


def is_cuda_extra(package: str, extra: str) -> bool:
    """Whether an extra chooses the build."""
    return package in _WITH_CUDA_EXTRA and (extra == "and-cuda" or extra.startswith("cuda"))


def _cuda_extra(extra: str) -> str:
    """jax's extra has had several names: `cuda` and `cuda12_pip` are `cuda12` today."""
    return "cuda12" if extra == "cuda" else re.sub("[-_]pip$", "", extra)


def _is_of_cuda(build: Build, wanted: str) -> bool:
    """`--cuda 12` admits every 12.x; a build for a whole major is admitted by any of its CUDA versions."""
    cuda = build_cuda(build)
    if cuda is None:
        return build.variant == "multi"
    numbers = [int(part) for part in wanted.split(".")[:2]]
    return cuda[0] == numbers[0] and (len(numbers) < 2 or cuda[1] is None or cuda[1] == numbers[1])


class _Levels:
    """The order among the builds of one package."""

    def __init__(self, name: str, builds: Sequence[Build], request: Request) -> None:
        self._prefer = request.prefer
        versions = sorted({parsed(build.version) for build in builds}, reverse=True)
        self._age = {version: number for number, version in enumerate(versions)}
        self._kept = self._place_of(request.installed.get(name)) if request.prefer == INSTALLED else None

    def order(self, build: Build, compat: str | None, place: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The level, and the order within it: native, then the default index, then the newest CUDA, then as written."""
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
