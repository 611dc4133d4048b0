"""What came of a new environment: what doctor says of it, and the benchmark that proves it where there is a GPU."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine, ask_driver
from cudafit.app.benching import found_a_problem, verified
from cudafit.app.environments import environment_of, world
from cudafit.app.looking import look
from cudafit.app.result import Result
from cudafit.doctor.diagnose import diagnose
from cudafit.model.plan import CREATE_SCHEMA, After, Created, Made
from cudafit.render.bench_rows import verdict_row, verdict_text
from cudafit.render.create_rows import create_rows

_PROBLEM = 1


def result_of(
    path: str, made: Made[Any], machine: WhichMachine, facts: WhichFacts, say: Callable[[str], None]
) -> Result:
    which = replace(machine, platform=None, glibc=None)
    looked = look(which, facts, ask_driver(which))
    environment = environment_of(WhichEnvironment(path), looked)
    report = diagnose(world(looked, environment))
    bench = verified(which, environment, looked.machine, looked.library.book.facts, say)
    after = After(report.status, report.cause, bench.verdict, verdict_text(bench))
    return Result(
        CREATE_SCHEMA,
        Created("made", path, made.python, made.packages, made.download, after, made.notes),
        "create",
        lambda: create_rows(path, made, report, verdict_row(bench)),
        _PROBLEM if report.status == "error" or found_a_problem(bench) else 0,
        facts=looked.library.book.told,
    )
