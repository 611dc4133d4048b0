"""The machine and the environment that a command looks at, by its options.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cudafit.cli.common import say
from cudafit.cli.machine_options import ask_driver
from cudafit.cli.matrix_options import chosen
from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from cudafit.doctor.world import World
    from cudafit.files import Files
    from cudafit.model.environment import Environment, Kernel
    from cudafit.model.finding import Finding, NotChecked
    from cudafit.model.located import Located, Nowhere
    from cudafit.model.machine import Machine
    from cudafit.model.project import Project
    from cudafit.repair.rollback import Interrupted
    from cudafit.resolve.problem import Library


@frozen
class Given:
    """How a command names what it looks at; the options of doctor and of repair."""

    machines: tuple[str, ...] = ()
    driver: str | None = None
    gpus: tuple[str, ...] = ()
    root: str | None = None
    path: str | None = None
    conda: str | None = None
    kernel: str | None = None


@frozen
class Looked:
    """What was read, before it is judged."""

    machine: "Machine"
    library: "Library"
    files: "Files"
    system: "list[tuple[str, str]] | None"  # the linker's own folders; None for a machine that is not this one


def given(options: dict[str, Any]) -> Given:
    names = ("driver", "root", "path", "conda", "kernel")
    told = {name: options.get(name) for name in names}
    return Given(machines=options["machines"], gpus=options["gpus"], **told)


def look(given: Given, matrices: Any, pinned: Any) -> Looked:
    """The machine; NVML is asked first, and answers while the rest is being loaded."""
    from cudafit.machine.described import Description

    description = Description(given.driver, given.gpus)
    question = ask_driver(description, given.machines, given.root)
    book = chosen(matrices, pinned)

    from cudafit.resolve.problem import Library

    machine, files = _machine(given, description, question, book.facts)
    return Looked(machine, Library(book), files, _system(given))


def unfinished_change(path: str | None) -> "Interrupted | None":
    """Of the environment that is named, or of the one that would be looked at."""
    from cudafit.env.locate import Asked, may_be_meant
    from cudafit.env.prefixes import kind_of
    from cudafit.files import Files

    files = Files()
    for folder in may_be_meant(files, Asked(path, environ=os.environ, folder=os.getcwd())):
        if _has_journal(folder):
            from cudafit.repair.rollback import interrupted

            if found := interrupted(folder):
                return found
        if kind_of(files, folder):
            return None
    return None


def conda_path(name: str) -> str:
    """The folder of a conda environment by its name; one in the middle of a change may not even be in its place."""
    from cudafit.env.conda_places import named
    from cudafit.env.locate import Asked, locate, required
    from cudafit.files import Files
    from cudafit.machine.conda import read_conda
    from cudafit.machine.context import this_machine
    from cudafit.model.words import is_path

    if is_path(name):
        return os.path.expanduser(name)
    files, installations, folder = Files(), read_conda(this_machine()), os.getcwd()
    for path in named(files, name, installations, os.environ, folder):
        if _has_journal(path):
            return path
    asked = Asked(conda=name, environ=os.environ, folder=folder, installations=lambda: installations)
    return required(locate(files, asked)).prefix


def located_here(*, guess: bool = True) -> "Located | Nowhere":
    """The environment that is meant here where none is named, for what reads no machine."""
    from cudafit.env.locate import Asked, locate
    from cudafit.files import Files
    from cudafit.machine.conda import read_conda
    from cudafit.machine.context import this_machine

    asked = Asked(environ=os.environ, folder=os.getcwd(), installations=lambda: read_conda(this_machine()), guess=guess)
    return locate(Files(), asked)


def _has_journal(folder: str) -> bool:
    """Whether there is a reason to load what reads journals."""
    from cudafit.repair.state import state_of

    try:
        return os.path.lexists(state_of(folder).journal)
    except InputError:
        return False


def warn_of_unfinished(path: str | None) -> None:
    """Says on stderr that an environment is in the middle of a change, and how that is ended."""
    found = unfinished_change(path)
    if found is None:
        return
    say(f"warning: {interrupted_text(found)}")
    if not found.running:
        finish, undo = (command_text("cudafit", way, path_word(found.env)) for way in ("repair", "rollback"))
        say(f"hint: `{finish}` finishes it, `{undo}` brings back what was there")


def interrupted_text(unfinished: "Interrupted") -> str:
    if unfinished.running:
        return f"`{unfinished.command}` (process {unfinished.pid}) is changing it, since {unfinished.started}"
    return f"a change of {unfinished.env} was interrupted, begun {unfinished.started}: {unfinished.reason}"


def world(given: Given, looked: Looked, environment: "Environment | None") -> "World":
    from cudafit.doctor.world import World

    machine = looked.machine
    if environment and environment.kernel:
        machine = _with_variables(machine, environment.kernel)
    return World(machine, environment, looked.library, _project(given))


def in_code(paths: Sequence[str], text: str | None = None) -> "list[Finding | NotChecked]":
    """What `cudafit lint` finds, as doctor says it: below everything else, since the code runs on top of it.

    `text` is code that is in no file, as that of `python -c`.
    """
    from cudafit.model.finding import Evidence, Fix, NotChecked
    from cudafit.model.kinds import KINDS
    from cudafit.sources import STDIN, lint_paths

    report = lint_paths(paths, text)
    found: list[Finding | NotChecked] = []
    for one in report.findings:
        cell = f", cell {one.cell}" if one.cell else ""
        place = f"{one.path}:{one.line}" if one.path != STDIN else "the code given with -c"
        evidence = (Evidence(f"line {one.line}{cell}", place),)
        found.append(KINDS[one.id].found(one.message, evidence, Fix(one.fix)))
    found += [NotChecked("code", f"{one.path}: {one.reason}") for one in report.skipped]
    return found


def _machine(given: Given, description: Any, question: Any, facts: Any) -> "tuple[Machine, Files]":
    from cudafit.files import Files
    from cudafit.machine.described import described
    from cudafit.machine.snapshot import take

    machines, root = given.machines, given.root
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


def _system(given: Given) -> "list[tuple[str, str]] | None":
    """The folders in which the linker looks by itself; None for a machine that is not this one."""
    from cudafit.machine.context import other_root, this_machine
    from cudafit.machine.libraries import system_folders

    if given.machines:
        return None
    return system_folders(other_root(given.root) if given.root else this_machine())


def located_for(
    given: Given, looked: Looked, variables: Mapping[str, str] | None = None, folder: str | None = None
) -> "tuple[Located | Nowhere, dict[str, str]]":
    """Which environment is meant, and the variables that it is read with; raises InputError.

    `variables` and `folder` are those of the process that it is read for, when that is not this one.
    """
    from cudafit.env.locate import Asked, locate
    from cudafit.env.search_path import USUAL_PATH

    environ = {"PATH": USUAL_PATH} if given.root else dict(os.environ if variables is None else variables)
    folder = "/" if given.root else folder or os.getcwd()
    if given.machines:
        environ["LD_LIBRARY_PATH"] = looked.machine.environment.get("LD_LIBRARY_PATH", "")
    asked = Asked(
        given.path or None,
        given.conda,
        given.kernel or None,
        environ,
        folder,
        installations=lambda: looked.machine.conda or (),
        guess=not given.machines,
    )
    return locate(looked.files, asked), environ


def environment_of(
    given: Given, looked: Looked, variables: Mapping[str, str] | None = None, folder: str | None = None
) -> "Environment | None":
    """What is in the environment that is meant; raises InputError."""
    from cudafit.model.located import Nowhere

    found, environ = located_for(given, looked, variables, folder)
    return None if isinstance(found, Nowhere) else environment_at(found, looked, environ)


def environment_required(given: Given, looked: Looked, verb: str) -> "Environment":
    """The same for a command that is nothing without one; raises UndeterminedError."""
    from cudafit.env.locate import required

    found, environ = located_for(given, looked)
    return environment_at(required(found, verb, ".venv"), looked, environ)


def environment_at(located: "Located", looked: Looked, environ: Mapping[str, str]) -> "Environment":
    from dataclasses import replace

    from cudafit.env.inventory import read_inventory

    kernel, system = located.kernel, looked.system
    if kernel is None:
        return read_inventory(looked.files, located, environ, system)
    from cudafit.env.jupyter_servers import newest_server
    from cudafit.model.environment import DECIDING

    # With a snapshot or another root there is no server to look at.
    here = system is not None and looked.files.whole and hasattr(os, "getuid")
    server = newest_server(looked.files, os.getuid()) if here else None
    if server:
        pairs = [(name, environ.get(name), server.variables.get(name)) for name in DECIDING]
        kernel = replace(kernel, server=server.path, differs=tuple(one for one in pairs if one[1] != one[2]))
    inherited = server.variables if server else environ
    inventory = read_inventory(looked.files, located, {**inherited, **kernel.variables}, system)
    return replace(inventory, kernel=kernel, active=located.active)


def _project(given: Given) -> "Project | None":
    """What the folder's own files ask for, and which of them cannot be read."""
    from cudafit.errors import CudafitError
    from cudafit.model.project import Project
    from cudafit.project.nearby import read_nearby
    from cudafit.project.notebooks import bang_pip

    if given.root:
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
    from cudafit.machine.environment import read_environment

    inherited = {**machine.environment, **{name: inside for name, _, inside in kernel.differs if inside is not None}}
    for name in [name for name, _, inside in kernel.differs if inside is None]:
        inherited.pop(name, None)
    return seen_with(machine, {**inherited, **read_environment(kernel.variables)})


def seen_with(machine: "Machine", variables: Mapping[str, str]) -> "Machine":
    """The machine as a process with these variables sees it."""
    from dataclasses import replace

    from cudafit.machine.environment import read_environment
    from cudafit.machine.snapshot import with_visibility
    from cudafit.model.visible_devices import visible_devices

    environment = read_environment(variables)
    if not machine.live:
        return replace(machine, environment=environment)
    seen = visible_devices(machine.gpus, environment)
    return replace(machine, environment=environment, visible_devices=seen, gpus=with_visibility(machine.gpus, seen))


def described_environment(environment: "Environment") -> str:
    python = f", Python {environment.python}" if environment.python else ""
    return f"{environment.path} ({environment.kind}{python}), {environment.found_by}"
