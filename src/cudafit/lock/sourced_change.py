"""A pyproject.toml of Poetry's or PDM's, with some requirements changed where they stand, and their sources.

Both read the lists of PEP 621; Poetry has tables of its own too, where the source of a package always stands.
"""

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import tomlkit

from cudafit.errors import InputError
from cudafit.lock.order import PYTORCH
from cudafit.lock.pyproject_change import (
    Table,
    checked,
    edited,
    named_index,
    put,
    remove_listed,
    replace_listed,
    table_of,
)
from cudafit.model.requirement import Need, normalised, wanted
from cudafit.system.secrets import without_login
from cudafit.system.toml import inline

_ELSEWHERE = ("path", "git", "url", "file")


def changed_for_poetry(
    text: str, path: str, needs: Sequence[Need], *, constraints: Sequence[str] = (), remove: Sequence[str] = ()
) -> str:
    """Poetry knows no constraints, so that they become dependencies. Raises InputError."""

    def change(document: Table) -> None:
        poetry = table_of(table_of(document, "tool", path), "poetry", path, only_tables=True)
        asked = [*needs, *map(Need, constraints)]
        dropped: list[str] = []
        for need in asked:
            name = _source(poetry, need, path, {"priority": "explicit"}) if need.index else None
            dropped += _poetry(document, poetry, need, name, path)
        for group in _groups(poetry):
            for key in [key for key in group if normalised(key) in remove]:
                dropped += [str(group[key].get("source", ""))] if isinstance(group[key], MutableMapping) else []
                del group[key]
        remove_listed(document, remove, path)
        used = {
            str(row.get("source", ""))
            for group in _groups(poetry)
            for told in group.values()
            for row in (told if isinstance(told, list) else [told])
            if isinstance(row, MutableMapping)
        }
        _drop_sources(poetry, dropped, used)

    return edited(text, path, change)


def changed_for_pdm(
    text: str, path: str, needs: Sequence[Need], *, constraints: Sequence[str] = (), remove: Sequence[str] = ()
) -> str:
    """Which packages a source has stands with the source. Raises InputError."""

    def change(document: Table) -> None:
        pdm = table_of(table_of(document, "tool", path), "pdm", path, only_tables=True)
        for need in (*needs, *map(Need, constraints)):
            if not replace_listed(document, need, path):
                _append(table_of(document, "project", path), need.requirement, path)
        remove_listed(document, remove, path)
        sources = pdm.get("source", [])
        for need in needs:
            for one in sources:
                listed = one.get("include_packages", [])
                for number in reversed(range(len(listed))):
                    if normalised(str(listed[number])) == need.name:
                        del listed[number]
        for number in reversed(range(len(sources))):
            one = sources[number]
            ours = str(one.get("name", "")).startswith(PYTORCH) and one.get("exclude_packages") == ["*"]
            if ours and not one.get("include_packages"):
                del sources[number]
        for need in needs:
            if need.index:
                name = _source(pdm, need, path, {"include_packages": [], "exclude_packages": ["*"]})
                row = next(one for one in pdm["source"] if str(one.get("name", "")) == name)
                row.setdefault("include_packages", tomlkit.array()).append(need.name)
        put(pdm, "source", pdm.get("source", []))

    return edited(text, path, change)


def _poetry(document: Table, poetry: Table, need: Need, source: str | None, path: str) -> Iterator[str]:
    """The package in all places where it stands, or among the dependencies. Yields the sources that it had."""
    listed = replace_listed(document, need, path)
    version = wanted(need.requirement).specifier.removeprefix("==")
    found = False
    for group in _groups(poetry):
        for key in [key for key in group if normalised(key) == need.name]:
            found = True
            if isinstance(group[key], MutableMapping):
                yield str(group[key].get("source", ""))
            group[key] = _told(group[key], need.name, "" if listed else version, source, path)
            if not len(group[key]):
                del group[key]
    if found or (listed and not source):
        return
    own = table_of(poetry, "dependencies", path) if source or not _lists_dependencies(document) else None
    if _lists_dependencies(document):
        if not listed:
            _append(table_of(document, "project", path), need.requirement, path)
        if own is not None:
            own[need.name] = inline(source=source)
    elif own is not None:
        own[need.name] = inline(version=version, source=source) if source else version


def _told(old: Any, name: str, version: str, source: str | None, path: str) -> Any:
    """An entry of Poetry's own tables; beside a list of PEP 621 it has no version. Raises InputError."""
    if isinstance(old, list):
        raise InputError(
            f"`{path}` takes {name} in another way for each platform",
            cause=[f"it has {len(old)} entries, so it is not known which one is meant"],
            hint="change it by the commands that `cudafit doctor` names",
        )
    if not isinstance(old, MutableMapping):
        return inline(version=version, source=source) if source else version
    if any(word in old for word in _ELSEWHERE):
        raise InputError(f"`{path}` takes {name} from a folder, a repository or an address")
    if version or "version" in old:
        old["version"] = version or old["version"]
    old.pop("source", None)
    if source:
        old["source"] = source
    return old


def _lists_dependencies(document: Table) -> bool:
    project = document.get("project", {})
    dynamic = project.get("dynamic", [])
    return "dependencies" in project or ("name" in project and "dependencies" not in dynamic)


def _append(project: Table, requirement: str, path: str) -> None:
    listed = checked(project.setdefault("dependencies", tomlkit.array()), "project.dependencies", path)
    listed.append(requirement)
    listed.multiline(len(listed) > 1)


def _groups(poetry: Table) -> Iterator[Table]:
    """The tables of packages."""
    groups = poetry.get("group", {})
    tables = [poetry.get("dependencies"), poetry.get("dev-dependencies")]
    tables += [one.get("dependencies") for one in groups.values() if isinstance(one, MutableMapping)]
    yield from (one for one in tables if isinstance(one, MutableMapping))


def _source(tool: Table, need: Need, path: str, more: dict[str, Any]) -> str:
    """The name of the source: one that is there by its address, or a new one for these packages alone."""
    sources = tool.get("source")
    if sources is None:
        sources = tomlkit.aot()
    if not isinstance(sources, list):
        raise InputError(f"`{path}`: the sources must be a list of tables")
    name, is_there = named_index(sources, need)
    if is_there:
        return name
    table = tomlkit.table()
    table["name"], table["url"] = name, without_login(need.index or "").rstrip("/")
    for key, value in more.items():
        table[key] = value
    sources.append(table)
    tool["source"] = sources
    return name


def _drop_sources(tool: Table, dropped: Sequence[str], used: set[str]) -> None:
    """One of PyTorch's that only served what comes from elsewhere now; what the user named otherwise stays."""
    sources = tool.get("source", [])
    for number in reversed(range(len(sources))):
        one = sources[number]
        name = str(one.get("name", ""))
        if name in dropped and name.startswith(PYTORCH) and one.get("priority") == "explicit" and name not in used:
            del sources[number]
    put(tool, "source", sources)
