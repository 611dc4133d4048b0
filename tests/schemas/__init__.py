"""The published JSON Schemas, each with the record it describes."""

import functools
import json
from pathlib import Path

from jsonschema import Draft202012Validator

from cudafit import shipped
from cudafit.model import bench, code_finding, finding, fit, machine, matrix, messages, plan, run, settings
from cudafit.model.frozen import frozen
from cudafit.repair.generations import Generation

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


@frozen
class Rollback:
    """What was brought back, and what can be."""

    environment: str
    restored: Generation | None
    generations: tuple[Generation, ...]


RECORDS = {
    "machine-1": (machine.Machine, machine.SCHEMA),
    "matrix-1": (ShownBuilds, matrix.SCHEMA),
    "resolve-1": (fit.Resolution, fit.SCHEMA),
    "doctor-1": (finding.Report, finding.SCHEMA),
    "repair-1": (plan.Repaired, plan.SCHEMA),
    "create-1": (plan.Created, plan.CREATE_SCHEMA),
    "rollback-1": (Rollback, plan.ROLLBACK_SCHEMA),
    "bench-1": (bench.Bench, bench.SCHEMA),
    "run-1": (run.RunReport, run.SCHEMA),
    "explain-1": (messages.Explanation, messages.SCHEMA),
    "config-1": (settings.Config, settings.SCHEMA),
    "lint-1": (code_finding.LintReport, code_finding.SCHEMA),
}


def validate(shown: object, name: str) -> None:
    """Raises where a record is not as the published schema says."""
    _validator(name).validate(shown)


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    """Of a schema that is looked at once: that takes longer than many a record."""
    schema = json.loads(shipped.schema_text(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
