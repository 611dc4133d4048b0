"""The published JSON Schemas, each with the record it describes."""

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from cudafit import shipped
from cudafit.model import bench, code_finding, finding, fit, machine, matrix, messages, plan, run, settings
from cudafit.model import room as room_model
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
    "report-1": (room_model.Room, room_model.SCHEMA),
    "lint-1": (code_finding.LintReport, code_finding.SCHEMA),
}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with a sentence for each key; raises KeyError where one is missing."""
    for record, keys in records(schema):
        for key, value in keys.items():
            value["description"] = sentence(record, key)
    return schema


def records(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each record in a schema, and its keys."""
    yield schema["title"], schema["properties"]
    for name, record in schema["$defs"].items():
        yield name, record["properties"]


def sentence(record: str, key: str) -> str:
    return sentences().get(record, {}).get(key) or sentences()["any"][key]


@functools.cache
def sentences() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text("utf-8"))
    return found


def validate(shown: object, name: str) -> None:
    """Raises where a record is not as the published schema says."""
    _validator(name).validate(shown)


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    """Of a schema that is looked at once: that takes longer than many a record."""
    schema = json.loads(shipped.schema_text(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
