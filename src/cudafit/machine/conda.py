"""conda, mamba, micromamba and pixi installations, from their files."""

import os
import re

from cudafit.machine.context import Context
from cudafit.model.machine import CondaInstallation
from cudafit.process import which

PROBE = "conda"
_ROOT_NAMES = ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "conda", "micromamba", "miniconda", "anaconda")
_SYSTEM_ROOTS = tuple(f"/opt/{name}" for name in _ROOT_NAMES)


def read_conda(context: Context) -> tuple[CondaInstallation, ...]:
    found: dict[str, CondaInstallation] = {}
    for path, via in _roots(context):
        if not context.files.is_dir(f"{path}/conda-meta") and not context.files.is_dir(f"{path}/envs"):
            continue
        real = context.files.real(path)
        if real not in found:
            found[real] = _installation(context, path, via)
    for tool in ("micromamba", "pixi"):
        program = which(tool, context.environ.get("PATH", "")) if context.live else None
        if program:
            found[program] = CondaInstallation(tool, program, None, "PATH")
    return tuple(found.values())


def _roots(context: Context) -> list[tuple[str, str]]:
    environ = context.environ
    roots = []
    if executable := environ.get("CONDA_EXE"):
        roots.append((os.path.dirname(os.path.dirname(executable)), "CONDA_EXE"))
    if prefix := environ.get("MAMBA_ROOT_PREFIX"):
        roots.append((prefix, "MAMBA_ROOT_PREFIX"))
    program = which("conda", environ.get("PATH", "")) if context.live else None
    if program:
        roots.append((os.path.dirname(os.path.dirname(context.files.real(program))), "PATH"))
    for home in context.homes():
        roots += [(f"{home}/{name}", "home folder") for name in _ROOT_NAMES]
    return roots + [(path, "/opt") for path in _SYSTEM_ROOTS]


def _installation(context: Context, path: str, via: str) -> CondaInstallation:
    """Its kind and version from the package records: `conda-meta/conda-24.5.0-py312_0.json`."""
    names = context.names(PROBE, f"{path}/conda-meta", "*.json")
    versions = {}
    for name in names:
        if match := re.fullmatch(r"(conda|mamba)-(\d[^-]*)-[^-]+\.json", name):
            versions[match.group(1)] = match.group(2)
    if "conda" in versions:
        return CondaInstallation("conda", path, versions["conda"], via)
    return CondaInstallation("mamba" if "mamba" in versions else "micromamba", path, versions.get("mamba"), via)
