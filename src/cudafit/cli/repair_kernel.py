"""`cudafit repair --kernel NAME`: the Jupyter kernel is made to start the environment's own Python."""

import os
import sys
from typing import Any

from cudafit.cli.common import agree, say, write_line
from cudafit.env.kernels import kernel_by_name, register, user_folder
from cudafit.env.locate import Asked, locate, required
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.system.commands import command_text, option_words, path_word


def repair_kernel(options: dict[str, Any]) -> int:
    """Writes the kernelspec in the user's own folder, which Jupyter looks at before the system's; a copy is kept."""
    files = Files()
    found = locate(files, Asked(options["path"], environ=os.environ, folder=os.getcwd()))
    located = required(found, "repair", ".venv", *option_words("--kernel", options["kernel"]))
    python = f"{located.prefix}/bin/python"
    if not os.access(python, os.X_OK):
        raise InputError(f"`{python}` is no program that can be started")
    if not any(files.is_dir(place) for place in _ipykernel(files, located.prefix)):
        install = command_text("uv", "pip", "install", "--python", path_word(located.prefix), "ipykernel")
        raise CudafitError(
            f"`{located.prefix}` has no ipykernel, without which no notebook can use it",
            hint=f"`{install}`, then this command again",
        )
    kernel = kernel_by_name(files, os.environ, located.prefix, options["kernel"])
    path = os.path.join(user_folder(os.environ), "kernels", kernel.name, "kernel.json")
    say(f"kernel {kernel.name}: starts {kernel.argv[0]}  [{kernel.path}]")
    if kernel.argv[0] == python:
        write_line(f"kernel {kernel.name} already starts {python}")
        return 0
    if options["dry_run"]:
        write_line(f"kernel {kernel.name} would start {python}  [{path}]")
        return 0
    if not options["yes"]:
        if not sys.stdin.isatty():
            raise InputError("nobody can be asked here, so nothing was changed", hint="add `--yes`, or `--dry-run`")
        agree(f"let it start {python}?")
    kept = register(kernel, python, path)
    write_line(f"kernel {kernel.name} starts {python}  [{path}]")
    if kept:
        write_line(f"what was there is kept  [{kept}]")
    say("hint: start the kernel anew in Jupyter")
    return 0


def _ipykernel(files: Files, prefix: str) -> list[str]:
    try:
        names = files.names(f"{prefix}/lib", "python3*")
    except OSError:
        return []
    return [f"{prefix}/lib/{name}/site-packages/ipykernel" for name in names]
