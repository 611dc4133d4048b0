"""What a manager's declaration names, and where in it: by its tables alone, the versions are left as they stand."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from cudafit.env.around import table
from cudafit.env.claims import Claimed
from cudafit.model.finding import Asks
from cudafit.model.requirement import name_in, normalised
from cudafit.system.secrets import redacted

_MOST = 1000
DEPENDENCIES = "dependencies"


def asks_of(claim: Claimed) -> tuple[Asks, ...]:
    """Each place of each package; a package may stand in several."""
    readers = {"pipenv": _of_pipfile, "pixi": _of_pixi, "hatch": _of_hatch}
    return tuple(islice(readers.get(claim.manager, _of_pyproject)(claim.content), _MOST))


def _of_pyproject(content: dict[str, Any]) -> Iterator[Asks]:
    project, tool = table(content, "project"), table(content, "tool")
    yield from _listed(project.get("dependencies"), DEPENDENCIES)
    for name, texts in table(project, "optional-dependencies").items():
        yield from _listed(texts, f"extra {name}")
    for name, texts in table(content, "dependency-groups").items():
        yield from _listed(texts, f"group {name}")
    yield from _listed(table(tool, "uv").get("dev-dependencies"), "group dev")
    for name, texts in table(tool, "pdm", "dev-dependencies").items():
        yield from _listed(texts, f"group {name}")
    yield from _named(table(tool, "poetry", "dependencies"), DEPENDENCIES)
    yield from _named(table(tool, "poetry", "dev-dependencies"), "group dev")
    for name in table(tool, "poetry", "group"):
        yield from _named(table(tool, "poetry", "group", name, "dependencies"), f"group {name}")


def _of_hatch(content: dict[str, Any]) -> Iterator[Asks]:
    yield from _of_pyproject(content)
    envs = table(content, "tool", "hatch", "envs") or table(content, "envs")  # of a hatch.toml
    for name in envs:
        for key in ("dependencies", "extra-dependencies"):
            yield from _listed(table(envs, name).get(key), f"environment {name}")


def _of_pipfile(content: dict[str, Any]) -> Iterator[Asks]:
    yield from _named(table(content, "packages"), DEPENDENCIES)
    yield from _named(table(content, "dev-packages"), "group dev")


def _of_pixi(content: dict[str, Any]) -> Iterator[Asks]:
    whole = table(content, "tool", "pixi") or content
    yield from _named(table(whole, "dependencies"), DEPENDENCIES)
    yield from _named(table(whole, "pypi-dependencies"), "pypi-dependencies")
    for name in table(whole, "feature"):
        yield from _named(table(whole, "feature", name, "dependencies"), f"feature {name}")
        yield from _named(table(whole, "feature", name, "pypi-dependencies"), f"feature {name}")


def _listed(texts: object, place: str) -> Iterator[Asks]:
    for text in texts if isinstance(texts, list) else ():
        if isinstance(text, str) and (name := name_in(text)):
            yield Asks(name, place, redacted(text))


def _named(packages: Mapping[str, Any], place: str) -> Iterator[Asks]:
    for name, told in packages.items():
        if name != "python":
            version = told.get("version", "*") if isinstance(told, dict) else told
            yield Asks(normalised(name), place, redacted(str(version)) if isinstance(version, str) else "*")
