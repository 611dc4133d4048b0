"""`cudafit inspect`.

What is imported inside the functions is imported there for speed: NVML is asked first, and answers in a process of its
own while the probes are still being loaded here.
"""
# ruff: noqa: PLC0415

import os
import sys
from typing import TYPE_CHECKING

import click

from cudafit.cli.common import Seconds, common_options, say, say_lines, use_color, write
from cudafit.errors import CudafitError, InputError, UndeterminedError

if TYPE_CHECKING:
    from cudafit.model.machine import Machine


@click.command("inspect")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.machine/1).")
@click.option("--save", "save_to", metavar="FILE", help="Write the snapshot to FILE, for `--machine`.")
@click.option("--machine", "machines", metavar="FILE", multiple=True, help="Show a saved snapshot; `-` is stdin.")
@click.option("--root", metavar="DIR", help="Look at the file system below DIR: files only, no program is run.")
@click.option("--deep", is_flag=True, help="Also run `nvcc --version` of each toolkit in a folder of the system.")
@click.option(
    "--timeout",
    type=Seconds(above=0),
    default=8.0,
    show_default=True,
    metavar="SECONDS",
    help="Cut off a driver call that gives no answer for so long.",
)
@common_options
@click.pass_context
def command(
    context: click.Context,
    as_json: bool,
    save_to: str | None,
    machines: tuple[str, ...],
    root: str | None,
    deep: bool,
    timeout: float,
) -> int:
    """Show this machine: GPUs, driver, CUDA limit, toolkits, container or WSL, Pythons.

    Every value comes with where it was read. What could not be read is named under `problem`, never left out.
    Exits with 3 when a driver is there but could not tell its GPUs.
    """
    machine = _machine(machines, root, deep, timeout)

    from cudafit.machine.saved import plain, save
    from cudafit.render.json_text import json_text

    text = json_text(plain(machine)) if save_to or as_json else ""
    if save_to:
        save(save_to, text)
        say(f"saved to {save_to}")
    if as_json:
        write(text)
    elif not save_to:
        _show(context, machine, _title(machines, root))
    if machine.undetermined:
        say_lines(str(_undetermined(machine)))
        return UndeterminedError.exit_code
    return 0


def _machine(machines: tuple[str, ...], root: str | None, deep: bool, timeout: float) -> "Machine":
    if len(machines) > 1:
        raise InputError("inspect shows one machine, but `--machine` was given more than once")
    if machines:
        if root or deep:
            option = "--root" if root else "--deep"
            raise InputError(f"`--machine` shows a saved snapshot, so `{option}` has no meaning")
        from cudafit.machine.saved import load

        return load(machines[0])
    if root is None:
        return _this_machine(deep, timeout)
    if not os.path.isdir(root):
        raise InputError(f"`--root {root}`: there is no such folder")
    if deep:
        raise InputError("`--root` runs no program, so `--deep` has no meaning with it")
    from cudafit.machine.context import other_root
    from cudafit.machine.snapshot import take

    return take(other_root(root))


def _this_machine(deep: bool, timeout: float) -> "Machine":
    from cudafit.machine.question import ask

    question = ask(os.environ, timeout)

    from cudafit.machine.context import this_machine
    from cudafit.machine.snapshot import take

    return take(this_machine(deep=deep, silence_s=timeout), question)


def _title(machines: tuple[str, ...], root: str | None) -> str:
    if machines:
        return "snapshot from stdin" if machines[0] == "-" else f"snapshot {machines[0]}"
    return f"file system below {root}" if root else "this machine"


def _show(context: click.Context, machine: "Machine", title: str) -> None:
    from cudafit.render.human import print_rows
    from cudafit.render.machine_rows import machine_rows

    print_rows(title, machine_rows(machine), sys.stdout, color=use_color(context, sys.stdout))


def _undetermined(machine: "Machine") -> CudafitError:
    driver = machine.driver
    cause = [machine.undetermined or ""]
    hint = None
    if machine.os.container and not machine.device_nodes:
        hint = "start the container with its GPU; for docker: `docker run --gpus all …`"
    if driver and driver.kernel and driver.library and driver.kernel != driver.library:
        cause.append(f"kernel module {driver.kernel} (via {driver.kernel_via})")
        cause.append(f"library {driver.library} (via {driver.library_via})")
        hint = "reboot, so that the kernel loads the module of the installed version"
    return UndeterminedError("the driver could not be asked for its GPUs", cause=cause, hint=hint)
