"""Pipenv, in the folder of its Pipfile: `pipenv install --index`. Source: Pipenv's documentation, "Specifiers"."""

from collections.abc import Iterator

from cudafit.doctor.managers.work import Command, Told, Work, by_place, places_of
from cudafit.model.finding import Owner
from cudafit.model.requirement import Need


def told(owner: Owner, work: Work) -> Told:
    return Told(tuple(_commands(owner, work)))


def _commands(owner: Owner, work: Work) -> Iterator[Command]:
    for _, names in places_of(owner, work.remove):
        yield ("pipenv", "uninstall", *names)
    for index in dict.fromkeys(one.index for one in work.versioned):
        needs = [one for one in work.versioned if one.index == index]
        yield from _installed(owner, needs, ("--index", index) if index else ())
        # The Pipfile is written without `+cu126`, so a build for the CPU of that version counts as the one that is
        # there; the lock has the whole. Seen with Pipenv 2026.10.3.
        if local := [one.name for one in needs if "+" in one.requirement]:
            yield ("pipenv", "run", "pip", "uninstall", "--yes", *local)
            in_dev = any(place == "group dev" for place, _ in by_place(owner, needs))
            yield ("pipenv", "sync", *(("--dev",) if in_dev else ()))
    yield from _installed(owner, [Need(one) for one in work.constraints], ())
    if work.again:
        yield ("pipenv", "upgrade", *work.again)
    if set(work.remove) - {one.name for one in owner.asks}:
        yield ("pipenv", "clean")  # takes out what the lock does not name


def _installed(owner: Owner, needs: list[Need], index: tuple[str, ...]) -> Iterator[Command]:
    for place, here in by_place(owner, needs):
        dev = ("--dev",) if place == "group dev" else ()
        yield ("pipenv", "install", *dev, *index, *(one.requirement for one in here))
