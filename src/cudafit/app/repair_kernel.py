"""A Jupyter kernel that is made to start the environment's own Python."""

import os
from collections.abc import Callable

from cudafit.app.result import Talk
from cudafit.env.kernels import kernel_by_name, register, user_folder
from cudafit.env.locate import Asked, locate, required
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.model.frozen import frozen
from cudafit.system.commands import command_text, option_words, path_word


@frozen
class Request:
    """`path` is the environment; None for the active one, or the one in this folder."""

    kernel: str
    path: str | None = None
    dry_run: bool = False


def repair_kernel(request: Request, talk: Talk, tell: Callable[[str], None]) -> None:
    """Writes the kernelspec in the user's own folder, which Jupyter looks at before the system's; a copy is kept.

    `tell` is given the lines of the result.
    """
    files = Files()
    found = locate(files, Asked(request.path, environ=os.environ, folder=os.getcwd()))
    located = required(found, "repair", ".venv", *option_words("--kernel", request.kernel))
    python = f"{located.prefix}/bin/python"
    if not os.access(python, os.X_OK):
        raise InputError(f"`{python}` is no program that can be started")
    if not any(files.is_dir(place) for place in _ipykernel(files, located.prefix)):
        install = command_text("uv", "pip", "install", "--python", path_word(located.prefix), "ipykernel")
        raise CudafitError(
            f"`{located.prefix}` has no ipykernel, without which no notebook can use it",
            hint=f"`{install}`, then this command again",
        )
    kernel = kernel_by_name(files, os.environ, located.prefix, request.kernel)
    path = os.path.join(user_folder(os.environ), "kernels", kernel.name, "kernel.json")
    talk.say(f"kernel {kernel.name}: starts {kernel.argv[0]}  [{kernel.path}]")
    if kernel.argv[0] == python:
        tell(f"kernel {kernel.name} already starts {python}")
        return
    if request.dry_run:
        tell(f"kernel {kernel.name} would start {python}  [{path}]")
        return
    talk.agree(
        f"let it start {python}?",
        InputError(
            "this cannot be asked without a terminal, so nothing was changed", hint="add `--yes`, or `--dry-run`"
        ),
    )
    kept = register(kernel, python, path)
    tell(f"kernel {kernel.name} starts {python}  [{path}]")
    if kept:
        tell(f"what was there is kept  [{kept}]")
    talk.say("hint: start the kernel anew in Jupyter")


def _ipykernel(files: Files, prefix: str) -> list[str]:
    try:
        names = files.names(f"{prefix}/lib", "python3*")
    except OSError:
        return []
    return [f"{prefix}/lib/{name}/site-packages/ipykernel" for name in names]
