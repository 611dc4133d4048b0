"""The resolver's twin: every combination tried, by rules written down once more, in the simplest way that can be right.

It knows only what the generated matrices hold: one platform, no tags, three packages to ask for and one that comes
along. It shares no code with the resolver but the parsing of specifiers.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from packaging.requirements import Requirement
from packaging.version import Version

from cudafit.model.matrix import Build, Matrix

Picks = tuple[Build, ...]

# Versions that stand for all there are: every bound that a generated requirement names, and points between them.
POINTS = {
    "numpy": ["1.26", "2.0", "2.1", "3.0"],
    "nvidia-cudnn-cu12": ["8.9", "9.10.2.21", "9.11.0.98", "9.20.0.48", "10.0"],
    "nvidia-cudnn-cu13": ["9.20.0.48"],
    "nvidia-nccl-cu12": ["2.20", "2.27.7", "2.28.3", "2.30"],
}


def best(
    matrix: Matrix, names: Sequence[str], driver: str, cards: Sequence[tuple[int, int]], python: str
) -> Picks | None:
    """The picks by the stated order; None when nothing fits."""
    fields = [[build for build in matrix.builds[name] if fits(build, matrix, driver, cards, python)] for name in names]
    found: list[tuple[object, Picks]] = []
    for picks in product(*fields):
        if together(picks, matrix, cards) and any(
            together((*picks, *along), matrix, cards) for along in brought(picks, matrix, driver, cards, python)
        ):
            found.append((key(picks, matrix, driver), picks))
    return min(found, key=lambda one: one[0])[1] if found else None  # type: ignore[arg-type,return-value]


def key(picks: Picks, matrix: Matrix, driver: str) -> tuple[object, ...]:
    ages = {}
    for pick in picks:
        versions = sorted({Version(build.version) for build in matrix.builds[pick.name]}, reverse=True)
        ages[pick.name] = versions.index(Version(pick.version))
    return (
        tuple((not pick.verified, ages[pick.name]) for pick in picks),
        tuple(rank(pick, matrix, driver) for pick in picks),
        len({pick.index for pick in picks} - {"pypi"}),
        tuple(pick.index != "pypi" for pick in picks),
        tuple((-cuda(pick)[0], -cuda(pick)[1]) for pick in picks),
        tuple(matrix.builds[pick.name].index(pick) for pick in picks),
    )


def fits(build: Build, matrix: Matrix, driver: str, cards: Sequence[tuple[int, int]], python: str) -> bool:
    if build.pythons and python not in build.pythons:
        return False
    if not any(other.variant.startswith("cu") for other in matrix.builds[build.name]):
        return True
    if not build.variant.startswith("cu") or rank(build, matrix, driver) is None:
        return False
    ptx = can_compile(build, matrix, driver)
    return all(served(build, card, ptx=ptx) for card in cards) and libraries_serve([build], cards)


def cuda(build: Build) -> tuple[int, int]:
    digits = build.variant.removeprefix("cu")
    if not digits.isdecimal():
        return 0, 0
    return int(digits[:2]), int(digits[2:] or 0)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def reached(matrix: Matrix, driver: str) -> int:
    floors = [int(row.major) for row in matrix.facts.floors if numbers(driver) >= numbers(row.linux_driver)]
    return max(floors, default=0)


def packaged(build: Build, matrix: Matrix) -> tuple[int, ...] | None:
    told = [
        numbers(row.linux_driver)
        for row in matrix.facts.toolkits
        if row.linux_driver and numbers(row.cuda)[:2] == cuda(build)
    ]
    return min(told, default=None)


def rank(build: Build, matrix: Matrix, driver: str) -> int | None:
    """0 native (or of no matter), 1 by minor-version compatibility, None: too old."""
    major = cuda(build)[0]
    if major == 0 or reached(matrix, driver) > major:
        return 0
    if reached(matrix, driver) < major:
        return None
    if len(build.variant) == len("cu12"):
        return 0
    least = packaged(build, matrix)
    return 0 if least and numbers(driver) >= least else 1


def can_compile(build: Build, matrix: Matrix, driver: str) -> bool:
    if reached(matrix, driver) > cuda(build)[0]:
        return True
    return len(build.variant) > len("cu12") and rank(build, matrix, driver) == 0


def served(build: Build, card: tuple[int, int], *, ptx: bool) -> bool:
    if not build.kernels:
        return True
    for kernel in build.kernels:
        kind, _, number = kernel.partition("_")
        target = (int(number[:-1]), int(number[-1]))
        if kind == "sm" and target[0] == card[0] and target[1] <= card[1]:
            return True
        if kind == "compute" and ptx and target <= card:
            return True
    return False


CUDNN = {"9.10.2.21": (5, 0), "9.11.0.98": (7, 5), "9.20.0.48": (7, 5)}  # the oldest card of each


def libraries_serve(builds: Sequence[Build], cards: Sequence[tuple[int, int]]) -> bool:
    """Some cuDNN that all of them admit has kernels for every card (or none of the known ones is admitted)."""
    asked = [one for build in builds for one in asks(build) if one.name == "nvidia-cudnn-cu12"]
    admitted = [
        version
        for version in CUDNN
        if asked and all(one.specifier.contains(version, prereleases=True) for one in asked)
    ]
    return not admitted or any(all(card >= CUDNN[version] for card in cards) for version in admitted)


def asks(build: Build) -> list[Requirement]:
    return [Requirement(text) for text in build.requires]


def together(builds: Picks, matrix: Matrix, cards: Sequence[tuple[int, int]]) -> bool:
    for one, other in product(builds, builds):
        if one is other:
            continue
        for requirement in asks(one):
            if requirement.name == other.name:
                if not requirement.specifier.contains(other.version, prereleases=True):
                    return False
                if "==" in str(requirement.specifier) and not alike(one, other):
                    return False
            for theirs in asks(other):
                if requirement.name == theirs.name and requirement.name in POINTS:
                    both = requirement.specifier & theirs.specifier
                    if not any(both.contains(point, prereleases=True) for point in POINTS[requirement.name]):
                        return False
        if cuda(one)[0] and cuda(other)[0] and cuda(one)[0] != cuda(other)[0]:
            return False
        mine, theirs_too = [{r.name for r in asks(build) if "cudnn" in r.name} for build in (one, other)]
        if any(name != another for name in mine for another in theirs_too):
            return False
    return libraries_serve(builds, cards) and bool(matrix)


def alike(one: Build, other: Build) -> bool:
    """Of the same CUDA, as far as both tell it; packages without CUDA go with everything."""
    if "any" in (one.variant, other.variant):
        return True
    if (cuda(one)[0] == 0) != (cuda(other)[0] == 0):
        return False
    if len(one.variant) == len("cu12") or len(other.variant) == len("cu12"):
        return cuda(one)[0] == cuda(other)[0]
    return cuda(one) == cuda(other)


def brought(
    picks: Picks, matrix: Matrix, driver: str, cards: Sequence[tuple[int, int]], python: str
) -> Iterator[Picks]:
    """Everything that could come along: one build of each package that is asked for by a build, and by what comes."""
    here = {pick.name for pick in picks}
    missing = next(
        (r.name for pick in picks for r in asks(pick) if r.name in matrix.builds and r.name not in here), None
    )
    if missing is None:
        yield ()
        return
    for build in matrix.builds[missing]:
        if fits(build, matrix, driver, cards, python):
            for rest in brought((*picks, build), matrix, driver, cards, python):
                yield (build, *rest)
