"""The options that say which machine is meant; by default it is the one that cudafit runs on."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from cudafit.errors import InputError

if TYPE_CHECKING:
    from cudafit.machine.described import Description
    from cudafit.machine.question import Question
    from cudafit.model.machine import Machine
    from cudafit.resolve.host import Host

_ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}
_PLATFORMS = ("linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-aarch64", "macos-x86_64")
Command = Callable[..., Any]


def machine_options(command: Command) -> Command:
    """Gives the command `machines`, `driver`, `gpus`, `platform`, `glibc`, `python` and `root`, for `hosts`."""
    for option in (
        click.option("--root", metavar="DIR", help="Look at the file system below DIR: files only."),
        click.option("--python", metavar="VERSION", help="The Python to find builds for, as 3.12."),
        click.option("--glibc", metavar="VERSION", help="The machine's C library, as 2.28."),
        click.option("--platform", type=click.Choice(_PLATFORMS), help="The machine's system and processor."),
        click.option(
            "--gpu",
            "gpus",
            metavar="NAME",
            multiple=True,
            help="A GPU of the machine: `RTX 4090`, sm_89; repeatable.",
        ),
        click.option("--driver", metavar="VERSION", help="The machine's NVIDIA driver, as 550.54.15; or none."),
        click.option(
            "--machine",
            "machines",
            metavar="FILE",
            multiple=True,
            help="A snapshot from `inspect --save`, or a folder of them; `-` is stdin; repeatable: one answer for all.",
        ),
    ):
        command = option(command)
    return command


def ask_driver(description: "Description", machines: Sequence[str], root: str | None) -> "Question | None":
    """Ask NVML now, in its own process, where this machine will be looked at; the answer is read by `hosts`."""
    if machines or root or description.is_whole:
        return None
    from cudafit.machine.question import ask  # noqa: PLC0415 - only for this machine

    return ask(os.environ, 8.0)


def hosts(
    machines: Sequence[str],
    root: str | None,
    description: "Description",
    question: "Question | None",
    facts: Callable[..., Any],
) -> "list[Host]":
    """The machines in question, as the rules see them; raises InputError."""
    from cudafit.machine.described import described  # noqa: PLC0415 - after NVML was asked
    from cudafit.resolve.host import hosts_of  # noqa: PLC0415

    named = _read(machines, root, description, question)
    if description:
        here = _this_platform()
        named = [(label, described(description, machine, here, facts)) for label, machine in named]
    return hosts_of([(label, machine) for label, machine in named if machine is not None], facts)


def _read(
    machines: Sequence[str], root: str | None, description: "Description", question: "Question | None"
) -> "list[tuple[str, Machine | None]]":
    if machines:
        if root:
            raise InputError("`--machine` shows saved snapshots, so `--root` has no meaning")
        from cudafit.machine.saved import load_all  # noqa: PLC0415

        return list(load_all(machines))
    if root is not None:
        if not os.path.isdir(root):
            raise InputError(f"`--root {root}`: there is no such folder")
        from cudafit.machine.context import other_root  # noqa: PLC0415
        from cudafit.machine.snapshot import take  # noqa: PLC0415

        return [(root, take(other_root(root)))]
    if description.is_whole:
        return [("the described machine", None)]
    from cudafit.machine.context import this_machine  # noqa: PLC0415
    from cudafit.machine.snapshot import take  # noqa: PLC0415

    return [("this machine", take(this_machine(), question, brief=True))]


def _this_platform() -> str:
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    name = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "x86_64")
    return f"{system}-{_ARCHES.get(name.lower(), name)}"
