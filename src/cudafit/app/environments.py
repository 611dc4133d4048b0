"""The environment that a verb looks at, and the world around it that doctor judges."""

import os
from collections.abc import Mapping
from dataclasses import replace

from cudafit.app.asked import WhichEnvironment, WhichMachine
from cudafit.app.looking import Looked, seen_with
from cudafit.doctor.world import World
from cudafit.env.around import Around
from cudafit.env.inventory import read_inventory
from cudafit.env.locate import Asked, locate, required
from cudafit.env.owner import owner_of
from cudafit.env.search_path import USUAL_PATH
from cudafit.errors import CudafitError
from cudafit.machine.environment import read_environment
from cudafit.model.environment import DECIDING, Environment, Kernel
from cudafit.model.located import Located, Nowhere
from cudafit.model.machine import Machine
from cudafit.model.project import Project
from cudafit.project.nearby import read_nearby
from cudafit.project.notebooks import bang_pip
from cudafit.system.posix import posix


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
        system=which.system,
    )
    return locate(looked.files, asked), environ


def environment_of(
    which: WhichEnvironment, looked: Looked, variables: Mapping[str, str] | None = None, folder: str | None = None
) -> Environment | None:
    """What is in the environment that is meant; raises InputError."""
    found, environ = located_for(which, looked, variables, folder)
    return None if isinstance(found, Nowhere) else environment_at(found, looked, environ)


def environment_required(which: WhichEnvironment, looked: Looked, verb: str) -> Environment:
    """The same for a verb that is nothing without one; raises UndeterminedError."""
    found, environ = located_for(which, looked)
    return environment_at(required(found, verb, ".venv"), looked, environ)


def environment_at(located: Located, looked: Looked, environ: Mapping[str, str]) -> Environment:
    kernel, system = located.kernel, looked.system
    if kernel is None:
        return _with_owner(read_inventory(looked.files, located, environ, system), looked, environ)
    from cudafit.env.jupyter_servers import newest_server  # noqa: PLC0415 - for kernels alone

    # With a snapshot or another root there is no server to look at.
    here = system is not None and looked.files.whole and hasattr(os, "getuid")
    server = newest_server(looked.files, posix.getuid()) if here else None
    if server:
        pairs = [(name, environ.get(name), server.variables.get(name)) for name in DECIDING]
        kernel = replace(kernel, server=server.path, differs=tuple(one for one in pairs if one[1] != one[2]))
    inherited = server.variables if server else environ
    inventory = read_inventory(looked.files, located, {**inherited, **kernel.variables}, system)
    return _with_owner(replace(inventory, kernel=kernel, active=located.active), looked, environ)


def _with_owner(environment: Environment, looked: Looked, environ: Mapping[str, str]) -> Environment:
    around = Around(looked.files, environ, lambda: looked.machine.conda or ())
    owner = owner_of(around, environment, "/" if looked.which.root else os.getcwd())
    if owner and owner.manager in ("poetry", "pdm") and looked.files.whole and os.name != "nt":
        from cudafit.repair.engines.project import changes_with  # noqa: PLC0415 - for projects alone

        owner = replace(owner, repaired=changes_with(environment.path, owner, environ))
    return replace(environment, owner=owner)


def described_environment(environment: Environment) -> str:
    python = f", Python {environment.python}" if environment.python else ""
    return f"{environment.path} ({environment.kind}{python}), {environment.found_by}"


def world(looked: Looked, environment: Environment | None) -> World:
    machine = looked.machine
    if environment and environment.kernel:
        machine = _with_variables(machine, environment.kernel)
    return World(machine, environment, looked.library, _project(looked.which))


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


def _with_variables(machine: Machine, kernel: Kernel) -> Machine:
    """The machine as a kernel sees it, with the variables of the running server and its own."""
    inherited = {**machine.environment, **{name: inside for name, _, inside in kernel.differs if inside is not None}}
    for name in [name for name, _, inside in kernel.differs if inside is None]:
        inherited.pop(name, None)
    return seen_with(machine, {**inherited, **read_environment(kernel.variables)})
