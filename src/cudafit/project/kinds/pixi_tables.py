"""pixi's tables, in pixi.toml and in a pyproject.toml. Source: pixi's documentation, "The manifest"."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cudafit.model.declaration import Bound, Chosen, Declaration, Source
from cudafit.model.requirement import Wanted, normalised
from cudafit.project.conda_specs import Spec, chosen_by, name_of, spec_of
from cudafit.project.kinds.poetry_tables import rows_of
from cudafit.project.tables import Unread, requirement, table, text, texts
from cudafit.system.toml_places import TomlPlaces

_PLATFORM = "linux-64"


def with_pixi(found: Declaration, pixi: Mapping[str, Any], heading: str, places: TomlPlaces) -> Declaration:
    """The default environment: the tables without a feature, and the features that it is made of."""
    if not pixi:
        return found
    read = _Reader(places)
    dot = f"{heading}." if heading else ""
    read.take(pixi, dot)
    default = table(pixi, "environments").get("default")
    ours = texts(default) or texts(table(default).get("features"))
    groups = dict(found.groups)
    for name, told in table(pixi, "feature").items():
        own = read if name in ours else _Reader(places)
        own.take(table(told), f"{dot}feature.{name}.")
        groups[normalised(name)] = tuple(own.wanted)
    return replace(
        found,
        wanted=(*found.wanted, *read.wanted),
        groups=groups,
        python=(*found.python, *read.python),
        sources=(*found.sources, *read.sources),
        chosen=(*found.chosen, *read.chosen),
        conda=read.conda,
        unread=(*found.unread, *read.unread.told),
    )


class _Reader:
    """What some tables declare together."""

    def __init__(self, places: TomlPlaces) -> None:
        self.places = places
        self.wanted: list[Wanted] = []
        self.python: list[Bound] = []
        self.sources: list[Source] = []
        self.chosen: list[Chosen] = []
        self.unread = Unread()
        self.conda = False

    def take(self, told: Mapping[str, Any], heading: str) -> None:
        """Beside what is said of all platforms, what is said of Linux."""
        for part, at in ((told, heading), (table(told, "target", _PLATFORM), f"{heading}target.{_PLATFORM}.")):
            for name, value in table(part, "dependencies").items():
                self._conda(name, value, self.places.of_key(f"{at}dependencies", name))
            for name, value in table(part, "pypi-dependencies").items():
                self._pypi(name, value, self.places.of_key(f"{at}pypi-dependencies", name))
        cuda = text(table(told, "system-requirements"), "cuda")
        _ = cuda  # a demand on the machine, and no choice of a build

    def _conda(self, name: str, value: object, place: str) -> None:
        for row in rows_of(value):
            spec = Spec(name_of(name), text(row, "version"), text(row, "build"))
            if spec.name == "python":
                specifier = spec.specifier
                self.python += [Bound(specifier, place)] if specifier else []
                continue
            self.conda = True
            self.chosen += chosen_by(spec, place)
            if line := spec.requirement:
                self.wanted += requirement(line, place, self.unread)

    def _pypi(self, name: str, value: object, place: str) -> None:
        for row in rows_of(value):
            self.wanted += self._pypi_wanted(name, row, place)

    def _pypi_wanted(self, name: str, row: Mapping[str, Any], place: str) -> Iterator[Wanted]:
        if local := text(row, "path"):
            self.sources.append(Source(normalised(name), place, local=local))
        elif index := text(row, "index"):
            self.sources.append(Source(normalised(name), place, index=index))
        extras = f"[{','.join(texts(row.get('extras')))}]" if texts(row.get("extras")) else ""
        version = text(row, "version").replace(" ", "")
        git = text(row, "git")
        address = f"git+{git}" if git else text(row, "url")
        version = "" if version == "*" else version if version[:1] in ("", *"<>=!~") else f"=={version}"
        yield from requirement(
            f"{name}{extras} @ {address}" if address else f"{name}{extras}{version}", place, self.unread
        )


__all__ = ["spec_of", "with_pixi"]
