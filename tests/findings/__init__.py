"""docs/findings.md, as it follows from the catalogue."""

from collections.abc import Iterator
from pathlib import Path

from cudafit.model.finding import LAYERS, Layer
from cudafit.model.kind import FindingKind
from cudafit.model.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"

_HEAD = """# All findings

What `cudafit doctor`, `lint` and `run` can find, from the hardware up: what is wrong below is the reason for what fails
above it. `cudafit explain ID` shows the page of one, `--select` and `--ignore` take ids or their beginnings.
"""
_HEADINGS: dict[Layer, str] = {
    "hardware": "The hardware",
    "driver": "The driver",
    "devices": "The device files, and who uses the GPU",
    "container": "What a container, WSL or a job is given; images and compose files",
    "toolkit": "Tools",
    "variables": "Variables",
    "libraries": "Libraries and packages",
    "framework": "Frameworks and extensions",
    "notebook": "Notebooks",
    "project": "The project, its code and its job",
}


def page() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for layer in LAYERS:
        yield f"## {_HEADINGS[layer]}\n"
        yield "| finding | | what it is |"
        yield "| --- | --- | --- |"
        for kind in KINDS.values():
            if kind.layer == layer:
                yield f"| [{kind.id}](findings/{kind.id}.md) | {_severities(kind)} | {kind.title} |"
        if layer != LAYERS[-1]:
            yield ""


def _severities(kind: FindingKind) -> str:
    return " or ".join((kind.severity, *kind.milder))
