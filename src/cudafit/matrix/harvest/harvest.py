"""The harvest: one wheel of each version and platform, several at a time; what fails is told and passed over."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import requests
from packaging.version import InvalidVersion, Version

from cudafit.matrix.harvest.cache import Cache
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.index import WheelFile, libc_floor, wheels
from cudafit.matrix.harvest.readers import READERS
from cudafit.matrix.harvest.remote import RemoteWheel, Traffic
from cudafit.matrix.harvest.requirements import requires_python
from cudafit.model.matrix import Build, Source
from cudafit.model.versions import natural_key

# Pythons in this order are read first: one interpreter's wheel stands for all of its version and platform.
_PREFERRED = ("3.12", "3.11", "3.10")

_ATTEMPTS = 3


@dataclass
class Harvest:
    """What was read, what it cost, and what could not be read."""

    builds: list[Build] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    requests: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Group:
    """All wheels of one version on one platform."""

    package: str
    files: tuple[WheelFile, ...]
    newest: bool = True  # of its minor version
    mark: str = ""  # what tells it from another group of its version and platform

    @property
    def chosen(self) -> WheelFile:
        """The wheel that is read: the highest build tag, then a Python that most have, never a free-threaded one if
        there is another."""

        def rank(file: WheelFile) -> tuple[Any, ...]:
            python = next(iter(file.pythons), "")
            known = _PREFERRED.index(python) if python in _PREFERRED else len(_PREFERRED)
            return (python.endswith("t"), known, -file.build[0], file.build[1], file.name)

        return min(self.files, key=rank)


def groups(files: Iterable[WheelFile], first: Version | None) -> list[Group]:
    """The wheels from version `first` on, by version (with its local part) and platform, oldest first."""
    by_key: dict[tuple[str, str], list[WheelFile]] = {}
    for file in files:
        if first is None or file.version >= first:
            by_key.setdefault((str(file.version), file.platform), []).append(file)
    ordered = sorted(by_key.items(), key=lambda item: (Version(item[0][0]), item[0][1]))
    minors = [(Version(version).release[:2], platform) for (version, platform), _ in ordered]
    newest = dict(zip(minors, ordered, strict=True))
    return [
        Group(members[0].package, members, newest[minor] is item, mark)
        for minor, item in zip(minors, ordered, strict=True)
        for mark, members in _alike(item[1])
    ]


def _alike(files: Sequence[WheelFile]) -> list[tuple[str, tuple[WheelFile, ...]]]:
    """Where a Python has two wheels on one platform, they differ in what they hold: xgboost's for old systems have no
    code for a GPU. The ones for the newest systems come first, and have no mark."""
    by_floor: dict[tuple[str, int], list[WheelFile]] = {}
    for file in files:
        by_floor.setdefault(libc_floor(file.tags), []).append(file)
    pythons = [(file.pythons, file.build) for file in files]
    if len(set(pythons)) == len(pythons) or len(by_floor) == 1:
        return [("", tuple(files))]
    first, *rest = sorted(by_floor, key=lambda floor: (floor[0] != "", -floor[1]))
    return [("", tuple(by_floor[first])), *((f"-{floor[0]}{floor[1]}", tuple(by_floor[floor])) for floor in rest)]


def harvest(
    packages: Sequence[str],
    address: str,
    index: str,
    today: str,
    *,
    cache: Cache,
    since: Mapping[str, str] = MappingProxyType({}),
    workers: int = 6,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    known: Callable[[Group], bool] = lambda _group: False,
) -> Harvest:
    """Read the packages' wheels from the index at `address`, which the matrix calls `index`.

    `since` names for a package the first version that is read; what is `known` is passed over. Raises HarvestError only
    where that is no version; what fails later is among the failures.
    """
    first = {name: _version(text) for name, text in since.items()}
    result = Harvest()
    with Traffic() as traffic:
        _read_all(result, traffic, packages, address, index, today, cache, first, workers, progress, known)
    result.builds = _united(result.builds)
    result.builds.sort(key=lambda build: (build.name, Version(build.version), build.variant, build.platform))
    result.sources.sort(key=lambda source: natural_key(source.name))
    result.failures.sort()
    result.requests, result.bytes = traffic.requests, traffic.bytes
    return result


def _united(builds: Iterable[Build]) -> list[Build]:
    """Wheels of two groups that hold the same are one build."""
    by_key: dict[tuple[str, ...], Build] = {}
    for build in builds:
        key = (build.name, build.version, build.variant, build.platform)
        one = by_key.get(key)
        by_key[key] = build if one is None else _union(*sorted((one, build), key=lambda each: len(each.sources[0])))
    return list(by_key.values())


def _union(one: Build, other: Build) -> Build:
    pythons = sorted({*one.pythons, *other.pythons}, key=natural_key)
    tags = sorted({*one.tags, *other.tags}, key=natural_key)
    return replace(
        one, pythons=tuple(pythons), tags=tuple(tags), sources=tuple(dict.fromkeys(one.sources + other.sources))
    )


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise HarvestError(text, "is no version such as 2.14") from None


def _read_all(
    result: Harvest,
    traffic: Traffic,
    packages: Sequence[str],
    address: str,
    index: str,
    today: str,
    cache: Cache,
    first: Mapping[str, Version],
    workers: int,
    progress: Callable[[int, int], None],
    known: Callable[[Group], bool],
) -> None:
    local = threading.local()

    def session() -> requests.Session:
        if not hasattr(local, "session"):
            local.session = traffic.session()
        found: requests.Session = local.session
        return found

    waiting: list[Group] = []
    for package in packages:
        try:
            found = groups(wheels(package, address, session()), first.get(package))
            waiting += [group for group in found if not known(group)]
        except HarvestError as error:
            result.failures.append(str(error))
    progress(0, len(waiting))
    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(_facts, group, cache, session): group for group in waiting}
        for done, future in enumerate(as_completed(futures), 1):
            group = futures[future]
            try:
                facts = future.result()
                result.builds += _builds(group, facts, index)
                result.sources.append(_source(group, today))
            except HarvestError as error:
                result.failures.append(str(error))
            progress(done, len(waiting))


def _facts(group: Group, cache: Cache, session: Callable[[], requests.Session]) -> dict[str, Any]:
    file = group.chosen
    kept = cache.get(file.sha256)
    if kept is not None:
        return kept
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            facts = _read(group, session())
        except HarvestError:
            # A transfer that breaks off in the middle of a member looks like a broken file: only the same again is one.
            if attempt == _ATTEMPTS:
                raise
        else:
            break
    cache.put(file.sha256, facts)
    return facts


def _read(group: Group, session: requests.Session) -> dict[str, Any]:
    file = group.chosen
    with RemoteWheel(file, session, newest=group.newest) as wheel:
        facts = READERS[group.package](wheel)
        if not file.pythons or any(python.endswith("+") for python in file.pythons):
            facts["requires_python"] = requires_python(wheel.metadata())
    return facts


def _builds(group: Group, facts: dict[str, Any], index: str) -> Iterator[Build]:
    """The wheel's build, and one for each extra that makes it another one (`more`)."""
    own = {name: value for name, value in facts.items() if name != "more"}
    yield _build(group, own, index)
    for changes in facts.get("more", ()):
        yield _build(group, {**own, **changes}, index)


def _pythons_and_tags(group: Group) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pythons = {python for member in group.files for python in member.pythons}
    tags = {tag for member in group.files for tag in member.tags}
    return tuple(sorted(pythons, key=natural_key)), tuple(sorted(tags, key=natural_key))


def _build(group: Group, facts: dict[str, Any], index: str) -> Build:
    file = group.chosen
    given: dict[str, Any] = {"variant": file.version.local or "", "platform": file.platform}
    given |= {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    pythons, tags = _pythons_and_tags(group)
    return Build(
        name=group.package,
        version=file.public,
        index=index,
        pythons=pythons,
        tags=tags,
        sources=(source_name(group),),
        **given,
    )


def source_name(group: Group) -> str:
    file = group.chosen
    return f"{file.package}-{file.version}-{file.platform}{group.mark}"


def _source(group: Group, today: str) -> Source:
    file = group.chosen
    return Source(
        name=source_name(group),
        title=file.name,
        kind="wheel",
        read=today,
        reliability="A",
        package=file.package,
        version=str(file.version),
        file=file.name,
        sha256=file.sha256,
    )
