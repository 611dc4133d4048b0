"""pixi: `pixi add`, of conda's packages with the CUDA that its solver may count on. Source: pixi's documentation,
"The manifest", `system-requirements` and `pypi-dependencies`."""

from collections.abc import Iterator

from cudafit.doctor.managers.work import Command, Told, Work, by_place, places_of
from cudafit.model.finding import Edit, Owner
from cudafit.model.requirement import Need


def told(owner: Owner, work: Work) -> Told:
    return Told(tuple(_commands(owner, work)), tuple(_edits(owner, work)))


def _edits(owner: Owner, work: Work) -> Iterator[Edit]:
    path = owner.declaration or ""
    top = "tool.pixi." if path.endswith("pyproject.toml") else ""
    if work.conda and work.cuda:
        cuda = (f"[{top}system-requirements]", f'cuda = "{work.cuda.partition(".")[0]}"')
        yield Edit(path, "the CUDA that the solver counts on", cuda)
    for needs in work.indexes.values():
        lines = tuple(_line(one) for one in needs)
        yield Edit(path, "packages with an index of their own", (f"[{top}pypi-dependencies]", *lines))


def _line(need: Need) -> str:
    version = need.requirement.removeprefix(need.name)
    return f'{need.name} = {{ version = "{version}", index = "{need.index}" }}'


def _commands(owner: Owner, work: Work) -> Iterator[Command]:
    where = ("--manifest-path", owner.declaration or "pixi.toml")
    pip = () if work.conda else ("--pypi",)
    for place, names in places_of(owner, work.remove):
        yield ("pixi", "remove", *where, *pip, *_feature(place), *names)
    plain = [one for one in work.versioned if not one.index]
    for place, needs in by_place(owner, (*plain, *map(Need, work.constraints))):
        yield ("pixi", "add", *where, *pip, *_feature(place), *(one.requirement for one in needs))
    if work.again:
        yield ("pixi", "update", *where, *work.again)
    if not plain and not work.again:
        yield ("pixi", "install", *where)


def _feature(place: str) -> tuple[str, ...]:
    kind, _, name = place.partition(" ")
    return ("--feature", name) if kind == "feature" else ()
