"""A version that the facts do not hold, because it came later: what the index says of it, there and then."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cudafit.app.builds import answer_of
from cudafit.model.fit import NO_FIT, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build, Facts, Source
from cudafit.model.requirement import Wanted
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Book
from cudafit.resolve.request import Request
from cudafit.resolve.versions import admits, parsed, read
from cudafit.system.commands import command_text

if TYPE_CHECKING:
    from cudafit.matrix.harvest.harvest import Group, Harvest

_PATIENCE_S = 10.0
_UPWARDS = ("==", ">", "~=")


@frozen
class WithNewer:
    """A book with builds that were read just now."""

    below: Book
    read: Mapping[str, tuple[Build, ...]]
    sources: tuple[Source, ...]
    told: tuple[str, ...]

    @property
    def version(self) -> str:
        return self.below.version

    @property
    def packages(self) -> Mapping[str, int]:
        return {**self.below.packages, **{name: len(self.builds(name)) for name in self.read}}

    def builds(self, name: str) -> tuple[Build, ...]:
        return (*self.below.builds(name), *self.read.get(name, ()))

    def facts(self, *lists: str) -> Facts:
        facts = self.below.facts(*lists)
        return replace(facts, sources=(*facts.sources, *self.sources)) if facts.sources else facts


def answer_with_index(
    request: Request,
    hosts: list[Host],
    book: Book,
    say: Callable[[str], None],
    *,
    every: bool = False,
    offline: bool = False,
) -> tuple[Resolution, Book]:
    """The answer from the facts; where they do not hold a version that is asked for, with what the index has of it."""
    answer = answer_of(request, hosts, book, every=every)
    if answer.status != NO_FIT or request.conda:
        return answer, book
    missing = [want for want in request.wanted if _is_missing(want, book)]
    if not missing:
        return answer, book
    names = list(dict.fromkeys(want.name for want in missing))
    day = _day(book, names)
    aged = f"the facts are of {day}, and what came later is not in them"
    if offline:
        return _with_cause(answer, f"{aged}: `--offline` asks no index for it"), book
    say(f"the facts of {day} do not hold {', '.join(want.text for want in missing)}: asking the index")
    harvested = _from_index(names, missing, book)
    if not harvested.builds:
        failed = harvested.failures[0] if harvested.failures else ""
        text = f"the index cannot be asked: {failed}" if failed else "the index has none either"
        return _with_cause(answer, f"{aged}; {text}"), book
    found: dict[str, tuple[Build, ...]] = {}
    for build in harvested.builds:
        found[build.name] = (*found.get(build.name, ()), build)
    versions = list(dict.fromkeys(f"{build.name} {build.version}" for build in harvested.builds))
    keep = command_text("cudafit", "matrix", "update", *found)
    text = f"{', '.join(versions)} newer than those of {day}, read on the index just now; `{keep}` keeps that"
    newer = WithNewer(book, found, tuple(harvested.sources), (*book.told, text))
    return answer_of(request, hosts, newer, every=every), newer


def _is_missing(want: Wanted, book: Book) -> bool:
    """Whether no version that the facts hold is meant, and not for being older than all of them."""
    if want.url or not want.specifier or want.name not in book.packages:
        return False
    held = {build.version for build in book.builds(want.name)}
    if any(admits(want.specifier, version) for version in held):
        return False
    oldest = min(map(parsed, held))
    asked = [part for part in want.specifier.split(",") if part.startswith(_UPWARDS)]
    begins = [read(part.lstrip("=><~").removesuffix(".*")) for part in asked]
    return any(version is not None and version > oldest for version in begins)


def _from_index(names: Sequence[str], missing: Sequence[Wanted], book: Book) -> "Harvest":
    # All that speaks with an index is slow to import.
    import requests  # noqa: PLC0415

    from cudafit.matrix.harvest.cache import Cache, default_folder  # noqa: PLC0415
    from cudafit.matrix.harvest.errors import HarvestError  # noqa: PLC0415
    from cudafit.matrix.harvest.harvest import Harvest, harvest  # noqa: PLC0415
    from cudafit.matrix.harvest.index import default_index, wheels  # noqa: PLC0415
    from cudafit.matrix.harvest.readers import READERS  # noqa: PLC0415

    address = default_index()
    held = {name: {build.version for build in book.builds(name)} for name in names}

    def is_meant(group: "Group") -> bool:
        version = group.chosen.public
        wants = [want for want in missing if want.name == group.package]
        return version not in held[group.package] and any(admits(want.specifier, version) for want in wants)

    readable = [name for name in names if name in READERS]
    if not readable:
        return Harvest(failures=[f"{names[0]}: there is no reader of its wheels"])
    try:
        with requests.Session() as session:
            wheels(readable[0], address, session, _PATIENCE_S)  # where nobody answers, one try is enough
    except HarvestError as error:
        return Harvest(failures=[str(error)])
    return harvest(
        readable,
        address,
        "pypi",
        datetime.now(timezone.utc).date().isoformat(),
        cache=Cache(default_folder(os.environ)),
        known=lambda group: not is_meant(group),
    )


def _with_cause(answer: Resolution, text: str) -> Resolution:
    return replace(answer, causes=(*answer.causes, text))


def _day(book: Book, names: Sequence[str]) -> str:
    """Of the facts about these packages: the update's where it holds all of them."""
    over = getattr(book, "over", None)
    update = re.search(r"\+update\.(\d{4}\.\d{1,2}\.\d{1,2})", book.version)
    if update and over is not None and all(name in over.packages for name in names):
        return update[1]
    return book.version.partition("+")[0]
