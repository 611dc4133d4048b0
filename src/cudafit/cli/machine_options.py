"""The options that say which machine is meant, and by which facts it is judged."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cudafit.app.asked import SILENCE_S, WhichEnvironment, WhichFacts, WhichMachine, ask_driver
from cudafit.model.settings import PLATFORMS

if TYPE_CHECKING:
    from cudafit.machine.question import Question

Command = Callable[..., Any]

root_option = click.option("--root", metavar="DIR", help="Look at the file system below DIR: files only.")


def ask(context: click.Context, machine: WhichMachine, silence_s: float = SILENCE_S) -> "Question | None":
    """Ask NVML now, where this machine will be looked at; it is given up when the command ends."""
    question = ask_driver(machine, silence_s)
    if question is not None:
        context.call_on_close(question.close)
    return question


def machine_options(command: Command) -> Command:
    """Gives the command `machine`, a `WhichMachine`, which may be several; and `python`."""
    options = (
        root_option,
        click.option("--python", metavar="VERSION", help="The Python to find builds for, as 3.12."),
        click.option("--glibc", metavar="VERSION", help="The machine's C library, as 2.28."),
        click.option("--platform", type=click.Choice(PLATFORMS), help="The machine's system and processor."),
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
    )
    return _with_options(_taking_machine(command), options)


def one_machine_options(command: Command) -> Command:
    """Gives the command `machine`, a `WhichMachine`, where one environment on one machine is looked at."""
    options = (
        click.option(
            "--gpu", "gpus", metavar="NAME", multiple=True, help="For this GPU: `RTX 4090`, sm_89; repeatable."
        ),
        click.option("--driver", metavar="VERSION", help="For this driver, as 550.54.15; or none."),
        click.option(
            "--machine", "machines", metavar="FILE", multiple=True, help="For the machine of a snapshot; `-` is stdin."
        ),
    )
    return _with_options(_taking_machine(command), options)


system_option = click.option(
    "--system", is_flag=True, help="The Python that is in no environment: a container's, Colab's, the system's own."
)


def environment_options(command: Command) -> Command:
    """Gives the command `environment`, a `WhichEnvironment`; `path` is an option or an argument of its own."""

    @functools.wraps(command)
    def taking_environment(
        *args: Any, path: str | None, conda: str | None, kernel: str | None, system: bool, **others: Any
    ) -> Any:
        return command(*args, environment=WhichEnvironment(path, conda, kernel, system), **others)

    options = (
        click.option("--kernel", metavar="NAME", help="What the Jupyter kernel of this name runs, with its variables."),
        click.option("--conda", metavar="NAME", help="A conda environment by its name."),
        system_option,
    )
    return _with_options(taking_environment, options)


def matrix_options(command: Command) -> Command:
    """Gives the command `facts`, a `WhichFacts`."""

    @functools.wraps(command)
    def taking_facts(*args: Any, matrices: tuple[str, ...], pinned: str | None, **others: Any) -> Any:
        return command(*args, facts=WhichFacts(matrices, pinned), **others)

    options = (
        click.option(
            "--matrix-version",
            "pinned",
            metavar="VERSION",
            help="Answer from this version of the matrix, or not at all.",
        ),
        click.option(
            "--matrix",
            "matrices",
            metavar="DIR",
            multiple=True,
            help="Lay the rows of DIR over the packaged matrix.",
        ),
    )
    return _with_options(taking_facts, options[::-1])


def _taking_machine(command: Command) -> Command:
    @functools.wraps(command)
    def taking_machine(
        *args: Any,
        machines: tuple[str, ...],
        driver: str | None,
        gpus: tuple[str, ...],
        platform: str | None = None,
        glibc: str | None = None,
        root: str | None = None,
        **others: Any,
    ) -> Any:
        return command(*args, machine=WhichMachine(machines, driver, gpus, platform, glibc, root), **others)

    return taking_machine


def _with_options(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in options:
        command = option(command)
    return command
