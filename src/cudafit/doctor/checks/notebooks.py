"""Notebooks: the Python and the variables that a kernel really gets."""

from collections.abc import Iterator

from cudafit.doctor.world import World
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix

LAYER = "notebook"
# What decides about the GPU, and what a kernelspec may set differently from the shell.
_DECIDING = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "JAX_PLATFORMS", "XLA_FLAGS", "PYTHONPATH", "CUDA_HOME")


def other_python(world: World) -> Iterator[Finding]:
    environment = world.environment
    kernel = environment.kernel if environment else None
    if environment is None or kernel is None or not environment.active or environment.active == environment.path:
        return
    python = f"{environment.active}/bin/python"
    command = (python, "-m", "ipykernel", "install", "--user", "--name", kernel.name)
    yield Finding(
        "jupyter.kernel_wrong_python",
        ERROR,
        LAYER,
        f"the kernel {kernel.name} runs {environment.path}, not {environment.active}",
        (
            Evidence(f"argv begins with {kernel.argv[0]}", kernel.path),
            Evidence(f"{environment.active} is active, or in this folder", "environment"),
        ),
        Fix("register a kernel for that environment (it needs ipykernel)", (command,)),
    )


def other_variables(world: World) -> Iterator[Finding]:
    """`world.machine.environment` is what the kernel gets; what it sets itself stands in its file."""
    kernel = world.environment.kernel if world.environment else None
    told = [name for name in _DECIDING if kernel and name in kernel.variables]
    if kernel and told:
        yield Finding(
            "jupyter.kernel_env_differs",
            WARNING,
            LAYER,
            f"the kernel {kernel.name} sets {', '.join(told)} by itself",
            tuple(Evidence(f"{name}={kernel.variables[name]!r}", kernel.path) for name in told),
            Fix(f"edit `env` in {kernel.path}, then start the kernel anew"),
        )
