"""The environments that tools keep outside of a project's folder, by the names that they give them."""

import os
import re
from collections.abc import Iterator
from typing import Any

from cudafit.env.around import Around, line, names, table, text, toml
from cudafit.env.conda_project import FILES, of_conda
from cudafit.env.prefixes import real_path
from cudafit.model.versions import natural_key


def kept_elsewhere(around: Around, place: str) -> Iterator[tuple[str, str]]:
    """Paths, which need not be there, and whose they are."""
    has = {name for name in (*_TOOLS, *FILES) if around.files.is_file(os.path.join(place, name))}
    if not has:
        return
    project = toml(around.files, os.path.join(place, "pyproject.toml")) if "pyproject.toml" in has else {}
    if "poetry" in table(project, "tool") or has & {"poetry.lock", "poetry.toml"}:
        yield from ((path, "poetry") for path in of_poetry(around, place, project))
    if "Pipfile" in has:
        yield of_pipenv(around, place), "pipenv"
    if project or "hatch.toml" in has:
        yield from ((path, "hatch") for path in of_hatch(around, place, project))
    if ".pdm-python" in has and (path := line(around.files, os.path.join(place, ".pdm-python"))):
        yield os.path.dirname(os.path.dirname(around.expanded(path, place))), "PDM"
    for name in (one for one in FILES if one in has):
        yield from ((path, "conda") for path in of_conda(around, place, name))


_TOOLS = ("pyproject.toml", "poetry.lock", "poetry.toml", "Pipfile", "hatch.toml", ".pdm-python")


def of_poetry(around: Around, place: str, project: dict[str, Any]) -> Iterator[str]:
    """`NAME-HASH-pyVERSION`; of several Pythons the one that `poetry env use` chose, else the newest.

    Source: poetry's `EnvManager.generate_env_name` and `EnvManager.get`, `Config.virtualenvs_path` and locations.py; a
    project without a name is called `non-package-mode`, by poetry-core's Factory.
    """
    name = text(table(project, "project"), "name") or text(table(project, "tool", "poetry"), "name")
    name = re.sub(r'[ $`!*@"\\\r\n\t]', "_", (name or "non-package-mode").lower())[:42]
    stem = f"{name}-{hashed(real_path(around.files, place))}"
    folder = _poetry_folder(around, place)
    if not folder:
        return
    chosen = text(table(toml(around.files, f"{folder}/envs.toml"), stem), "minor")
    if chosen:
        yield f"{folder}/{stem}-py{chosen}"
    found = names(around.files, folder, f"{stem}-py")
    yield from (f"{folder}/{one}" for one in sorted(found, key=natural_key, reverse=True))


def _poetry_folder(around: Around, place: str) -> str | None:
    settings_folder = around.environ.get("POETRY_CONFIG_DIR") or (around.config and f"{around.config}/pypoetry")
    own = toml(around.files, os.path.join(place, "poetry.toml"))
    user = toml(around.files, f"{settings_folder}/config.toml") if settings_folder else {}
    cache = around.environ.get("POETRY_CACHE_DIR") or text(own, "cache-dir") or text(user, "cache-dir")
    cache = cache or (around.cache and f"{around.cache}/pypoetry")
    told = (
        around.environ.get("POETRY_VIRTUALENVS_PATH")
        or text(table(own, "virtualenvs"), "path")
        or text(table(user, "virtualenvs"), "path")
    )
    if told:
        return around.expanded(told.replace("{cache-dir}", cache).replace("{project-dir}", place), place)
    return around.expanded(f"{cache}/virtualenvs", place) if cache else None


def of_pipenv(around: Around, place: str) -> str:
    """`NAME-HASH` in WORKON_HOME. Source: pipenv's `VenvLocator` (utils/venv_locator.py) and `get_workon_home`."""
    if name := around.environ.get("PIPENV_CUSTOM_VENV_NAME"):
        return os.path.join(_workon_home(around), name)
    real = real_path(around.files, place)
    name = re.sub(r'[ &$`!*@"()\[\]\\\r\n\t]', "_", os.path.basename(real))[:42]
    python = around.environ.get("PIPENV_PYTHON")
    suffix = f"-{os.path.basename(python)}" if python else ""
    return os.path.join(_workon_home(around), f"{name}-{hashed(f'{real}/Pipfile')}{suffix}")


def _workon_home(around: Around) -> str:
    # pipenv takes the same folder on every system but Windows.
    data = around.environ.get("XDG_DATA_HOME") or f"{around.home}/.local/share"
    return around.expanded(around.environ.get("WORKON_HOME") or f"{data}/virtualenvs", "/")


def redirected(around: Around, place: str) -> Iterator[str]:
    """A `.venv` that is a file: a path, or a name in WORKON_HOME. Source: pipenv's `VenvLocator.get_location`."""
    told = line(around.files, os.path.join(place, ".venv"))
    if told:
        yield around.expanded(told, place) if "/" in told or "\\" in told else os.path.join(_workon_home(around), told)


def of_hatch(around: Around, place: str, project: dict[str, Any]) -> Iterator[str]:
    """`env/virtual/PROJECT/HASH/NAME` in its data folder; `default` has the project's own name and comes first.

    Source: hatch's env/virtual.py and `Application.get_env_directory`; HATCH_DATA_DIR, `dirs.env.virtual`.
    """
    name = text(table(project, "project"), "name") or os.path.basename(place)
    name = re.sub(r"[-_.]+", "-", name).lower()
    told = around.environ.get("HATCH_ENV_TYPE_VIRTUAL_PATH") or text(
        table(project, "tool", "hatch", "envs", "default"), "path"
    )
    if told:
        yield around.expanded(told, place)
    data = around.environ.get("HATCH_DATA_DIR") or (around.data and f"{around.data}/hatch")
    settings = around.environ.get("HATCH_CONFIG") or (around.config and f"{around.config}/hatch/config.toml")
    kept = text(table(toml(around.files, settings), "dirs", "env"), "virtual") if settings else None
    folder = around.expanded(kept, place) if kept else f"{data}/env/virtual" if data else ""
    if not folder:
        return
    if place in (folder, *_above(folder)) or folder == f"{around.home}/.virtualenvs":
        yield f"{folder}/{name}"  # flat where it lies in the project, and in virtualenvwrapper's folder
        return
    project_folder = f"{folder}/{name}/{hashed(place)}"
    yield f"{project_folder}/{name}"
    yield from (f"{project_folder}/{one}" for one in names(around.files, project_folder, ""))


def hashed(text: str) -> str:
    """As poetry, pipenv and hatch have it: eight letters of SHA-256 in base 64."""
    import base64  # noqa: PLC0415 - for the few projects that need it
    import hashlib  # noqa: PLC0415

    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()).decode()[:8]


def _above(path: str) -> Iterator[str]:
    while path != (above := os.path.dirname(path)):
        yield above
        path = above
