"""The environment that is meant here where none is named, for what reads no machine."""

import os

from cudafit.app.asked import WhichEnvironment
from cudafit.env.locate import Asked, locate, required
from cudafit.files import Files
from cudafit.machine.conda import read_conda
from cudafit.machine.context import this_machine
from cudafit.model.located import Located, Nowhere


def located_here(*, guess: bool = True) -> Located | Nowhere:
    """`guess`: whether the Python first on PATH may be meant."""
    asked = Asked(environ=os.environ, folder=os.getcwd(), installations=lambda: read_conda(this_machine()), guess=guess)
    return locate(Files(), asked)


def system_here(which: WhichEnvironment, verb: str) -> str:
    """The Python outside of environments that `--system` means. Raises CudafitError where there is none."""
    asked = Asked(which.path, which.conda, which.kernel, os.environ, os.getcwd(), system=True)
    found = required(locate(Files(), asked), verb, "--system", hint="name its interpreter")
    return found.interpreter or found.prefix
