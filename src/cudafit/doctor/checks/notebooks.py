"""Notebooks: the Python and the variables that a kernel really gets."""

from collections.abc import Iterator

from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import DECIDING
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.system.commands import option_words, path_word


def other_python(world: World) -> Iterator[Finding]:
    environment = world.environment
    kernel = environment.kernel if environment else None
    if environment is None or kernel is None or not environment.active or environment.active == environment.path:
        return
    command = ("cudafit", "repair", path_word(environment.active), *option_words("--kernel", kernel.name))
    yield kinds.jupyter.kernel_wrong_python.found(
        f"the kernel {kernel.name} runs {environment.path}, not {environment.active}",
        (
            Evidence(f"argv begins with {kernel.argv[0]}", kernel.path),
            Evidence(f"{environment.active} is active, or in this folder", "environment"),
        ),
        Fix("let the kernel start that environment (it needs ipykernel)", (command,)),
    )


def other_variables(world: World) -> Iterator[Finding]:
    """`world.machine.environment` is what the kernel gets: the running server's variables, and what it sets itself."""
    kernel = world.environment.kernel if world.environment else None
    if kernel is None:
        return
    told = [name for name in DECIDING if name in kernel.variables]
    if told:
        yield kinds.jupyter.kernel_env_differs.found(
            f"the kernel {kernel.name} sets {', '.join(told)} by itself",
            tuple(Evidence(f"{name}={kernel.variables[name]!r}", kernel.path) for name in told),
            Fix(f"edit `env` in {kernel.path}, then start the kernel anew"),
        )
    given = [one for one in kernel.differs if one[0] not in told]
    if given and kernel.server:
        names = ", ".join(name for name, _, _ in given)
        said = [
            f"{name} is {_shown(inside)} for the running Jupyter, {_shown(shell)} in this shell"
            for name, shell, inside in given
        ]
        yield kinds.jupyter.kernel_env_differs.found(
            f"kernels get {names} from the running Jupyter, not from this shell",
            tuple(Evidence(text, kernel.server) for text in said),
            Fix(f"start Jupyter from a shell that has them, or set {names} under `env` in {kernel.path}"),
        )


def _shown(value: str | None) -> str:
    return "not set" if value is None else repr(value)
