"""What files ask for: those that are named, or those of the project in this folder."""

from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted
from cudafit.project.nearby import read_nearby
from cudafit.project.requirement_files import read_requirement_file


@frozen
class Declared:
    """`lines` are what is no requirement, as `-e .` and `--index-url`."""

    wanted: tuple[Wanted, ...] = ()
    lines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def declared(files: tuple[str, ...]) -> Declared:
    """Raises InputError for a file that cannot be read."""
    if not files:
        nearby = read_nearby()
        return Declared(tuple(nearby.wanted), tuple(nearby.other), tuple(nearby.files)) if nearby else Declared()
    read = [read_requirement_file(path, named=True) for path in files]
    return Declared(
        tuple(want for one in read for want in one.wanted), tuple(line for one in read for line in one.other), files
    )
