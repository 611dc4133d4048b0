"""The published JSON Schemas, each with the record it describes."""

from pathlib import Path

from cudafit.model import code_finding, finding, fit, machine, matrix
from cudafit.model.frozen import frozen

FOLDER = Path(__file__).parents[2] / "src" / "cudafit" / "schemas"


@frozen
class ShownBuild(matrix.Build):
    """A build, and the platforms it is for as a list."""

    platforms: tuple[str, ...] = ()


@frozen
class ShownBuilds:
    """The builds of a package, and the version of the matrix that told them."""

    version: str
    builds: tuple[ShownBuild, ...]


RECORDS = {
    "machine-1": (machine.Machine, machine.SCHEMA),
    "matrix-1": (ShownBuilds, matrix.SCHEMA),
    "resolve-1": (fit.Resolution, fit.SCHEMA),
    "doctor-1": (finding.Report, finding.SCHEMA),
    "lint-1": (code_finding.LintReport, code_finding.SCHEMA),
}
