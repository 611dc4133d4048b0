"""What a format of files is. Nothing of it has a default: of whoever adds one, mypy asks for all of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from cudafit.lock.integrity import Integrity
from cudafit.model.frozen import frozen

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop

# Packages from Python indexes; packages from a conda channel; container files, which copy a lock.
Kind = Literal["pip", "conda", "image"]
PIP: Kind = "pip"
CONDA: Kind = "conda"
IMAGE: Kind = "image"


@frozen
class Written:
    """A file as it is to be written, and how many packages it holds."""

    text: str
    packages: int = 0


@frozen
class Contents:
    """What was read back: packages with versions (of conda with the build behind it), and what proves their files."""

    versions: Mapping[str, str]
    integrity: Integrity


@frozen
class InImage:
    """How an image installs it. `rank`: of several that are written together the strictest is taken, the lowest number.

    `line` gives the line of a Dockerfile for the file's place in the image; None for conda's, which have a template of
    their own. `solved`: what it asks for is solved while the image is built, where no driver can be seen.
    """

    rank: int
    line: Callable[[str], str] | None = None
    solved: bool = False


@frozen
class Format:
    """A kind of file: `cudafit resolve -o` writes it, and `--check` reads it back."""

    name: str  # for `--format`
    kind: Kind
    pattern: str  # of file names
    example: str  # such a name
    files: str  # such names, as docs/locks.md has them
    help: str  # what it is, in one line
    tools: str  # what people do with it, as they type it
    complete: bool  # names every package of the environment
    edits: bool  # it is the user's own file, changed in place
    named_indexes: bool  # uv takes the login of an index from variables with the name that the file gives it
    in_image: InImage | None  # None: no image is made from it
    write: "Callable[[Workshop, str], Written]"  # for a path
    read: Callable[[str], Contents] | None  # raises what `held` turns into an error; None for container files alone
