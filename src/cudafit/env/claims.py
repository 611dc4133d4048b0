"""Which managers say of an environment that it is theirs: one function for each, by its files in a project's folder.

Where each keeps its environments is what `kept_elsewhere` knows; its own documentation says what it writes beside them.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from cudafit.env.around import Around, line, table, toml
from cudafit.env.conda_project import FILES as CONDA_FILES
from cudafit.env.conda_project import of_conda
from cudafit.env.kept_elsewhere import of_hatch, of_pipenv, of_poetry, redirected
from cudafit.env.marks import Marks
from cudafit.env.prefixes import same
from cudafit.model.environment import CONDA, VENV, Environment
from cudafit.model.finding import Evidence, Manager
from cudafit.model.frozen import frozen

_OF_UV = "UV_PROJECT_ENVIRONMENT"
_CONDA_LOCKS = ("conda-lock.yml", "conda-lock.yaml")


@frozen
class Claimed:
    """`at_home`: it keeps its environments in this place. `proven`: nobody else does, or it wrote into it itself."""

    manager: Manager
    project: str
    declaration: str | None
    lock: str | None
    at_home: bool
    proven: bool
    evidence: tuple[Evidence, ...]
    content: dict[str, Any]  # of the declaration, where it is TOML


Claimant = Callable[[Around, str, Environment, Marks], Claimed | None]


def _uv(around: Around, place: str, environment: Environment, marks: Marks) -> Claimed | None:
    """`uv sync` always writes a lock, into `.venv` beside it or where UV_PROJECT_ENVIRONMENT says."""
    if environment.kind != VENV or not (lock := _there(around, place, "uv.lock")):
        return None
    told = around.environ.get(_OF_UV)
    home = os.path.normpath(os.path.join(place, told)) if told else f"{place}/.venv"
    at_home = same(around.files, environment.path, home)
    if not at_home:
        return None
    by = [Evidence("pyvenv.cfg says that uv made it", f"{environment.path}/pyvenv.cfg")] if marks.by_uv else []
    by += [Evidence("uv installed packages in it", "INSTALLER")] if "uv" in marks.installers else []
    evidence = (Evidence("uv.lock lies beside it", lock), *by)
    declaration = _there(around, place, "pyproject.toml")
    proven = "uv" in marks.installers or (marks.by_uv and not marks.installers)
    return Claimed("uv", place, declaration, lock, True, proven, evidence, _pyproject(around, place))


@frozen
class _ByTable:
    """A manager that keeps its table in pyproject.toml, its lock beside it, and writes its name into INSTALLER."""

    manager: Manager
    called: str
    files: tuple[str, ...]  # of its own, beside the lock
    places: Callable[[Around, str, dict[str, Any]], Iterator[str]]
    says: tuple[str, str | None]  # what it means that the environment is one of these, and by which file

    def __call__(self, around: Around, place: str, environment: Environment, marks: Marks) -> Claimed | None:
        project = _pyproject(around, place)
        lock = _there(around, place, f"{self.manager}.lock")
        own = lock or self.manager in table(project, "tool") or any(_there(around, place, one) for one in self.files)
        if not own:
            return None
        chosen = any(same(around.files, environment.path, one) for one in self.places(around, place, project))
        filled = self.manager in marks.installers
        at_home = chosen or same(around.files, environment.path, f"{place}/.venv")
        if not (at_home or filled):
            return None
        fact, file = self.says
        elsewhere = chosen and not file
        named = f"{self.manager}.lock" if elsewhere else f"{self.manager}.lock lies beside it"
        evidence = [Evidence(named, lock)] if lock else []
        evidence += [Evidence(fact, f"{place}/{file}" if file else environment.path)] if chosen else []
        evidence += [Evidence(f"{self.called} installed packages in it", "INSTALLER")] if filled else []
        if not evidence:
            evidence = [Evidence(f"tool.{self.manager}", f"{place}/pyproject.toml")]
        declaration = _there(around, place, "pyproject.toml")
        return Claimed(self.manager, place, declaration, lock, at_home, chosen or filled, tuple(evidence), project)


def _of_pdm(around: Around, place: str, _project: dict[str, Any]) -> Iterator[str]:
    """`.pdm-python` names the interpreter of the environment that it uses. Source: PDM's documentation."""
    if told := line(around.files, f"{place}/.pdm-python"):
        yield os.path.dirname(os.path.dirname(around.expanded(told, place)))


_poetry = _ByTable("poetry", "Poetry", ("poetry.toml",), of_poetry, ("it lies where poetry keeps this project's", None))
_pdm = _ByTable("pdm", "PDM", (".pdm-python",), _of_pdm, (".pdm-python names it", ".pdm-python"))


def _pipenv(around: Around, place: str, environment: Environment, marks: Marks) -> Claimed | None:
    if not (declaration := _there(around, place, "Pipfile")):
        return None
    files = around.files
    named = marks.pipenv is not None and same(files, marks.pipenv, place)
    elsewhere = named or same(files, environment.path, of_pipenv(around, place))
    elsewhere = elsewhere or any(same(files, environment.path, one) for one in redirected(around, place))
    at_home = elsewhere or same(files, environment.path, f"{place}/.venv")
    if not at_home or environment.kind != VENV:
        return None
    lock = _there(around, place, "Pipfile.lock")
    evidence = [Evidence("Pipfile.lock" if lock else "Pipfile", lock or declaration)]
    evidence += [Evidence("its .project names this folder", f"{environment.path}/.project")] if named else []
    evidence += [Evidence("it lies where pipenv keeps this project's", environment.path)] if elsewhere else []
    return Claimed("pipenv", place, declaration, lock, True, elsewhere, tuple(evidence), toml(files, declaration))


def _hatch(around: Around, place: str, environment: Environment, _marks: Marks) -> Claimed | None:
    """It has no lock, and its environments lie in its own folder."""
    project = _pyproject(around, place)
    own = _there(around, place, "hatch.toml")
    if environment.kind != VENV or not (project or own):
        return None
    if not any(same(around.files, environment.path, one) for one in of_hatch(around, place, project)):
        return None
    declaration = _there(around, place, "pyproject.toml") or own
    evidence = (Evidence("it lies where hatch keeps this project's", environment.path),)
    return Claimed("hatch", place, declaration, None, True, True, evidence, project)


def _pixi(around: Around, place: str, environment: Environment, marks: Marks) -> Claimed | None:
    if environment.kind != CONDA or marks.pixi is None or place not in marks.projects:
        return None
    declaration = next(iter(_pixi_manifests(around, place)), None)
    lock = _there(around, place, "pixi.lock")
    evidence = (Evidence("it is one of pixi's", f"{environment.path}/conda-meta/pixi"),)
    return Claimed(
        "pixi", place, declaration, lock, True, True, evidence, toml(around.files, declaration) if declaration else {}
    )


def _pixi_manifests(around: Around, place: str) -> Iterator[str]:
    if found := _there(around, place, "pixi.toml"):
        yield found
    if "pixi" in table(_pyproject(around, place), "tool"):
        yield f"{place}/pyproject.toml"


def _conda(around: Around, place: str, environment: Environment, marks: Marks) -> Claimed | None:
    """The file that names it; most environments of conda have none."""
    if environment.kind != CONDA or marks.pixi is not None:
        return None
    for name in CONDA_FILES:
        path = _there(around, place, name)
        if path and any(same(around.files, environment.path, one) for one in of_conda(around, place, name)):
            lock = next((found for one in _CONDA_LOCKS if (found := _there(around, place, one))), None)
            evidence = (
                Evidence("it has a conda-meta", f"{environment.path}/conda-meta"),
                Evidence(f"{name} names it", path),
            )
            return Claimed("conda", place, path, lock, True, True, evidence, {})
    return None


CLAIMANTS: tuple[Claimant, ...] = (_uv, _poetry, _pdm, _pipenv, _hatch, _pixi, _conda)


def _there(around: Around, place: str, name: str) -> str | None:
    path = os.path.join(place, name)
    return path if around.files.is_file(path) else None


def _pyproject(around: Around, place: str) -> dict[str, Any]:
    return toml(around.files, os.path.join(place, "pyproject.toml"))
