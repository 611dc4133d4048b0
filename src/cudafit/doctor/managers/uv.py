"""uv: an index that is asked for nothing but the packages that name it, then `uv add`.

`uv add --index` alone would ask that index for every package, and first. Source: uv's guide to PyTorch.
"""

from collections.abc import Iterator

from cudafit.doctor.managers.work import Command, Told, Work, by_place, option_of, places_of
from cudafit.model.finding import Edit, Owner


def told(owner: Owner, work: Work) -> Told:
    return Told(tuple(_commands(owner, work)), tuple(_edits(owner, work)))


def _edits(owner: Owner, work: Work) -> Iterator[Edit]:
    path = owner.declaration or ""
    for (name, url), needs in work.indexes.items():
        lines = ("[[tool.uv.index]]", f'name = "{name}"', f'url = "{url}"', "explicit = true", "", "[tool.uv.sources]")
        yield Edit(path, "an index of its own", (*lines, *(f'{one.name} = {{ index = "{name}" }}' for one in needs)))
    if work.constraints:
        listed = ", ".join(f'"{one}"' for one in work.constraints)
        yield Edit(path, "a bound", ("[tool.uv]", f"constraint-dependencies = [{listed}]"))


def _commands(owner: Owner, work: Work) -> Iterator[Command]:
    where = ("--project", owner.project or ".")
    done = False
    for place, names in places_of(owner, work.remove):
        yield ("uv", "remove", *where, *option_of(place, "--group", "--optional"), *names)
        done = True
    for place, needs in by_place(owner, work.versioned):
        words = [one.requirement for one in needs]
        yield ("uv", "add", *where, *option_of(place, "--group", "--optional"), *words)
        done = True
    again = [word for name in work.again for word in ("--upgrade-package", name, "--reinstall-package", name)]
    if again or not done:
        yield ("uv", "sync", *where, *again)  # also takes out what the lock does not name
