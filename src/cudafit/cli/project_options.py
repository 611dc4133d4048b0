"""The options that say what of a project's own files is meant."""

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]


def project_options(command: Command) -> Command:
    """Gives the command `files`, `extras`, `groups` and `from_imports`."""
    for option in (
        click.option(
            "--from-imports",
            is_flag=True,
            help="Where no file says what is needed: the frameworks that the code in this folder imports.",
        ),
        click.option(
            "--group",
            "groups",
            metavar="NAME",
            multiple=True,
            help="With this group of the project too: a dependency group, a feature of pixi.",
        ),
        click.option("--extra", "extras", metavar="NAME", multiple=True, help="With this extra of the project too."),
        click.option(
            "-r",
            "--requirement",
            "files",
            metavar="FILE",
            multiple=True,
            help="Read FILE too: requirements, pyproject.toml, environment.yml, Pipfile, a Dockerfile, a lock…",
        ),
    ):
        command = option(command)
    return command
