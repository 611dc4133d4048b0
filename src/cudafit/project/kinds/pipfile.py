"""Pipfile. Source: Pipenv's documentation, "Pipfile & Pipfile.lock"."""

from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.model.declaration import Bound, Declaration, Index, Source
from cudafit.model.requirement import Wanted, normalised
from cudafit.project.kinds.poetry_tables import rows_of
from cudafit.project.kinds.pyproject import toml_of
from cudafit.project.tables import Unread, requirement, table, tables, text, texts
from cudafit.system.toml_places import TomlPlaces


def read(path: str, told: str) -> Declaration | None:
    data, places, unread = toml_of(path, told), TomlPlaces(path, told), Unread()
    sources: list[Source] = []
    listed = {
        heading: tuple(_listed(table(data, heading), heading, places, unread, sources))
        for heading in data
        if heading not in ("source", "requires", "scripts", "pipenv")
    }
    return Declaration(
        path,
        "pipfile",
        wanted=listed.get("packages", ()),
        groups={
            "dev" if name == "dev-packages" else normalised(name): one
            for name, one in listed.items()
            if name != "packages"
        },
        python=tuple(_python(data, places)),
        indexes=tuple(_indexes(data, places)),
        sources=tuple(sources),
        unread=unread.told,
        files=(path,),
    )


def _indexes(data: Mapping[str, Any], places: TomlPlaces) -> Iterator[Index]:
    """The first is the default one; the others are for the packages that name them."""
    for number, row in enumerate(tables(data.get("source"))):
        if url := text(row, "url"):
            yield Index(url, places.at(url), text(row, "name"), explicit=number > 0, default=number == 0)


def _python(data: Mapping[str, Any], places: TomlPlaces) -> Iterator[Bound]:
    for key in ("python_version", "python_full_version"):
        if told := text(table(data, "requires"), key):
            yield Bound(f"=={'.'.join(told.split('.')[:2])}.*", places.of_key("requires", key))
            return


def _listed(
    told: Mapping[str, Any], heading: str, places: TomlPlaces, unread: Unread, sources: list[Source]
) -> Iterator[Wanted]:
    for name, value in told.items():
        place = places.of_key(heading, name)
        for row in rows_of(value):
            yield from _wanted(name, row, place, unread, sources)


def _wanted(name: str, row: Mapping[str, Any], place: str, unread: Unread, sources: list[Source]) -> Iterator[Wanted]:
    if text(row, "path"):
        sources.append(Source(normalised(name), place, local=text(row, "path")))
    elif index := text(row, "index"):
        sources.append(Source(normalised(name), place, index=index))
    extras = f"[{','.join(texts(row.get('extras')))}]" if texts(row.get("extras")) else ""
    version = text(row, "version").replace(" ", "")
    version = "" if version == "*" else version if version[:1] in ("", *"<>=!~") else f"=={version}"
    git = text(row, "git")
    address = f"git+{git}" if git else text(row, "file")
    markers = [text(row, "markers")] if text(row, "markers") else []
    for key in ("sys_platform", "platform_system", "platform_machine", "python_version", "os_name"):
        markers += [f"{key} {text(row, key)}"] if text(row, key) else []
    line = f"{name}{extras} @ {address}" if address else f"{name}{extras}{version}"
    yield from requirement(f"{line} ; {' and '.join(markers)}" if markers else line, place, unread)
