"""Poetry: a source that is explicit, then `poetry add`. Source: Poetry's documentation, "Repositories"."""

from collections.abc import Iterator

from cudafit.doctor.managers.work import Command, Told, Work, by_place, option_of, places_of
from cudafit.model.finding import Owner
from cudafit.model.requirement import Need


def told(owner: Owner, work: Work) -> Told:
    return Told(tuple(_commands(owner, work)))


def _commands(owner: Owner, work: Work) -> Iterator[Command]:
    where = ("--directory", owner.project or ".")
    for place, names in places_of(owner, work.remove):
        yield ("poetry", "remove", *where, *option_of(place, "--group", "--optional"), *names)
    for name, url in work.indexes:
        yield ("poetry", "source", "add", *where, "--priority", "explicit", name, url)
    for index in dict.fromkeys(one.index_name for one in work.versioned):
        needs = [one for one in work.versioned if one.index_name == index]
        source = ("--source", index) if index else ()
        for place, here in by_place(owner, needs):
            words = [one.requirement for one in here]
            yield ("poetry", "add", *where, *option_of(place, "--group", "--optional"), *source, *words)
    for place, here in by_place(owner, [Need(one) for one in work.constraints]):
        yield ("poetry", "add", *where, *option_of(place, "--group", "--optional"), *(one.requirement for one in here))
    if work.again:
        yield ("poetry", "update", *where, *work.again)
    if set(work.remove) - {one.name for one in owner.asks}:
        yield ("poetry", "sync", *where)  # takes out what the lock does not name
