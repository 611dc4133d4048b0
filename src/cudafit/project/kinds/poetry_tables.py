"""The tables of Poetry in a pyproject.toml. Source: Poetry's documentation, "The pyproject.toml file"."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cudafit.model.declaration import Bound, Declaration, Source
from cudafit.model.requirement import Wanted, normalised
from cudafit.project.specifiers import of_poetry
from cudafit.project.tables import Unread, requirement, table, tables, text, texts
from cudafit.system.toml_places import TomlPlaces

_MAIN = "tool.poetry.dependencies"


def with_poetry(found: Declaration, data: Mapping[str, Any], places: TomlPlaces) -> Declaration:
    """A group that is not optional is installed as well; the older `dev-dependencies` are the developers' own."""
    poetry, unread = table(data, "tool", "poetry"), Unread()
    sources: list[Source] = []
    main: list[Wanted] = []
    optional: dict[str, Wanted] = {}
    told_python = list(found.python)
    for name, value in table(poetry, "dependencies").items():
        place = places.of_key(_MAIN, name)
        if normalised(name) == "python":
            told_python += _python(value, place, unread)
            continue
        for row in rows_of(value):
            wants = list(wanted_of(name, row, place, unread, sources))
            if row.get("optional") is True:
                optional |= {want.name: want for want in wants}
            else:
                main += wants
    groups = dict(found.groups)
    for name, told in table(poetry, "group").items():
        listed = _listed(table(told, "dependencies"), f"tool.poetry.group.{name}.dependencies", places, unread, sources)
        groups[normalised(name)] = listed
        if table(told).get("optional") is not True:
            main += listed
    if older := table(poetry, "dev-dependencies"):
        groups["dev"] = _listed(older, "tool.poetry.dev-dependencies", places, unread, sources)
    extras = {
        normalised(name): tuple(
            optional[package] for line in texts(lines) if (package := normalised(line.split("[")[0])) in optional
        )
        for name, lines in table(poetry, "extras").items()
    }
    return replace(
        found,
        kind="poetry" if found.kind == "pep621" else found.kind,
        wanted=(*_without_doubles(found.wanted, main), *main),
        extras={**extras, **found.extras},
        groups=groups,
        name=found.name or normalised(text(poetry, "name")),
        python=tuple(told_python),
        sources=(*found.sources, *sources),
        unread=(*found.unread, *unread.told),
    )


def _without_doubles(project: tuple[Wanted, ...], main: list[Wanted]) -> tuple[Wanted, ...]:
    """What stands in both tables is said in [project]; Poetry's table adds where it comes from."""
    for want in list(main):
        if any(one.name == want.name for one in project) and not want.url:
            main.remove(want)
    return project


def _listed(
    told: Mapping[str, Any], heading: str, places: TomlPlaces, unread: Unread, sources: list[Source]
) -> tuple[Wanted, ...]:
    return tuple(
        want
        for name, value in told.items()
        for row in rows_of(value)
        for want in wanted_of(name, row, places.of_key(heading, name), unread, sources)
    )


def rows_of(value: object) -> Iterator[Mapping[str, Any]]:
    """`"^2.1"`, `{version = "^2.1", extras = [...]}`, or several of those."""
    if isinstance(value, str):
        yield {"version": value}
    else:
        yield from tables(value)


def wanted_of(name: str, row: Mapping[str, Any], place: str, unread: Unread, sources: list[Source]) -> Iterator[Wanted]:
    specifier = of_poetry(text(row, "version")) if text(row, "version") else ""
    if specifier is None:
        unread.add(place, f"`{name} {text(row, 'version')}` is no range that is known here: its version is open")
        specifier = ""
    extras = f"[{','.join(texts(row.get('extras')))}]" if texts(row.get("extras")) else ""
    git = text(row, "git")
    address = f"git+{git}" if git else text(row, "url") or text(row, "file")
    marker = text(row, "markers") or _of_python(text(row, "python"))
    if text(row, "path"):
        sources.append(Source(normalised(name), place, local=text(row, "path")))
    elif index := text(row, "source"):
        sources.append(Source(normalised(name), place, index=index))
    line = f"{name}{extras} @ {address}" if address else f"{name}{extras}{specifier}"
    yield from requirement(f"{line} ; {marker}" if marker else line, place, unread)


def _of_python(told: str) -> str:
    """`python = "<3.12"` beside a version, as a marker."""
    specifier = of_poetry(told) if told else None
    parts = [part for part in (specifier or "").split(",") if part and part[:1] in "<>=!"]
    return " and ".join(f'python_version {part.rstrip("0123456789.*")} "{part.lstrip("<>=!~")}"' for part in parts)


def _python(value: object, place: str, unread: Unread) -> Iterator[Bound]:
    told = value if isinstance(value, str) else text(value, "version")
    specifier = of_poetry(told)
    if specifier is None:
        unread.add(place, f"`{told}` is no range of Pythons that is known here")
    elif specifier:
        yield Bound(specifier, place)
