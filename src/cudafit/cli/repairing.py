"""What `repair` does alike for a venv and for a conda environment.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import sys
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import agree, use_color, write
from cudafit.errors import InputError
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from cudafit.model.bench import Bench
    from cudafit.model.environment import Environment
    from cudafit.model.finding import Report
    from cudafit.model.plan import Plan, Wish


def nothing(environment: "Environment", wish: "Wish") -> "Plan":
    from cudafit.model.plan import Plan

    return Plan(environment.path, environment.python or "", (), by_hand=wish.by_hand)


def confirm(options: dict[str, Any], environment: "Environment") -> None:
    if options["yes"]:
        return
    if not sys.stdin.isatty():
        again = command_text("cudafit", "repair", path_word(environment.path), "--yes")
        raise InputError(
            "nobody can be asked here, so nothing was changed",
            hint=f"`{again}`, or `--dry-run` to see the plan alone",
        )
    agree("change the environment so?")


def show(
    context: click.Context,
    options: dict[str, Any],
    status: str,
    plan: "Plan",
    report: "Report",
    bench: "Bench | None" = None,
) -> None:
    from cudafit.render.bench_rows import verdict_row, verdict_text

    if options["as_json"]:
        from cudafit.model.plan import SCHEMA, After, Repaired
        from cudafit.model.record import to_plain
        from cudafit.render.json_text import json_text

        parts = (plan.steps, plan.answers, plan.by_hand, plan.untouched, plan.warnings, plan.download)
        ran = (bench.verdict, verdict_text(bench)) if bench else (None, None)
        told = Repaired(status, plan.environment, plan.python, *parts, After(report.status, report.cause, *ran))
        write(json_text({"schema": SCHEMA, **to_plain(told)}))
        return
    from cudafit.render.counts import counted
    from cudafit.render.human import print_rows
    from cudafit.render.machine_rows import Row
    from cudafit.render.repair_rows import by_hand_rows, plan_rows

    color = use_color(context, sys.stdout)
    if status == "planned":
        print_rows("repair", plan_rows(plan), sys.stdout, color=color)
        return
    rows: list[Row] = []
    if status == "nothing":
        rows.append(Row("environment", plan.environment, ""))
        rows.append(Row("repair", "nothing to change: no fix of a package is needed", "", "good"))
    else:
        rows.append(Row("done", f"{counted(len(plan.steps), 'package')} changed", "", "good"))
        rows.append(Row("now", _status(report), ""))
        if bench is not None:
            rows.append(verdict_row(bench))
        rows.append(Row("undo", command_text("cudafit", "rollback", path_word(plan.environment)), ""))
    rows += by_hand_rows(plan.by_hand)
    print_rows("repair", rows, sys.stdout, color=color)


def _status(report: "Report") -> str:
    if report.status in ("ok", "warning"):
        return f"doctor finds no error by {report.checked} checks"
    return f"doctor still finds {report.cause}" if report.cause else "the GPUs could not be determined"
