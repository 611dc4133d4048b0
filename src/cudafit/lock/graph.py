"""What a request brings in, by uv: the packages that would be installed, and which of them need each.

Nothing is built for it: to learn what a source archive needs, its code would have to be run.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from cudafit.indexes import Indexes
from cudafit.lock.uv import UvError, known_texts, run_uv, uv_platform, with_default
from cudafit.model.fit import Target
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, normalised
from cudafit.process import uv_program
from cudafit.system.scratch import scratch

_LINE = re.compile(r"([A-Za-z0-9][\w.-]*)==(\S+)(?:\s+# via (.*))?")

_NO_WHEEL = re.compile(r"Wheels are required for `([A-Za-z0-9][\w.-]*)`")
_OF_ANOTHER_PYTHON = re.compile(r"(?<![\w.-])([A-Za-z0-9][\w.-]*)==[^\s=]+ has no wheels with a matching Python")
_OF_ANOTHER_SYSTEM = "no wheels with a matching platform tag"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_NOT_FOUND = "was not found in the package registry"
_MOST_LEFT = 24


@frozen
class Node:
    """A package of the answer. `by` are those that need it; of what was asked for itself there is none."""

    name: str
    version: str
    by: tuple[str, ...]


@frozen
class Graph:
    """What those need that are `unread`, without a wheel for the target, or `missing` on the index, was not seen; what
    is `foreign` has wheels for other systems alone."""

    nodes: tuple[Node, ...] = ()
    unread: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


@frozen
class Sought:
    """What uv is asked. `options` tell of indexes, as requirement files write them."""

    wanted: tuple[Wanted, ...]
    options: tuple[str, ...]
    python: str
    target: Target
    indexes: Indexes
    offline: bool = False
    excluded: tuple[str, ...] = ()  # packages to be left out wherever they are needed


def graph(sought: Sought, environ: Mapping[str, str] = os.environ) -> Graph:
    """Raises CudafitError where the index cannot be reached, or what is wanted does not go together."""
    unread: list[str] = []
    missing: list[str] = []
    foreign: list[str] = []
    while True:
        left = [*sought.excluded, *unread, *missing, *foreign]
        try:
            nodes = tuple(_nodes(_asked(sought, left, environ)))
            return Graph(nodes, tuple(unread), tuple(missing), tuple(foreign))
        except UvError as error:
            if error.wants_login:  # which packages it has nobody knows
                raise
            absent = set(map(normalised, _on_no_index(error.told))) - set(left)
            built = set(map(normalised, _NO_WHEEL.findall(error.told))) - {*left, *absent}
            if len(left) > _MOST_LEFT:
                raise
            if not (absent or built):
                others = set(map(normalised, _of_another_system(error.told))) - set(left)
                if not others:
                    raise
                foreign += sorted(others)
            # What was asked for goes last: it may be without a wheel in the versions alone to which uv went back.
            unread += sorted(built - {one.name for one in sought.wanted}) or sorted(built)
            missing += sorted(absent)


def for_another_python(told: str) -> tuple[str, ...]:
    """The packages of which uv says that all wheels of the version are for other Pythons."""
    return tuple(dict.fromkeys(map(normalised, _OF_ANOTHER_PYTHON.findall(told))))


def _of_another_system(told: str) -> Iterator[str]:
    """What stands before uv's words for it: `pywin32>=306 has`, or `all versions of pywin32 have`."""
    for part in told.split(_OF_ANOTHER_SYSTEM)[:-1]:
        words = part.split()
        if len(words) > 1 and words[-1] in ("has", "have") and (name := _NAME.match(words[-2])):
            yield name[0]


def _on_no_index(told: str) -> Iterator[str]:
    """The word before each of uv's words for it."""
    for part in told.split(_NOT_FOUND)[:-1]:
        if words := part.split():
            yield words[-1]


def _asked(sought: Sought, left: Sequence[str], environ: Mapping[str, str]) -> str:
    wanted = [one for one in sought.wanted if one.name not in left]
    texts = {
        "request.in": [*sought.options, *(_line(one) for one in wanted if not one.constraint)],
        "constraints.txt": [re.sub(r"\[[^\[\]]*\]", "", _line(one)) for one in wanted if one.constraint],
        "excludes.txt": left,
    }
    with scratch() as folder:
        for name, lines in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
        environ = with_default(environ, sought.indexes, sought.options)
        known = known_texts(sought.indexes, sought.wanted, sought.options, environ)
        return run_uv(_command(sought, folder), environ, list(known)).stdout


def _command(sought: Sought, folder: str) -> list[str]:
    command = [uv_program(), "pip", "compile", f"{folder}/request.in", "--constraints", f"{folder}/constraints.txt"]
    command += [
        "--excludes",
        f"{folder}/excludes.txt",
        "--quiet",
        "--no-header",
        "--annotation-style",
        "line",
        "--no-config",
        "--no-build",
    ]
    command += ["--no-python-downloads", "--python", sys.executable, "--python-version", sought.python]
    return [*command, "--python-platform", uv_platform(sought.target), *(["--offline"] if sought.offline else [])]


def _line(want: Wanted) -> str:
    """One line, however it was typed. A local version (`+cu126`) is on no default index, and needs the same."""
    text = " ".join(want.text.split())
    return text if want.url else re.sub(r"(==\s*[\w.!]+)\+[\w.]+", r"\1", text)


def _nodes(told: str) -> Iterator[Node]:
    for line in told.splitlines():
        if match := _LINE.match(line):
            parents = [one.strip() for one in (match[3] or "").split(",")]
            yield Node(
                normalised(match[1]),
                match[2],
                tuple(normalised(one) for one in parents if one and not one.startswith("-")),
            )
