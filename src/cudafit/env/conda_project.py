"""The environment that a project's own file of conda's names: by `prefix`, or by `name` in conda's folders."""

import os
import re
from collections.abc import Iterator

from cudafit.env.around import LIMIT, Around
from cudafit.env.conda_places import named
from cudafit.env.prefixes import kind_of
from cudafit.model.finding import Evidence

FILES = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")


def of_conda(around: Around, place: str, name: str) -> Iterator[str]:
    """The environment that the file's `prefix` or `name` says, in conda's own folders."""
    word, prefix = _told(around, os.path.join(place, name))
    if prefix:
        yield around.expanded(prefix, place)
    if word:
        yield from named(around.files, word, around.installations(), around.environ, place)


def _told(around: Around, path: str) -> tuple[str, str]:
    """The name, where it is one that can be made, and the prefix."""
    try:
        text = around.files.read_text(path, LIMIT)
    except OSError:
        return "", ""
    told = dict(reversed(re.findall(r"^(name|prefix):[ \t]*[\"']?([^\s\"'#]+)", text, re.M)))
    word = told.get("name", "")
    return "" if "/" in word or word in (".", "..", "base", "root") else word, told.get("prefix", "")


def not_made(around: Around, place: str) -> Iterator[Evidence]:
    """An environment that a file of conda's names, and that nobody has made."""
    for name in FILES:
        word, _ = _told(around, path := os.path.join(place, name))
        if word and not any(kind_of(around.files, one) for one in of_conda(around, place, name)):
            yield Evidence(f"{name} names the conda environment `{word}`, which was not made", path)
