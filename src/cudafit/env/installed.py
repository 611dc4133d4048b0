"""Which distributions an environment holds, by the names of their metadata folders: nothing is imported or run."""

import os
import re

from cudafit.env.places import own_places
from cudafit.env.reader import Reader
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.requirement import normalised
from cudafit.system.reading import read_text


def installed_versions(environment: str) -> dict[str, str]:
    """Name -> version of every distribution in its own folders, of several the one that is imported."""
    found: dict[str, str] = {}
    reader = Reader(Files())
    for place in own_places(reader, environment):
        for name in reader.names(place):
            if not name.endswith(".dist-info"):
                continue
            project, _, version = name.removesuffix(".dist-info").rpartition("-")
            if project and version:
                found.setdefault(normalised(project), version)
    return found


def python_of(environment: str) -> str | None:
    """The Python of an environment, as 3.12: by its pyvenv.cfg, or by conda's record of its python package.

    Raises InputError for a pyvenv.cfg that is there and cannot be read.
    """
    path = os.path.join(environment, "pyvenv.cfg")
    try:
        text = read_text(path, 1 << 18, errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return _conda_python(environment)
    except OSError as error:
        raise InputError(
            f"cannot read `{path}`: {error.strerror or error}",
            hint="say which Python is meant, as `--python 3.12`",
        ) from None
    match = re.search(r"^version(?:_info)?\s*=\s*(3\.\d+)", text, re.M)
    return match.group(1) if match else None


def _conda_python(environment: str) -> str | None:
    try:
        names = os.listdir(os.path.join(environment, "conda-meta"))
    except OSError:
        return None
    return next((match.group(1) for name in names if (match := re.match(r"python-(3\.\d+)\.\d+-", name))), None)
