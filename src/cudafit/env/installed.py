"""Which distributions an environment holds, by the names of their metadata folders: nothing is imported or run."""

import os
from collections.abc import Iterator, Mapping

from cudafit.model.requirement import normalised


def nearby_environment(environ: Mapping[str, str], folder: str = ".") -> str | None:
    """The active environment, else `.venv` or `venv` in the folder."""
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if (path := environ.get(variable)) and os.path.isdir(path):
            return path
    for name in (".venv", "venv"):
        path = os.path.join(folder, name)
        if os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            return path
    return None


def installed_versions(environment: str) -> dict[str, str]:
    """Name -> version of every distribution in its site-packages."""
    found: dict[str, str] = {}
    for place in _site_packages(environment):
        try:
            names = os.listdir(place)
        except OSError:
            continue
        for name in names:
            stem, dot, _ = name.rpartition(".dist-info")
            project, dash, version = stem.rpartition("-")
            if dot and dash and project and version:
                found[normalised(project)] = version
    return found


def _site_packages(environment: str) -> Iterator[str]:
    yield os.path.join(environment, "Lib", "site-packages")
    library = os.path.join(environment, "lib")
    try:
        names = sorted(os.listdir(library))
    except OSError:
        return
    for name in names:
        if name.startswith("python3"):
            yield os.path.join(library, name, "site-packages")
