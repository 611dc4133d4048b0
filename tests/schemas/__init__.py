"""The published JSON Schemas, each with the record it describes."""

from dataclasses import dataclass
from pathlib import Path

from cudafit.model import machine, matrix

FOLDER = Path(__file__).parents[2] / "src" / "cudafit" / "schemas"


@dataclass(frozen=True)
class ShownBuild(matrix.Build):
    """A build, and the platforms it is for as a list."""

    platforms: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShownBuilds:
    """The builds of a package, and the version of the matrix that told them."""

    version: str
    builds: tuple[ShownBuild, ...]


RECORDS = {
    "machine-1": (machine.Machine, machine.SCHEMA),
    "matrix-1": (ShownBuilds, matrix.SCHEMA),
}
