"""The machine and the environment that a verb looks at."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cudafit.app.asked import WhichFacts, WhichMachine
from cudafit.app.below import machine_below
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.machine.cards import with_visibility
from cudafit.machine.context import other_root, this_machine
from cudafit.machine.described import described
from cudafit.machine.environment import read_environment
from cudafit.machine.libraries import system_folders
from cudafit.machine.saved import load
from cudafit.machine.snapshot import take
from cudafit.matrix.load import open_matrix
from cudafit.model.frozen import frozen
from cudafit.model.visible_devices import visible_devices
from cudafit.resolve.problem import Library

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.model.machine import Machine


@frozen
class Looked:
    """What was read, before it is judged."""

    which: WhichMachine
    machine: "Machine"
    library: Library
    files: Files
    system: "list[tuple[str, str]] | None"  # the linker's own folders; None for a machine that is not this one


def look(which: WhichMachine, facts: WhichFacts, question: "Question | None") -> Looked:
    """`question` is what this machine's driver was asked, before all this was loaded."""
    book = open_matrix(facts.matrices, facts.pinned)
    machine, files = _machine(which, question, book.facts)
    return Looked(which, machine, Library(book), files, _system(which))


def _machine(which: WhichMachine, question: "Question | None", facts: Callable[..., Any]) -> "tuple[Machine, Files]":
    machines, root = which.machines, which.root
    description = which.description
    if len(machines) > 1:
        raise InputError("`--machine` names one machine here", hint="diagnose them one after the other")
    files = Files()
    if machines:
        if root:
            raise InputError("`--machine` shows saved snapshots, so `--root` has no meaning")
        machine = load(machines[0])
    elif root is not None:
        machine = machine_below(root)
        files = Files(os.path.realpath(root))
    else:
        machine = take(this_machine(), question)
    if description:
        machine = described(description, machine, f"{machine.os.system}-{machine.os.arch}", facts)
    return machine, files


def _system(which: WhichMachine) -> "list[tuple[str, str]] | None":
    """The folders in which the linker looks by itself; None for a machine that is not this one."""
    if which.machines:
        return None
    return system_folders(other_root(which.root) if which.root else this_machine())


def seen_with(machine: "Machine", variables: Mapping[str, str]) -> "Machine":
    """The machine as a process with these variables sees it."""
    environment = read_environment(variables)
    if not machine.live:
        return replace(machine, environment=environment)
    seen = visible_devices(machine.gpus, environment)
    return replace(machine, environment=environment, visible_devices=seen, gpus=with_visibility(machine.gpus, seen))
