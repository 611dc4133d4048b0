"""What changed between two matrices, in the words of those who use builds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields

from cudafit.model.matrix import Build, Matrix
from cudafit.model.versions import natural_key, numbers

_KEY = ("name", "version", "variant", "platform", "index")
_QUIET = {"sources", "note", *_KEY}


def differences(old: Matrix, new: Matrix) -> Iterator[str]:
    """One line a change: versions that came and went, builds that came and went, values that changed."""
    floors = {floor.major: floor.linux_driver for floor in new.facts.floors}
    for name in sorted({*old.builds, *new.builds}):
        yield from _package(name, old.builds.get(name, ()), new.builds.get(name, ()), floors)
    for section in ("toolkits", "drivers", "libraries", "gpus", "conda_builds"):
        before, after = (len(getattr(matrix.facts, section)) for matrix in (old, new))
        if getattr(old.facts, section) != getattr(new.facts, section):
            yield f"{section}: changed ({before} rows before, {after} now)"


def _package(name: str, old: tuple[Build, ...], new: tuple[Build, ...], floors: Mapping[str, str]) -> Iterator[str]:
    before, after = _by_key(old), _by_key(new)
    old_versions, new_versions = {b.version for b in old}, {b.version for b in new}
    for version in sorted(new_versions - old_versions, key=natural_key):
        builds = [build for build in new if build.version == version]
        yield f"{name} {version} added: {'; '.join(_variants(builds, floors))}"
    for version in sorted(old_versions - new_versions, key=natural_key):
        yield f"{name} {version} removed"
    for key in sorted({*before, *after}, key=str):
        if key[1] not in old_versions & new_versions:
            continue
        label = f"{name} {key[1]} {key[2]} ({key[3]}, {key[4]})"
        if key not in before:
            yield f"{label} added"
        elif key not in after:
            yield f"{label} removed"
        else:
            yield from (f"{label}: {change}" for change in _changes(before[key], after[key]))


def _by_key(builds: tuple[Build, ...]) -> dict[tuple[str, ...], Build]:
    return {tuple(getattr(build, name) for name in _KEY): build for build in builds}


def _variants(builds: list[Build], floors: Mapping[str, str]) -> Iterator[str]:
    platforms: dict[str, list[str]] = defaultdict(list)
    for build in builds:
        platforms[build.variant].append(build.platform)
    for variant, where in sorted(platforms.items()):
        build = next(build for build in builds if build.variant == variant)
        major = str(numbers(build.cuda)[0]) if build.cuda else ""
        needs = f", needs driver {floors[major]}" if major in floors else ""
        yield f"{variant} ({', '.join(sorted(set(where)))}{needs})"


def _changes(old: Build, new: Build) -> Iterator[str]:
    for part in fields(Build):
        before, after = getattr(old, part.name), getattr(new, part.name)
        if part.name in _QUIET or before == after:
            continue
        if isinstance(before, tuple) or isinstance(after, tuple):
            gone = [item for item in before or () if item not in (after or ())]
            come = [item for item in after or () if item not in (before or ())]
            told = [*(f"-{item}" for item in gone), *(f"+{item}" for item in come)]
            yield f"{part.name}: {' '.join(told) or 'another order'}"
        else:
            yield f"{part.name}: {before or 'not known'} -> {after or 'not known'}"
