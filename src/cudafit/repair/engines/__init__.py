"""One engine for each kind of environment, all used in one way (`engine.Engine`)."""

from collections.abc import Mapping
from typing import Any

from cudafit.model.environment import CONDA, SYSTEM, Environment
from cudafit.repair.engines.engine import Changer, Engine


def engine_of(kind: str, path: str) -> Engine[Any]:
    """That of a kind of environments, for one that is there or is to be made in `path`."""
    if kind == CONDA:
        from cudafit.repair.engines.conda import CondaEngine  # noqa: PLC0415 - loads what speaks with conda's solver

        return CondaEngine(path)
    from cudafit.repair.engines.venv import VenvEngine  # noqa: PLC0415 - loads what speaks with uv

    return VenvEngine(path)


def changer_of(kind: str, environment: Environment, environ: Mapping[str, str]) -> Changer[Any]:
    """That of an environment which is there: where a manager keeps it, its files change too."""
    if environment.owner and environment.owner.manager in ("uv", "poetry", "pdm"):
        from cudafit.repair.engines.project import ProjectEngine, changes_with  # noqa: PLC0415 - for projects alone

        if changes_with(environment.path, environment.owner, environ):
            return ProjectEngine(environment.path, environment.owner)
    if environment.kind == SYSTEM:
        from cudafit.repair.engines.system import SystemEngine  # noqa: PLC0415 - for a Python without an environment

        return SystemEngine(environment)
    return engine_of(kind, environment.path)
