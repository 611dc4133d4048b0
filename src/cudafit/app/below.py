"""A machine by the files of another file system: an unpacked image, a mounted disk."""

import os

from cudafit.errors import InputError
from cudafit.machine.context import other_root
from cudafit.machine.snapshot import take
from cudafit.model.machine import Machine


def machine_below(root: str) -> Machine:
    if not os.path.isdir(root):
        raise InputError(f"`--root {root}`: there is no such folder")
    return take(other_root(root))
