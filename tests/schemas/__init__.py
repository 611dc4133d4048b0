"""The published JSON Schemas, each with the record it describes."""

from pathlib import Path

from cudafit.model import machine

FOLDER = Path(__file__).parents[2] / "src" / "cudafit" / "schemas"
RECORDS = {"machine-1": (machine.Machine, machine.SCHEMA)}
