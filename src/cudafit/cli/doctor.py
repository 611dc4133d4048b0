"""`cudafit doctor`."""

import os
from dataclasses import replace
from typing import Any

import click

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.app.configured import ignore_of, settled
from cudafit.cli.common import Seconds, common_options, emit, say, write, write_exactly
from cudafit.cli.machine_options import ask, environment_options, matrix_options, one_machine_options, root_option
from cudafit.errors import CudafitError, InputError
from cudafit.system.interrupts import stoppable


@click.command("doctor")
@click.argument("named", metavar="[ENV]", required=False)
@click.option("--env", "path", metavar="PATH", help="The same as ENV: its folder or its interpreter.")
@environment_options
@click.option("--deep", is_flag=True, help="Also run the frameworks of the environment: an operation on each GPU.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(least=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop a framework that does not answer for this long.",
)
@click.option(
    "--dockerfile",
    "dockerfiles",
    metavar="FILE",
    multiple=True,
    help="Check a Dockerfile against this machine's driver and GPUs, and no Python environment.",
)
@click.option(
    "--compose",
    "composes",
    metavar="FILE",
    multiple=True,
    help="The same for a compose file, with the Dockerfiles it builds; several are laid over each other.",
)
@click.option(
    "--code", "sources", metavar="PATH", multiple=True, help="Read this training code too: a file, notebook or folder."
)
@click.option("--log", metavar="FILE", help="What a program wrote, as evidence: a file of any size, or - for stdin.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.doctor/1).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "github", "sarif", "nagios", "prometheus"]),
    default="text",
    show_default=True,
    help="For people, for a bug report (without names of users), for GitHub's log, SARIF, a line for Nagios with its "
    "exit codes, or a text file for Prometheus' node_exporter.",
)
@click.option("--html", metavar="FILE", help="Also write one page to look at: nothing is loaded, no script runs.")
@click.option("--select", metavar="ID", multiple=True, help="Only these findings: `torch`, or `torch.cpu_wheel`.")
@click.option("--ignore", metavar="ID", multiple=True, help="Leave these findings out.")
@click.option("--list-checks", is_flag=True, help="List the checks and what each can find.")
@one_machine_options
@root_option
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    machine: WhichMachine,
    facts: WhichFacts,
    environment: WhichEnvironment,
    as_json: bool,
    form: str,
    list_checks: bool,
    named: str | None,
    **others: Any,
) -> int:
    """Say why the GPU is not used: one root cause, with evidence and the fix.

    Looks at this machine and at the active environment, or the one in this folder, or ENV. Reads files only:
    nothing of the environment is imported or run, but for --deep. With --dockerfile and --compose it looks at these
    files instead: nothing is built, pulled or started. With --log it is said which findings the log's words speak for.
    Exits with 1 when an error was found, with 3 when it could not be determined.
    """
    if list_checks:
        return _list_checks()
    if named and environment.path:
        raise InputError("ENV and `--env` each name the environment")
    environment = replace(environment, path=named or environment.path)
    context.with_resource(stoppable())
    known = settled(say)
    question = ask(context, machine)
    from cudafit.app.doctor import Request, can_be_told, doctor  # noqa: PLC0415 - while NVML answers

    others["ignore"] = ignore_of(known, "doctor", others["select"], others["ignore"], say, can_be_told)
    try:
        result = doctor(Request(machine, facts, environment, **others), question, say)
    except CudafitError as error:
        if form != "nagios" or as_json:
            raise
        return _unknown(error)  # 2 would be CRITICAL
    if as_json or form == "text":
        return emit(context, result, as_json=as_json)
    _print(result.record, form)
    if form == "nagios":
        from cudafit.render.doctor_monitors import NAGIOS_CODES, nagios_status  # noqa: PLC0415

        return NAGIOS_CODES[nagios_status(result.record)]
    return result.exit_code


def _unknown(error: CudafitError) -> int:
    from cudafit.render.doctor_monitors import NAGIOS_CODES, nagios_unknown  # noqa: PLC0415 - for this form alone

    write(nagios_unknown(str(error)))
    return NAGIOS_CODES["unknown"]


def _print(report: Any, form: str) -> None:
    """For other programs, and for a bug report."""
    from cudafit import __version__  # noqa: PLC0415 - for these forms alone
    from cudafit.render import doctor_rows  # noqa: PLC0415
    from cudafit.render.json_text import json_text  # noqa: PLC0415

    if form == "sarif":
        write(json_text(doctor_rows.sarif(report, __version__)))
    elif form == "github":
        write_exactly(doctor_rows.github(report))
    elif form in ("nagios", "prometheus"):
        from cudafit.render import doctor_monitors  # noqa: PLC0415

        write(doctor_monitors.nagios(report) if form == "nagios" else doctor_monitors.prometheus(report, __version__))
    else:
        home = os.path.expanduser("~")
        write(doctor_rows.markdown(report, [home, os.path.basename(home) if home != "/root" else ""]))


def _list_checks() -> int:
    from cudafit.doctor.registry import every_check  # noqa: PLC0415

    width = max(len(check.name) for check in every_check())
    for check in every_check():
        write(f"{check.name.ljust(width)}  {check.about}: {', '.join(check.ids)}\n")
    return 0
