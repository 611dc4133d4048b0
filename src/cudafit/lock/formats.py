"""Which format a file name means."""

import os
import re

from cudafit.errors import InputError
from cudafit.model.frozen import frozen

PIP = "pip"  # packages from Python indexes
CONDA = "conda"  # packages from a conda channel
IMAGE = "image"  # container files, which copy a lock


@frozen
class Format:
    """A kind of file."""

    name: str
    kind: str
    pattern: str  # of file names
    example: str


FORMATS = (
    Format("requirements", PIP, r".*requirements.*\.txt|.*\.lock\.txt", "requirements.txt"),
    Format("pylock", PIP, r"pylock(\.[^.]+)?\.toml", "pylock.toml"),
    Format("pyproject", PIP, r"pyproject\.toml", "pyproject.toml"),
    Format("environment", CONDA, r".*environment.*\.ya?ml", "environment.yml"),
    Format("conda-lock", CONDA, r".*conda-lock\.ya?ml", "conda-lock.yml"),
    Format("explicit", CONDA, r".*explicit.*\.txt", "explicit.txt"),
    Format("pixi", CONDA, r"pixi\.toml", "pixi.toml"),
    Format("dockerfile", IMAGE, r"(.*\.)?(Docker|Container)file(\..*)?", "Dockerfile"),
    Format("compose", IMAGE, r"(docker-)?compose.*\.ya?ml", "compose.yaml"),
    Format("devcontainer", IMAGE, r"\.?devcontainer\.json", "devcontainer.json"),
)
NAMES = tuple(one.name for one in FORMATS)


def format_of(path: str, forced: str | None = None) -> Format:
    """By the word of the user, or the name of the file; raises InputError for a name that tells nothing."""
    if forced:
        return next(one for one in FORMATS if one.name == forced)
    name = os.path.basename(path)
    for one in FORMATS:
        if re.fullmatch(one.pattern, name):
            return one
    known = ", ".join(f"`{one.example}`" for one in FORMATS)
    raise InputError(
        f"`-o {path}`: the name does not tell which format is meant",
        cause=[f"known names are like {known}"],
        hint="name it so, or give the format with `--format NAME`",
    )
