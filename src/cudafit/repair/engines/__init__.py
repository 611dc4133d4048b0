"""One engine for each kind of environment, all used in one way (`engine.Engine`)."""

from typing import Any

from cudafit.model.environment import CONDA
from cudafit.repair.engines.engine import Engine


def engine_of(kind: str, path: str) -> Engine[Any]:
    """That of a kind of environments, for one that is there or is to be made in `path`."""
    if kind == CONDA:
        from cudafit.repair.engines.conda import CondaEngine  # noqa: PLC0415 - loads what speaks with conda's solver

        return CondaEngine(path)
    from cudafit.repair.engines.venv import VenvEngine  # noqa: PLC0415 - loads what speaks with uv

    return VenvEngine(path)
