"""PDM: a source that has these packages alone, then `pdm add`. Source: PDM's documentation, "Package sources"."""

from collections.abc import Iterator

from cudafit.doctor.managers.work import Command, Told, Work, by_place, option_of, places_of
from cudafit.model.finding import Edit, Owner
from cudafit.model.requirement import Need


def told(owner: Owner, work: Work) -> Told:
    return Told(tuple(_commands(owner, work)), tuple(_edits(owner, work)))


def _edits(owner: Owner, work: Work) -> Iterator[Edit]:
    for (name, url), needs in work.indexes.items():
        listed = ", ".join(f'"{one.name}"' for one in needs)
        lines = ("[[tool.pdm.source]]", f'name = "{name}"', f'url = "{url}"', f"include_packages = [{listed}]")
        yield Edit(owner.declaration or "", "a source of its own", (*lines, 'exclude_packages = ["*"]'))


def _commands(owner: Owner, work: Work) -> Iterator[Command]:
    where = ("--project", owner.project or ".")
    for place, names in places_of(owner, work.remove):
        yield ("pdm", "remove", *where, *option_of(place, "-dG", "-G"), *names)
    for place, needs in by_place(owner, (*work.versioned, *map(Need, work.constraints))):
        yield ("pdm", "add", *where, *option_of(place, "-dG", "-G"), *(one.requirement for one in needs))
    if work.again:
        yield ("pdm", "update", *where, *work.again)
    if set(work.remove) - {one.name for one in owner.asks}:
        yield ("pdm", "sync", *where, "--clean")  # takes out what the lock does not name
