"""The variables of a job that is to run in an environment which is named: as if that had been activated."""

import os
from collections.abc import Mapping, Sequence

from cudafit.app.asked import WhichEnvironment
from cudafit.env.active import path_entries
from cudafit.env.locate import Asked, locate, required
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.machine.conda import read_conda
from cudafit.machine.context import this_machine
from cudafit.model.environment import CONDA, VENV
from cudafit.model.located import Located
from cudafit.process import which as on_path

_VARIABLES = {VENV: "VIRTUAL_ENV", CONDA: "CONDA_PREFIX"}


def activated(which: WhichEnvironment, environ: Mapping[str, str]) -> dict[str, str]:
    """Raises InputError where what is named is no environment. Its scripts (`activate`, conda's activate.d) are not
    run: a job gets what they all set."""
    folder = os.getcwd()
    asked = Asked(
        which.path, which.conda, which.kernel, environ, folder, lambda: read_conda(this_machine()), system=which.system
    )
    found = required(locate(Files(), asked), "run", "--env", ".venv")
    kept = {name: value for name, value in environ.items() if name not in _left(environ)}
    kept["PATH"] = os.pathsep.join([_programs(found), *_others_on_path(found, environ)])
    if variable := _VARIABLES.get(found.kind):
        kept[variable] = found.prefix
    if found.kind == CONDA:
        kept["CONDA_DEFAULT_ENV"] = _called(found.prefix)
    return {**kept, **(found.kernel.variables if found.kernel else {})}


def command_in(words: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command with its program found on that PATH: a system looks for it on ours."""
    if os.sep in words[0]:
        return tuple(words)
    program = on_path(words[0], environ.get("PATH", ""))
    if program is None:
        raise InputError(f"`{words[0]}`: there is no such command in the environment, nor elsewhere on PATH")
    return (program, *words[1:])


def _left(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Those of what is active now, so that no program takes one environment for the other."""
    conda = [name for name in environ if name.startswith("CONDA_PREFIX_")]
    return (*_VARIABLES.values(), "VIRTUAL_ENV_PROMPT", "PYTHONHOME", "CONDA_DEFAULT_ENV", "CONDA_SHLVL", *conda)


def _others_on_path(found: Located, environ: Mapping[str, str]) -> list[str]:
    """A venv that was active goes. conda's programs stay, as below a venv, but for another conda environment."""
    gone = [environ["VIRTUAL_ENV"]] if environ.get("VIRTUAL_ENV") else []
    gone += [environ["CONDA_PREFIX"]] if found.kind == CONDA and environ.get("CONDA_PREFIX") else []
    folders = {os.path.realpath(f"{one}/bin") for one in gone}
    return [one for one in path_entries(environ) if os.path.realpath(one) not in folders]


def _programs(found: Located) -> str:
    if found.kind in _VARIABLES or not found.interpreter:
        return f"{found.prefix.rstrip('/')}/bin"
    return os.path.dirname(found.interpreter)


def _called(prefix: str) -> str:
    """As conda calls it: by its name where it lies among the others."""
    above, name = os.path.split(prefix)
    if os.path.basename(above) == "envs":
        return name
    return "base" if os.path.isdir(f"{prefix}/condabin") else prefix
