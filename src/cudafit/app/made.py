"""What came of a new environment: what doctor says of it, and the benchmark that proves it where there is a GPU."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine, ask_driver
from cudafit.app.benching import found_a_problem, verified
from cudafit.app.environments import environment_of, world
from cudafit.app.looking import Looked, look
from cudafit.app.result import Result
from cudafit.doctor.diagnose import diagnose
from cudafit.errors import CudafitError
from cudafit.model.environment import Environment
from cudafit.model.finding import ERROR, Finding, Report
from cudafit.model.frozen import frozen
from cudafit.model.kinds import jax, tf, torch
from cudafit.model.plan import CREATE_SCHEMA, After, Created, Made
from cudafit.render.bench_rows import verdict_row, verdict_text
from cudafit.render.create_rows import create_rows

_PROBLEM = 1
# What is told of builds for the CPU: no error where they were asked for.
_ON_CPU = {one.id for one in (torch.cpu_wheel, torch.cpu_conda, tf.cpu_build, jax.no_cuda_plugin)}


@frozen
class Seen:
    """The machine with the new environment in it, and what doctor says of both."""

    which: WhichMachine
    looked: Looked
    environment: Environment | None
    report: Report


def seen(path: str, machine: WhichMachine, facts: WhichFacts) -> Seen:
    which = replace(machine, platform=None, glibc=None)
    looked = look(which, facts, ask_driver(which))
    environment = environment_of(WhichEnvironment(path), looked)
    return Seen(which, looked, environment, diagnose(world(looked, environment)))


def refuse_faulty(seen: Seen, *, cpu: bool) -> None:
    """Raises CudafitError for errors that are the environment's own: what the machine lacks was so before."""
    if not (found := errors_of(seen, cpu=cpu)):
        return
    cause = [f"{one.title} ({one.id})" for one in found]
    raise CudafitError(
        "doctor finds an error in what was made",
        cause=[*cause, *(one.fact for one in found[0].evidence[:2])],
        hint="with `--keep` it stays, to be looked at",
    )


def errors_of(seen: Seen, *, cpu: bool) -> list[Finding]:
    found = [one for one in seen.report.findings if one.severity == ERROR and not (cpu and one.id in _ON_CPU)]
    if not found:
        return []
    before = {one.id for one in diagnose(world(seen.looked, None)).findings}
    return [one for one in found if one.id not in before]


def result_of(path: str, made: Made[Any], seen: Seen, say: Callable[[str], None]) -> Result:
    report, looked = seen.report, seen.looked
    bench = verified(seen.which, seen.environment, looked.machine, looked.library.book.facts, say)
    after = After(report.status, report.cause, bench.verdict, verdict_text(bench))
    return Result(
        CREATE_SCHEMA,
        Created("made", path, made.python, made.packages, made.download, after, made.notes),
        "create",
        lambda: create_rows(path, made, report, verdict_row(bench)),
        _PROBLEM if report.status == "error" or found_a_problem(bench) else 0,
        facts=looked.library.book.told,
    )
