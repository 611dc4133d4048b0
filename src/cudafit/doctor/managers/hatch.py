"""Hatch has no command that adds a package and no lock: its file is edited, and the environment made anew.

Source: Hatch's documentation, "Environment configuration": pip and uv take an index from the environment's variables.
"""

from collections.abc import Iterator

from cudafit.doctor.managers.work import DEPENDENCIES, Told, Work, by_place
from cudafit.model.finding import Edit, Owner


def told(owner: Owner, work: Work) -> Told:
    """In the folder of its file."""
    return Told((("hatch", "env", "prune"), ("hatch", "env", "create")), tuple(_edits(owner, work)))


def _edits(owner: Owner, work: Work) -> Iterator[Edit]:
    path = owner.declaration or ""
    for place, needs in by_place(owner, work.versioned):
        names = {one.name for one in needs}
        old = ", ".join(f'`"{one.text}"`' for one in owner.asks if one.place == place and one.name in names)
        what = "among its `dependencies`" if place == DEPENDENCIES else f"in its {place}"
        what += f", in place of {old}" if old else ""
        yield Edit(
            path, what, (*(f'"{one.requirement}",' for one in needs), *(f'"{one}",' for one in work.constraints))
        )
    if gone := [one.name for one in owner.asks if one.name in work.remove]:
        yield Edit(path, "take out", tuple(f'"{name}"' for name in dict.fromkeys(gone)))
    table = "envs.default.env-vars" if path.endswith("hatch.toml") else "tool.hatch.envs.default.env-vars"
    for _, url in work.indexes:
        lines = (f'PIP_EXTRA_INDEX_URL = "{url}"', f'UV_INDEX = "{url}"')
        yield Edit(path, "where its packages come from; the table is there once", (f"[{table}]", *lines))
