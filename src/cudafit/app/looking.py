"""The machine and the environment that a verb looks at."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.doctor.world import World
from cudafit.env.inventory import read_inventory
from cudafit.env.locate import Asked, locate, required
from cudafit.env.search_path import USUAL_PATH
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.machine.context import other_root, this_machine
from cudafit.machine.described import described
from cudafit.machine.environment import read_environment
from cudafit.machine.libraries import system_folders
from cudafit.machine.saved import load
from cudafit.machine.snapshot import take, with_visibility
from cudafit.matrix.load import open_matrix
from cudafit.model.environment import DECIDING
from cudafit.model.frozen import frozen
from cudafit.model.located import Located, Nowhere
from cudafit.model.project import Project
from cudafit.model.visible_devices import visible_devices
from cudafit.project.nearby import read_nearby
from cudafit.project.notebooks import bang_pip
from cudafit.resolve.problem import Library
from cudafit.system.posix import posix

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.model.environment import Environment, Kernel
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


def world(looked: Looked, environment: "Environment | None") -> World:
    machine = looked.machine
    if environment and environment.kernel:
        machine = _with_variables(machine, environment.kernel)
    return World(machine, environment, looked.library, _project(looked.which))


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
        if not os.path.isdir(root):
            raise InputError(f"`--root {root}`: there is no such folder")
        files = Files(os.path.realpath(root))
        machine = take(other_root(root))
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


def located_for(
    which: WhichEnvironment, looked: Looked, variables: Mapping[str, str] | None = None, folder: str | None = None
) -> tuple[Located | Nowhere, dict[str, str]]:
    """Which environment is meant, and the variables that it is read with; raises InputError.

    `variables` and `folder` are those of the process that it is read for, when that is not this one.
    """
    root = looked.which.root
    environ = {"PATH": USUAL_PATH} if root else dict(os.environ if variables is None else variables)
    folder = "/" if root else folder or os.getcwd()
    if looked.which.machines:
        environ["LD_LIBRARY_PATH"] = looked.machine.environment.get("LD_LIBRARY_PATH", "")
    asked = Asked(
        which.path or None,
        which.conda,
        which.kernel or None,
        environ,
        folder,
        installations=lambda: looked.machine.conda or (),
        guess=not looked.which.machines,
    )
    return locate(looked.files, asked), environ


def environment_of(
    which: WhichEnvironment, looked: Looked, variables: Mapping[str, str] | None = None, folder: str | None = None
) -> "Environment | None":
    """What is in the environment that is meant; raises InputError."""
    found, environ = located_for(which, looked, variables, folder)
    return None if isinstance(found, Nowhere) else environment_at(found, looked, environ)


def environment_required(which: WhichEnvironment, looked: Looked, verb: str) -> "Environment":
    """The same for a verb that is nothing without one; raises UndeterminedError."""
    found, environ = located_for(which, looked)
    return environment_at(required(found, verb, ".venv"), looked, environ)


def environment_at(located: Located, looked: Looked, environ: Mapping[str, str]) -> "Environment":
    kernel, system = located.kernel, looked.system
    if kernel is None:
        return read_inventory(looked.files, located, environ, system)
    from cudafit.env.jupyter_servers import newest_server  # noqa: PLC0415 - for kernels alone

    # With a snapshot or another root there is no server to look at.
    here = system is not None and looked.files.whole and hasattr(os, "getuid")
    server = newest_server(looked.files, posix.getuid()) if here else None
    if server:
        pairs = [(name, environ.get(name), server.variables.get(name)) for name in DECIDING]
        kernel = replace(kernel, server=server.path, differs=tuple(one for one in pairs if one[1] != one[2]))
    inherited = server.variables if server else environ
    inventory = read_inventory(looked.files, located, {**inherited, **kernel.variables}, system)
    return replace(inventory, kernel=kernel, active=located.active)


def _project(which: WhichMachine) -> Project | None:
    """What the folder's own files ask for, and which of them cannot be read."""
    if which.root:
        return None
    unread: list[str] = []
    try:
        nearby = read_nearby()
    except CudafitError as error:
        nearby = None
        unread.append(error.what)
    notebooks = bang_pip(".", unread)
    return Project(nearby.wanted if nearby else (), notebooks, unread=tuple(unread))


def _with_variables(machine: "Machine", kernel: "Kernel") -> "Machine":
    """The machine as a kernel sees it, with the variables of the running server and its own."""
    inherited = {**machine.environment, **{name: inside for name, _, inside in kernel.differs if inside is not None}}
    for name in [name for name, _, inside in kernel.differs if inside is None]:
        inherited.pop(name, None)
    return seen_with(machine, {**inherited, **read_environment(kernel.variables)})


def seen_with(machine: "Machine", variables: Mapping[str, str]) -> "Machine":
    """The machine as a process with these variables sees it."""
    environment = read_environment(variables)
    if not machine.live:
        return replace(machine, environment=environment)
    seen = visible_devices(machine.gpus, environment)
    return replace(machine, environment=environment, visible_devices=seen, gpus=with_visibility(machine.gpus, seen))


def described_environment(environment: "Environment") -> str:
    python = f", Python {environment.python}" if environment.python else ""
    return f"{environment.path} ({environment.kind}{python}), {environment.found_by}"
