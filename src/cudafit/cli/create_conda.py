"""`cudafit create` for conda environments.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
from typing import Any

import click

from cudafit.errors import InputError
from cudafit.model.environment import CONDA


def is_for_conda(options: dict[str, Any]) -> bool:
    """By the options, or by the name of the lock."""
    if options["name"] or options["prefix"] or options["conda"]:
        return True
    if not options["lock"]:
        return False
    from cudafit.lock.conda_held import is_conda_lock

    return is_conda_lock(options["lock"])


def command_conda(context: click.Context, options: dict[str, Any], description: Any, question: Any) -> int:
    from cudafit.cli.creating import made_by, refuse_additions

    path, requirements = _place(options)
    refuse_additions(options, requirements)
    _refuse_existing(path, clear=options["clear"])
    return made_by(context, options, CONDA, path, requirements, description, question)


def _place(options: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The prefix, and the requirements."""
    from cudafit.cli.creating import parted

    words = options["words"]
    if options["name"] and options["prefix"]:
        raise InputError("`-n` and `--prefix` each name the environment")
    if options["prefix"]:
        return os.path.abspath(os.path.expanduser(options["prefix"])), words
    if options["name"]:
        from cudafit.env.conda_places import prefix_for
        from cudafit.files import Files
        from cudafit.machine.conda import read_conda
        from cudafit.machine.context import this_machine

        return prefix_for(options["name"], Files(), read_conda(this_machine()), os.environ), words
    path, requirements = parted(words)
    if len(requirements) == len(words):
        raise InputError("a conda environment needs a name or a folder", hint="`cudafit create -n gpu torch`")
    return os.path.abspath(path), requirements


def _refuse_existing(path: str, *, clear: bool) -> None:
    from cudafit.cli.creating import refuse_existing
    from cudafit.env.conda_places import is_base
    from cudafit.files import Files

    if os.path.isdir(os.path.join(path, "conda-meta")) and is_base(Files(), path, (), os.environ):
        raise InputError(f"`{path}` is conda's own environment, and is never replaced")
    refuse_existing(path, clear=clear, mark="conda-meta", kind="conda environment")
