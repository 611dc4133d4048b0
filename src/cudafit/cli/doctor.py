"""`cudafit doctor`."""
# ruff: noqa: PLC0415

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import common_options, use_color, write
from cudafit.cli.machine_options import ask_driver
from cudafit.cli.matrix_options import chosen, matrix_options
from cudafit.errors import InputError

if TYPE_CHECKING:
    from cudafit.files import Files
    from cudafit.model.environment import Environment
    from cudafit.model.finding import Report
    from cudafit.model.machine import Machine
    from cudafit.model.project import Project

_PROBLEM, _UNKNOWN = 1, 3


@click.command("doctor")
@click.option("--env", "path", metavar="PATH", help="The environment: its folder or its interpreter.")
@click.option("--conda", metavar="NAME", help="A conda environment by its name.")
@click.option("--kernel", metavar="NAME", help="What the Jupyter kernel of this name runs, with its variables.")
@click.option("--deep", is_flag=True, help="Also run the frameworks of the environment: an operation on each GPU.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Cut off a framework that gives no answer for so long.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.doctor/1).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "github", "sarif"]),
    default="text",
    show_default=True,
    help="For people, for a bug report (without names of users), for GitHub's log, or SARIF.",
)
@click.option("--select", metavar="ID", multiple=True, help="Only these findings: `torch`, or `torch.cpu_wheel`.")
@click.option("--ignore", metavar="ID", multiple=True, help="Leave these findings out.")
@click.option("--list-checks", is_flag=True, help="List the checks and what each can find.")
@click.option(
    "--machine", "machines", metavar="FILE", multiple=True, help="For the machine of a snapshot; `-` is stdin."
)
@click.option("--driver", metavar="VERSION", help="For this driver, as 550.54.15; or none.")
@click.option("--gpu", "gpus", metavar="NAME", multiple=True, help="For this GPU: `RTX 4090`, sm_89; repeatable.")
@click.option("--root", metavar="DIR", help="Look at the file system below DIR: files only.")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Say why the GPU is not used: one root cause, with evidence and the fix.

    Looks at this machine and at the active environment, or the one in this folder. Reads files only: nothing of the
    environment is imported or run, but for --deep. Exits with 1 when an error was found, with 3 when it could not be
    determined.
    """
    if options["list_checks"]:
        return _list_checks()
    from cudafit.doctor.registry import IDS

    for word in (*options["select"], *options["ignore"]):
        if not any(name == word or name.startswith(f"{word}.") for name in IDS):
            raise InputError(f"no finding is called `{word}`", hint="`cudafit doctor --list-checks` names them")
    report = _report(options)
    _print(context, report, options)
    return {"error": _PROBLEM, "unknown": _UNKNOWN}.get(report.status, 0)


def _report(options: dict[str, Any]) -> "Report":
    from cudafit.machine.described import Description

    description = Description(options["driver"], options["gpus"])
    question = ask_driver(description, options["machines"], options["root"])
    book = chosen(options["matrices"], options["pinned"])

    from cudafit.doctor.diagnose import diagnose
    from cudafit.doctor.world import World
    from cudafit.resolve.problem import Library

    machine, files = _machine(options, description, question, book.facts)
    environment = _environment(options, machine, files, _system(options))
    if environment and environment.kernel:
        machine = _with_variables(machine, environment.kernel.variables)
    if options["deep"]:
        environment = _run(options, environment)
    world = World(machine, environment, Library(book), _project(options))
    described = _described(environment) if environment else None
    return diagnose(world, select=options["select"], ignore=options["ignore"], described=described)


def _machine(options: dict[str, Any], description: Any, question: Any, facts: Any) -> "tuple[Machine, Files]":
    from cudafit.files import Files
    from cudafit.machine.described import described
    from cudafit.machine.snapshot import take

    machines, root = options["machines"], options["root"]
    if len(machines) > 1:
        raise InputError("`--machine` names one machine here", hint="diagnose them one after the other")
    files = Files()
    if machines:
        from cudafit.machine.saved import load

        if root:
            raise InputError("`--machine` shows saved snapshots, so `--root` has no meaning")
        machine = load(machines[0])
    elif root is not None:
        from cudafit.machine.context import other_root

        if not os.path.isdir(root):
            raise InputError(f"`--root {root}`: there is no such folder")
        files = Files(os.path.realpath(root))
        machine = take(other_root(root))
    else:
        from cudafit.machine.context import this_machine

        machine = take(this_machine(), question)
    if description:
        machine = described(description, machine, f"{machine.os.system}-{machine.os.arch}", facts)
    return machine, files


def _system(options: dict[str, Any]) -> "list[tuple[str, str]] | None":
    """The folders in which the linker looks by itself; None for a machine that is not this one."""
    from cudafit.machine.context import other_root, this_machine
    from cudafit.machine.libraries import system_folders

    if options["machines"]:
        return None
    return system_folders(other_root(options["root"]) if options["root"] else this_machine())


def _environment(
    options: dict[str, Any], machine: "Machine", files: "Files", system: "list[tuple[str, str]] | None"
) -> "Environment | None":
    from cudafit.env.inventory import read_inventory
    from cudafit.env.locate import locate

    if sum(bool(options[name]) for name in ("path", "conda", "kernel")) > 1:
        raise InputError("`--env`, `--conda` and `--kernel` each name the environment")
    environ = {} if options["root"] else dict(os.environ)
    folder = "/" if options["root"] else os.getcwd()
    if options["machines"]:
        environ["LD_LIBRARY_PATH"] = machine.environment.get("LD_LIBRARY_PATH", "")
    located = locate(files, options["path"], options["conda"], environ, machine.conda or (), folder)
    if options["kernel"]:
        return _of_kernel(files, options["kernel"], environ, located.prefix if located else None, system)
    return read_inventory(files, located, environ, system) if located else None


def _of_kernel(
    files: "Files",
    name: str,
    environ: dict[str, str],
    active: str | None,
    system: "list[tuple[str, str]] | None",
) -> "Environment":
    """The environment of the Python that a kernel starts, by its own file."""
    from dataclasses import replace

    from cudafit.env.inventory import read_inventory
    from cudafit.env.kernels import interpreter_of, kernel_by_name
    from cudafit.env.locate import at

    kernel = kernel_by_name(files, environ, active, name)
    program = interpreter_of(kernel, active)
    located = at(files, program, f"by the kernel {kernel.name}") if program else None
    if located is None:
        raise InputError(
            f"the kernel `{kernel.name}` starts `{kernel.argv[0]}`, which is no Python that is there",
            cause=[f"its file is {kernel.path}"],
            hint=f"register it anew: `python -m ipykernel install --user --name {kernel.name}`",
        )
    inventory = read_inventory(files, located, {**environ, **kernel.variables}, system)
    return replace(inventory, kernel=kernel, active=active)


def _run(options: dict[str, Any], environment: "Environment | None") -> "Environment":
    """Asks the frameworks that are there; raises InputError where none can be asked."""
    from dataclasses import replace

    from cudafit.env.deep import ask_frameworks

    if environment is None or environment.interpreter is None:
        raise InputError("`--deep` runs the environment's interpreter, and there is none")
    if options["machines"] or options["root"]:
        raise InputError("`--deep` runs programs here, so `--machine` and `--root` have no meaning")
    found = {
        "torch": environment.torch is not None,
        "tensorflow": environment.tensorflow is not None,
        "jax": environment.distribution("jax") is not None,
    }
    variables = {**os.environ, **(environment.kernel.variables if environment.kernel else {})}
    names = [name for name, there in found.items() if there]
    return replace(environment, ran=ask_frameworks(environment.interpreter, names, variables, options["timeout"]))


def _project(options: dict[str, Any]) -> "Project | None":
    """What the folder's own files ask for; files that cannot be read are the business of `resolve`."""
    from cudafit.errors import CudafitError
    from cudafit.model.project import Project
    from cudafit.project.nearby import read_nearby
    from cudafit.project.notebooks import bang_pip

    if options["root"]:
        return None
    try:
        nearby = read_nearby()
    except CudafitError:
        nearby = None
    return Project(nearby.wanted if nearby else (), bang_pip("."))


def _with_variables(machine: "Machine", variables: Mapping[str, str]) -> "Machine":
    """The machine as a program sees it that gets these variables too."""
    from dataclasses import replace

    from cudafit.machine.environment import read_environment
    from cudafit.model.visible_devices import visible_devices

    environment = {**machine.environment, **read_environment(variables)}
    seen = visible_devices(machine.gpus, environment) if machine.live else machine.visible_devices
    return replace(machine, environment=environment, visible_devices=seen)


def _described(environment: "Environment") -> str:
    python = f", Python {environment.python}" if environment.python else ""
    return f"{environment.path} ({environment.kind}{python}), {environment.found_by}"


def _print(context: click.Context, report: "Report", options: dict[str, Any]) -> None:
    if options["as_json"]:
        from cudafit.model.finding import SCHEMA
        from cudafit.model.record import to_plain
        from cudafit.render.json_text import json_text

        write(json_text({"schema": SCHEMA, **to_plain(report)}))
        return
    form = options["form"]
    if form == "sarif":
        from cudafit import __version__
        from cudafit.render.doctor_rows import sarif
        from cudafit.render.json_text import json_text

        write(json_text(sarif(report, __version__)))
    elif form == "github":
        from cudafit.render.doctor_rows import github

        write(github(report))
    elif form == "markdown":
        from cudafit.render.doctor_rows import markdown

        home = os.path.expanduser("~")
        write(markdown(report, [home, os.path.basename(home) if home != "/root" else ""]))
    else:
        from cudafit.render.doctor_rows import report_rows
        from cudafit.render.human import print_rows

        print_rows("doctor", report_rows(report), sys.stdout, color=use_color(context, sys.stdout))


def _list_checks() -> int:
    from cudafit.doctor.registry import CHECKS

    width = max(len(check.name) for check in CHECKS)
    for check in CHECKS:
        write(f"{check.name.ljust(width)}  {check.about}: {', '.join(check.ids)}\n")
    return 0
