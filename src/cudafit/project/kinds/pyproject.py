"""pyproject.toml: PEP 621 and dependency groups (PEP 735), and the tables of uv, Poetry, PDM, hatch, rye and pixi.

Sources: the PEPs; the documentation of each tool's tables.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cudafit.errors import InputError
from cudafit.model.declaration import Bound, Declaration, Index, Source
from cudafit.model.requirement import Wanted, normalised, wanted
from cudafit.project.kinds import pixi_tables, poetry_tables
from cudafit.project.requirement_files import read_requirement_file
from cudafit.project.tables import Unread, requirements, table, tables, text, texts
from cudafit.system.toml import TomlError, read_toml
from cudafit.system.toml_places import TomlPlaces


def read(path: str, told: str) -> Declaration | None:
    """None where none of its tables declares anything."""
    data = toml_of(path, told)
    places = TomlPlaces(path, told)
    found = _of_project(path, data, places)
    found = poetry_tables.with_poetry(found, data, places) if table(data, "tool", "poetry") else found
    found = pixi_tables.with_pixi(found, table(data, "tool", "pixi"), "tool.pixi", places)
    # A heading of [tool.uv] or [tool.hatch] alone, as of [tool.ruff], says nothing of what is needed.
    return None if found.is_empty and not data.get("project") else found


def of_script(path: str, told: str, above: int) -> Declaration:
    """The block at the head of a script, below so many lines: the keys of [project] without its heading."""
    data = toml_of(path, told)
    places = TomlPlaces(path, "\n" * above + told, "project")
    whole = {"project": {key: data[key] for key in ("requires-python", "dependencies") if key in data}, **data}
    return replace(_of_project(path, whole, places), kind="pep723")


def toml_of(path: str, told: str) -> dict[str, Any]:
    """Raises InputError, with the line where it breaks."""
    try:
        return read_toml(told)
    except TomlError as error:
        raise InputError(f"`{path}` is not TOML: {error}") from None


def _of_project(path: str, data: Mapping[str, Any], places: TomlPlaces) -> Declaration:
    project, unread = _project(path, data), Unread()
    listed = project.get("dependencies", [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise InputError(f"`{path}`: `project.dependencies` must be a list of texts")
    start = places.line("project", "dependencies")
    main = tuple(wanted(line, places.at(line, after=start - 1)) for line in listed)
    extras = {
        normalised(name): requirements([(line, places.at(line)) for line in texts(lines)], unread)
        for name, lines in table(project, "optional-dependencies").items()
    }
    found = Declaration(
        path,
        _kind(data),
        wanted=main,
        extras=extras,
        groups={**_groups(data, places, unread), **_of_tools(data, places, unread)},
        default_groups=tuple(texts(table(data, "tool", "uv").get("default-groups"))),
        name=normalised(text(project, "name")),
        python=tuple(_python(project, places)),
        indexes=tuple(_indexes(data, places)),
        sources=tuple(_sources(data, places)),
        files=(path,),
    )
    found = _with_dynamic(found, project, data, places, unread)
    return replace(found, unread=(*found.unread, *unread.told))


def _project(path: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    project = data.get("project", {})
    if not isinstance(project, Mapping):
        raise InputError(f"`{path}`: `project` must be a table")
    return project


def _kind(data: Mapping[str, Any]) -> str:
    """By the tool whose tables say the most."""
    tools = table(data, "tool")
    for name, kind in (("pixi", "pixi-pyproject"), ("uv", "uv"), ("pdm", "pdm"), ("rye", "rye"), ("hatch", "hatch")):
        if table(tools, name):
            return kind
    return "poetry" if table(tools, "poetry") else "pep621"


def _python(project: Mapping[str, Any], places: TomlPlaces) -> Iterator[Bound]:
    if told := text(project, "requires-python"):
        yield Bound(told.replace(" ", ""), places.of_key("project", "requires-python"))


def _groups(data: Mapping[str, Any], places: TomlPlaces, unread: Unread) -> dict[str, tuple[Wanted, ...]]:
    """With those that they include; one that includes itself ends there."""
    groups = {normalised(name): rows for name, rows in table(data, "dependency-groups").items()}

    def lines(name: str, above: tuple[str, ...]) -> Iterator[str]:
        rows = groups.get(name)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, str):
                yield row
            elif inner := normalised(text(row, "include-group")):
                if inner in above:
                    place = places.of_key("dependency-groups", name)
                    unread.add(place, f"the group `{name}` includes itself, by `{inner}`")
                else:
                    yield from lines(inner, (*above, inner))

    return {
        name: requirements([(line, places.at(line)) for line in dict.fromkeys(lines(name, (name,)))], unread)
        for name in groups
    }


def _of_tools(data: Mapping[str, Any], places: TomlPlaces, unread: Unread) -> dict[str, tuple[Wanted, ...]]:
    """What else is installed for developers, and the environments of hatch."""
    tools = table(data, "tool")
    listed: dict[str, list[str]] = {}
    for tool, key, name in (("uv", "dev-dependencies", "dev"), ("rye", "dev-dependencies", "dev")):
        if lines := texts(table(tools, tool).get(key)):
            listed[name] = lines
    for name, lines in table(tools, "pdm", "dev-dependencies").items():
        listed[normalised(name)] = texts(lines)
    for name, told in table(tools, "hatch", "envs").items():
        lines = texts(table(told).get("dependencies")) + texts(table(told).get("extra-dependencies"))
        if lines:
            listed[normalised(f"hatch-{name}")] = lines
    return {
        name: requirements([(line, places.at(line)) for line in lines if not line.startswith("-e")], unread)
        for name, lines in listed.items()
    }


def _indexes(data: Mapping[str, Any], places: TomlPlaces) -> Iterator[Index]:
    uv = table(data, "tool", "uv")
    for row in tables(uv.get("index")):
        if url := text(row, "url"):
            yield Index(url, places.at(url), text(row, "name"), row.get("explicit") is True, row.get("default") is True)
    for key in ("index-url", "extra-index-url"):
        for url in texts(uv.get(key) or table(uv, "pip").get(key)):
            yield Index(url, places.at(url), default=key == "index-url")
    for tool, key in (("pdm", "source"), ("rye", "sources"), ("poetry", "source")):
        for row in tables(table(data, "tool", tool).get(key)):
            if url := text(row, "url"):
                explicit = text(row, "priority") == "explicit"
                yield Index(url, places.at(url), text(row, "name"), explicit, text(row, "name") == "pypi")


def _sources(data: Mapping[str, Any], places: TomlPlaces) -> Iterator[Source]:
    for name, told in table(data, "tool", "uv", "sources").items():
        place = places.of_key("tool.uv.sources", name)
        for row in tables(told):
            yield source_of(normalised(name), row, place)


def source_of(package: str, row: Mapping[str, Any], place: str) -> Source:
    """As uv and Poetry write it: an index by its name, a repository, a file, a folder."""
    git = text(row, "git")
    local = text(row, "path") or ("." if row.get("workspace") is True else "")
    return Source(
        package,
        place,
        text(row, "index") or text(row, "source") or None,
        (f"git+{git}" if git else text(row, "url")) or None,
        local or None,
        text(row, "marker") or text(row, "markers") or None,
        normalised(text(row, "extra")) or None,
        normalised(text(row, "group")) or None,
    )


def _with_dynamic(
    found: Declaration, project: Mapping[str, Any], data: Mapping[str, Any], places: TomlPlaces, unread: Unread
) -> Declaration:
    """Dependencies that setuptools reads from files; those that a build would compute are told."""
    if "dependencies" not in texts(project.get("dynamic")):
        return found
    place = places.of_key("project", "dynamic")
    told = table(data, "tool", "setuptools", "dynamic", "dependencies")
    names = texts(told.get("file")) or texts(
        table(data, "tool", "hatch", "metadata", "hooks", "requirements_txt").get("files")
    )
    folder = os.path.dirname(found.path)
    if not names:
        others = [name for name in ("setup.py", "setup.cfg") if os.path.isfile(os.path.join(folder, name))]
        where = f"they stand in {' or '.join(others)}" if others else "its build computes them"
        unread.add(place, f"the dependencies are dynamic: {where}")
        return found
    read = [read_requirement_file(os.path.normpath(os.path.join(folder, name))) for name in names]
    return replace(
        found,
        wanted=(*found.wanted, *(want for one in read for want in one.wanted)),
        files=(*found.files, *(name for one in read for name in one.files)),
    )
