"""The versions that lint judges code for: of the environment that is named, active or nearby. By files alone."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field

from cudafit.app.asked import WhichEnvironment
from cudafit.env.locate import Asked, locate, required
from cudafit.env.places import read_places, read_settings
from cudafit.env.reader import Reader
from cudafit.errors import CudafitError
from cudafit.files import Files
from cudafit.lint.check import DECIDING
from cudafit.model.environment import VENV
from cudafit.model.frozen import frozen
from cudafit.model.located import Located
from cudafit.model.machine import CondaInstallation
from cudafit.model.requirement import normalised

_METADATA = re.compile(r"([A-Za-z0-9_.]+)-([^-]+)(?:-[^-]*)?\.(?:dist|egg)-info$")


@frozen
class Installed:
    """The deciding packages that an environment has; without a path there is none to look at."""

    path: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def installed_for(which: WhichEnvironment) -> Installed:
    """Raises InputError where what is named is no environment. Where none is named, none need be there."""
    named = bool(which.path or which.conda or which.kernel)
    try:
        found = locate(
            Files(), Asked(which.path, which.conda, which.kernel, os.environ, os.getcwd(), _conda, guess=named)
        )
    except (CudafitError, OSError):
        if named:
            raise
        return Installed()
    if not isinstance(found, Located):
        return Installed(required(found, "lint", "--env", ".venv").prefix) if named else Installed()
    return Installed(found.prefix, dict(_versions(found)))


def _conda() -> Sequence[CondaInstallation]:
    from cudafit.machine.conda import read_conda  # noqa: PLC0415 - for an environment of conda
    from cudafit.machine.context import this_machine  # noqa: PLC0415

    return read_conda(this_machine())


def _versions(found: Located) -> Mapping[str, str]:
    """By the names of the metadata folders: what is in them is not needed."""
    reader = Reader(Files())
    settings = read_settings(reader, found.prefix) if found.kind == VENV else {}
    versions: dict[str, str] = {}
    for place in read_places(reader, found, settings, os.environ):
        for name in reader.names(place):
            if told := _METADATA.match(name):
                package = normalised(told[1])
                if package in DECIDING:
                    versions.setdefault(package, told[2])
    return versions
