"""What lint finds in training code, as doctor says it."""

from collections.abc import Sequence

from cudafit.lint.check import DECIDING
from cudafit.model.environment import Environment, by_real_name
from cudafit.model.finding import Evidence, Finding, Fix, NotChecked
from cudafit.model.kinds import KINDS
from cudafit.sources import STDIN, lint_paths


def in_code(
    paths: Sequence[str], text: str | None = None, environment: Environment | None = None
) -> list[Finding | NotChecked]:
    """What `cudafit lint` finds, as doctor says it: below everything else, since the code runs on top of it.

    `text` is code that is in no file, as that of `python -c`; `environment` is the one that it runs in.
    """
    held = by_real_name(environment.distributions) if environment is not None else {}
    report = lint_paths(paths, text, {name: held[name] for name in DECIDING if name in held})
    found: list[Finding | NotChecked] = []
    for one in report.findings:
        cell = f", cell {one.cell}" if one.cell else ""
        place = f"{one.path}:{one.line}" if one.path != STDIN else "the code given with -c"
        evidence = (Evidence(f"line {one.line}{cell}", place),)
        found.append(KINDS[one.id].found(one.message, evidence, Fix(one.fix)))
    found += [NotChecked("code", f"{one.path}: {one.reason}") for one in report.skipped]
    return found
