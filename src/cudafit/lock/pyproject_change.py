"""A project's own pyproject.toml, with some requirements changed where they stand, and their indexes for uv.

Unlike a lock that is written by a fit, nothing else of the file is touched: what a package is named for (an extra, a
group, a marker) stays, and so do comments, order and line ends.
"""

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, cast

import tomlkit
from tomlkit.items import Array

from cudafit.errors import InputError
from cudafit.lock.order import PYTORCH
from cudafit.model.requirement import Need, name_in, normalised, wanted
from cudafit.system.secrets import without_login
from cudafit.system.toml import TomlError, inline, read_document

Table = MutableMapping[str, Any]
MARK = "\ufeff"  # the byte order mark of some editors


def edited(text: str, path: str, change: Callable[[Table], None]) -> str:
    """The text with a change of its tables; lines that stay keep their ends. Raises InputError."""
    mark = MARK if text.startswith(MARK) else ""
    text = text.removeprefix(MARK)
    try:
        document = read_document(text)
    except TomlError as error:
        raise InputError(f"`{path}` is not TOML: {error}") from None
    change(document)
    # What follows a list of tables that grew at its end keeps its distance.
    told = re.sub(r"(?m)^(explicit = true\r?\n)(?=\[)", r"\1\n", tomlkit.dumps(document))
    if text and text.count("\n") == text.count("\r\n"):
        told = re.sub(r"(?<!\r)\n", "\r\n", told)
    return mark + told


def changed(
    text: str, path: str, needs: Sequence[Need], *, constraints: Sequence[str] = (), remove: Sequence[str] = ()
) -> str:
    """Each need in all places where its package stands, or among the dependencies. Raises InputError."""

    def change(document: Table) -> None:
        project = table_of(document, "project", path)
        for need in needs:
            if not replace_listed(document, need, path):
                listed = project.setdefault("dependencies", tomlkit.array())
                checked(listed, "project.dependencies", path).append(need.requirement)
                listed.multiline(len(listed) > 1)
        remove_listed(document, remove, path)
        if needs or constraints:
            _for_uv(document, needs, constraints, path)

    return edited(text, path, change)


def replace_listed(document: Table, need: Need, path: str) -> bool:
    """In all lists where the package stands; whether there is one."""
    found = False
    for _, listed in _lists(document, path):
        for number, item in enumerate(listed):
            if isinstance(item, str) and name_in(item) == need.name:
                listed[number] = _with_marker(item, need.requirement, path)
                found = True
    return found


def remove_listed(document: Table, names: Sequence[str], path: str) -> None:
    """Out of every list of requirements."""
    for _, listed in _lists(document, path):
        for number in reversed(range(len(listed))):
            if isinstance(listed[number], str) and name_in(listed[number]) in names:
                del listed[number]


def _with_marker(old: str, requirement: str, path: str) -> str:
    """The new version for what was asked for: the extras of both, and the marker of the old one."""
    was, now = wanted(old, path), wanted(requirement)
    if was.url:
        raise InputError(f"`{path}` takes {was.name} from an address", hint="take the address out of it first")
    extras = ",".join(dict.fromkeys((*was.extras, *now.extras)))
    name = re.split(r"[\s\[(<>=!~;@]", old.strip(), maxsplit=1)[0]
    marker = old.partition(";")[2].strip()
    told = f"{name}[{extras}]{now.specifier}" if extras else f"{name}{now.specifier}"
    return f"{told} ; {marker}" if marker else told


def _lists(document: Table, path: str) -> Iterator[tuple[str, Array]]:
    """Every list of requirements of the project, by its place."""
    project = document.get("project", {})
    if "dependencies" in project:
        yield "dependencies", checked(project["dependencies"], "project.dependencies", path)
    for name, listed in project.get("optional-dependencies", {}).items():
        yield f"extra {name}", checked(listed, f"project.optional-dependencies.{name}", path)
    for name, listed in document.get("dependency-groups", {}).items():
        yield f"group {name}", checked(listed, f"dependency-groups.{name}", path)
    tool = document.get("tool", {})
    for name, listed in tool.get("pdm", {}).get("dev-dependencies", {}).items():
        yield f"group {name}", checked(listed, f"tool.pdm.dev-dependencies.{name}", path)
    uv = tool.get("uv", {})
    if "dev-dependencies" in uv:
        yield "group dev", checked(uv["dev-dependencies"], "tool.uv.dev-dependencies", path)


def checked(listed: Any, place: str, path: str) -> Array:
    if not isinstance(listed, Array):
        raise InputError(f"`{path}`: `{place}` must be a list of texts")
    return listed


def _for_uv(document: Table, needs: Sequence[Need], constraints: Sequence[str], path: str) -> None:
    """An index for each package that needs one, and no more for one that comes from the default index now."""
    elsewhere = [need for need in needs if need.index_name and need.index]
    if not elsewhere and not constraints and "uv" not in document.get("tool", {}):
        return
    uv = table_of(table_of(document, "tool", path), "uv", path, only_tables=not constraints)
    if constraints:
        ours = {name_in(text) for text in constraints}
        known = [str(one) for one in uv.get("constraint-dependencies", [])]
        uv["constraint-dependencies"] = [one for one in known if name_in(one) not in ours] + list(constraints)
    sources = cast(Table, uv.get("sources", tomlkit.table()))
    indexes = uv.get("index", tomlkit.aot())
    if not isinstance(indexes, list):
        raise InputError(f"`{path}`: `tool.uv.index` must be a list of tables")
    dropped = [name for need in needs for name in _drop_source(sources, need.name, path)]
    for need in elsewhere:
        sources[need.name] = inline(index=_index(indexes, need))
    _drop_indexes(indexes, dropped, sources)
    put(uv, "sources", sources)
    put(uv, "index", indexes)
    if not len(uv):
        del document["tool"]["uv"]


def _drop_source(sources: Table, package: str, path: str) -> Iterator[str]:
    """Takes out where a package came from; yields the names of the indexes."""
    for key in [key for key in sources if normalised(key) == package]:
        told = sources[key]
        rows = told if isinstance(told, list) else [told]
        if not all(isinstance(row, MutableMapping) and "index" in row for row in rows):
            raise InputError(
                f"`{path}` takes {package} from a folder, a repository or an address",
                hint=f"take `{key}` out of `tool.uv.sources` first",
            )
        if any("extra" in row or "group" in row for row in rows):
            raise InputError(
                f"`{path}` takes {package} from another index for each extra",
                cause=[f"`tool.uv.sources.{key}` has {len(rows)} entries, so it is not known which one is meant"],
                hint="choose the extra whose index fits, as `uv sync --extra NAME`",
            )
        yield from (str(row["index"]) for row in rows)
        del sources[key]


def _index(indexes: Any, need: Need) -> str:
    """The name of the index: one that is there by its address, or one of ours that is asked for nothing else."""
    name, is_there = named_index(indexes, need)
    if not is_there:
        table = tomlkit.table()
        table["name"], table["url"], table["explicit"] = name, without_login(need.index or ""), True
        indexes.append(table)
    return name


def named_index(indexes: Iterable[Any], need: Need) -> tuple[str, bool]:
    """The name of the index among a project's, by its address, and whether it is there; else one that is free."""
    url = without_login(need.index or "").rstrip("/")
    known = {str(one.get("name", "")): one for one in indexes if isinstance(one, MutableMapping)}
    for name, one in known.items():
        if name and str(one.get("url", "")).rstrip("/") == url:
            return name, True
    name, number = need.index_name or "", 1
    while name in known:
        number += 1
        name = f"{need.index_name}-{number}"
    return name, False


def _drop_indexes(indexes: Any, dropped: Sequence[str], sources: Table) -> None:
    """One of PyTorch's that only served what comes from elsewhere now; what the user named otherwise stays."""
    used = {str(row.get("index", "")) for told in sources.values() for row in _rows(told)}
    for number in reversed(range(len(indexes))):
        one = indexes[number]
        name = str(one.get("name", "")) if isinstance(one, MutableMapping) else ""
        if name in dropped and name.startswith(PYTORCH) and one.get("explicit") and name not in used:
            del indexes[number]


def _rows(told: Any) -> Iterator[Table]:
    yield from (row for row in (told if isinstance(told, list) else [told]) if isinstance(row, MutableMapping))


def put(table: Table, key: str, value: Any) -> None:
    """An empty list or table is left out."""
    if len(value):
        table[key] = value
    else:
        table.pop(key, None)


def table_of(parent: Table, key: str, path: str, *, only_tables: bool = False) -> Table:
    value = parent.setdefault(key, tomlkit.table(is_super_table=only_tables or key == "tool"))
    if not isinstance(value, MutableMapping):
        raise InputError(f"`{path}`: `{key}` must be a table")
    return value
