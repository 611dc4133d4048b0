"""`cudafit doctor`."""
# ruff: noqa: PLC0415

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import Seconds, common_options, use_color, write, write_exactly
from cudafit.cli.looking import (
    described_environment,
    environment_of,
    given,
    in_code,
    look,
    warn_of_unfinished,
    world,
)
from cudafit.cli.matrix_options import matrix_options
from cudafit.errors import InputError
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.model.environment import Environment
    from cudafit.model.finding import Report
    from cudafit.model.project import Project

_PROBLEM, _UNKNOWN = 1, 3


@click.command("doctor")
@click.option("--env", "path", metavar="PATH", help="The environment: its folder or its interpreter.")
@click.option("--conda", metavar="NAME", help="A conda environment by its name.")
@click.option("--kernel", metavar="NAME", help="What the Jupyter kernel of this name runs, with its variables.")
@click.option("--deep", is_flag=True, help="Also run the frameworks of the environment: an operation on each GPU.")
@click.option(
    "--timeout",
    type=Seconds(least=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Cut off a framework that gives no answer for so long.",
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
    environment is imported or run, but for --deep. With --dockerfile and --compose it looks at these files instead:
    nothing is built, pulled or started. Exits with 1 when an error was found, with 3 when it could not be determined.
    """
    if options["list_checks"]:
        return _list_checks()
    if words := (*options["select"], *options["ignore"]):
        from cudafit.doctor.registry import every_kind
        from cudafit.model.finding import is_called
        from cudafit.model.kinds import IN_CODE

        known = {kind.id for kind in every_kind()} | (IN_CODE.keys() if options["sources"] else set())
        for word in words:
            if not any(is_called(name, (word,)) for name in known):
                raise InputError(f"no finding is called `{word}`", hint="`cudafit doctor --list-checks` names them")
    report = redacted_tree(_report(options))
    _print(context, report, options)
    return {"error": _PROBLEM, "unknown": _UNKNOWN}.get(report.status, 0)


def _report(options: dict[str, Any]) -> "Report":
    told = given(options)
    looked = look(told, options["matrices"], options["pinned"])

    from cudafit.doctor.diagnose import diagnose

    if options["dockerfiles"] or options["composes"]:
        from cudafit.doctor.world import World

        files = World(looked.machine, None, looked.library, _container_files(options))
        return diagnose(files, select=options["select"], ignore=options["ignore"])
    if looked.files.whole:
        warn_of_unfinished(told.path)
    environment = environment_of(told, looked)
    if options["deep"]:
        environment = _run(options, environment)
    described = described_environment(environment) if environment else None
    seen = world(told, looked, environment)
    code = in_code(options["sources"]) if options["sources"] else []
    return diagnose(seen, select=options["select"], ignore=options["ignore"], described=described, code=code)


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


def _container_files(options: dict[str, Any]) -> "Project":
    """What is given is read alone: a container brings its own Python."""
    from cudafit.model.container_files import ContainerFiles
    from cudafit.model.project import Project
    from cudafit.project.compose import read_compose
    from cudafit.project.dockerfile import read_dockerfile

    if any(options[name] for name in ("path", "conda", "kernel", "deep", "sources")):
        raise InputError(
            "`--dockerfile` and `--compose` look at no Python environment",
            hint="leave `--env`, `--conda`, `--kernel`, `--deep` and `--code` out",
        )
    dockerfiles = tuple(read_dockerfile(os.path.normpath(path), named=True) for path in options["dockerfiles"])
    services = read_compose([os.path.normpath(path) for path in options["composes"]], os.environ)
    paths = (*options["dockerfiles"], *options["composes"])
    return Project(containers=ContainerFiles(paths, dockerfiles, services))


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

        write_exactly(github(report))
    elif form == "markdown":
        from cudafit.render.doctor_rows import markdown

        home = os.path.expanduser("~")
        write(markdown(report, [home, os.path.basename(home) if home != "/root" else ""]))
    else:
        from cudafit.render.doctor_rows import report_rows
        from cudafit.render.human import print_rows

        print_rows("doctor", report_rows(report), sys.stdout, color=use_color(context, sys.stdout))


def _list_checks() -> int:
    from cudafit.doctor.registry import every_check

    width = max(len(check.name) for check in every_check())
    for check in every_check():
        write(f"{check.name.ljust(width)}  {check.about}: {', '.join(check.ids)}\n")
    return 0
