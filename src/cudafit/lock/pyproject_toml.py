"""The user's own pyproject.toml, with the fit as dependencies and an explicit index for each package that needs one.

Comments, order, line ends and everything else of the file stay.
"""

from collections.abc import MutableMapping
from typing import cast

import tomlkit
from tomlkit.items import Array

from cudafit.errors import InputError
from cudafit.lock.order import PYTORCH, Order
from cudafit.lock.pyproject_change import MARK, Table, edited, put, table_of
from cudafit.model.requirement import wanted
from cudafit.system.secrets import without_login
from cudafit.system.toml import inline


def pyproject_text(order: Order, text: str | None, path: str) -> str:
    """Raises InputError for a file that is no TOML, or whose tables are not what they should be."""
    text = text or ""
    empty = not text.removeprefix(MARK).strip()

    def change(document: Table) -> None:
        if not empty and "project" not in document:
            raise InputError(
                f"`{path}` has no `[project]` table, so it is not known where its dependencies stand",
                hint="add one with `name` and `version`, or write `-o requirements.txt`",
            )
        project = table_of(document, "project", path)
        if "name" not in project and empty:
            project["name"] = order.name
            project["version"] = "0"
            project["requires-python"] = f">={order.python.rstrip('t')}"
        _depend(order, project, path)
        _name_indexes(order, document, path)

    return edited(text, path, change)


def _depend(order: Order, project: Table, path: str) -> None:
    """Each of ours in the place where the package stood, new ones at the end; what is none of ours stays."""
    listed = project.setdefault("dependencies", tomlkit.array())
    if not isinstance(listed, Array):
        raise InputError(f"`{path}`: `project.dependencies` must be a list of texts")
    ours = {
        pick.name: pick.requirement for pick in order.picks if pick.requested or pick.index_name.startswith(PYTORCH)
    }
    stands = {wanted(str(item), path).name: number for number, item in enumerate(listed)}
    others = {want.name: without_login(want.text) for want in order.others if not want.constraint}
    for name, requirement in {**others, **ours}.items():
        if name not in stands:
            listed.append(requirement)
            if len(listed) > 1 or name in others:
                listed.multiline(True)
        elif name in ours:
            listed[stands[name]] = requirement


def _name_indexes(order: Order, document: Table, path: str) -> None:
    """What an earlier fit named and this one does not need goes; what the user wrote stays."""
    picks = {pick.name: pick for pick in order.picks}
    elsewhere = {name: pick for name, pick in picks.items() if pick.index_name.startswith(PYTORCH)}
    constraints = [one.requirement for one in order.resolution.constraints]
    if not elsewhere and not constraints and "uv" not in document.get("tool", {}):
        return
    uv = table_of(table_of(document, "tool", path), "uv", path, only_tables=not constraints)
    if constraints:
        ours = {wanted(text).name for text in constraints}
        kept = [str(one) for one in uv.get("constraint-dependencies", [])]
        uv["constraint-dependencies"] = [one for one in kept if wanted(one, path).name not in ours] + constraints
    sources = cast(Table, uv.get("sources", tomlkit.table()))
    for name in picks:
        index = sources[name].get("index", "") if isinstance(sources.get(name), MutableMapping) else ""
        if str(index).startswith(PYTORCH) and name not in elsewhere:
            del sources[name]
    for name, pick in elsewhere.items():
        if sources.get(name) != {"index": pick.index_name}:
            sources[name] = inline(index=pick.index_name)
    put(uv, "sources", sources)
    named = {str(one.get("index", "")) for one in sources.values() if isinstance(one, MutableMapping)}
    _list_indexes(order, uv, {pick.index_name: pick.index for pick in elsewhere.values()}, named, path)
    if not len(uv):
        del document["tool"]["uv"]


def _list_indexes(order: Order, uv: Table, needed: dict[str, str], named: set[str], path: str) -> None:
    """Ours are explicit: nothing but the packages that name one is looked for there."""
    indexes = uv.get("index", tomlkit.aot())
    if not isinstance(indexes, list):
        raise InputError(f"`{path}`: `tool.uv.index` must be a list of tables")
    for number in reversed(range(len(indexes))):
        name = str(indexes[number].get("name", ""))
        if name.startswith(PYTORCH) and name not in needed and name not in named:
            del indexes[number]
    known = {str(one.get("name", "")): one for one in indexes}
    for name, url in needed.items():
        table = known.get(name) or tomlkit.table()
        table["name"] = name
        table["url"] = without_login(order.indexes.of(name, url))
        table["explicit"] = True
        if name not in known:
            indexes.append(table)
    put(uv, "index", indexes)
