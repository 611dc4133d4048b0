"""The names of wheels, as indexes and locks give them: the only place that takes them apart."""

from math import prod

from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import Version

_LONGEST = 255  # of a file's name
_MOST_TAGS = 500


def wheel_parts(name: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Name, version, build and tags; raises InvalidWheelFilename.

    `py2.py3-none-a.b` stands for every combination: a name of a thousand letters can stand for millions.
    """
    if len(name) > _LONGEST or prod(part.count(".") + 1 for part in name.split("-")[-3:]) > _MOST_TAGS:
        raise InvalidWheelFilename(f"Invalid wheel filename (too many tags): {name[:_LONGEST]!r}")
    return parse_wheel_filename(name)
