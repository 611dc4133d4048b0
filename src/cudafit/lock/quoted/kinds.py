"""Locks as kinds of files that say what a project needs: a declaration goes before its lock."""

import re
from collections.abc import Callable, Iterator

from cudafit.errors import InputError
from cudafit.lock.conda_names import main_name
from cudafit.lock.quoted import conda_lock, explicit, pdm, pipfile_lock, pixi, poetry, pylock, uv
from cudafit.lock.quoted.pinned import pin
from cudafit.lock.quoted.text import FormatError, Given
from cudafit.model.declaration import Chosen, Declaration, FileKind
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.matrix import Source
from cudafit.model.quoted import Quotes
from cudafit.system.parsing import reason

FEEDSTOCK_NAMES = frozenset(one.name for one in FRAMEWORKS if one.feedstock)
_BUILD = re.compile(r"(?:cuda_?(\d{3})|cpu)")
Held = Callable[[str, str], Declaration]
_HERE = ("linux-x86_64", "any")


def _lock(name: str, pattern: str, example: str, held: Held, *, here: bool = True) -> FileKind:
    def read(path: str, text: str) -> Declaration:
        try:
            return held(path, text)
        except (FormatError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"`{path}` cannot be read as a lock: {reason(error)}") from None

    return FileKind(name, pattern, example, here, True, read)


def _of_conda(kind: str, quotes: Callable[[Given], Quotes], wheels: Callable[[str], Iterator[tuple[str, str]]]) -> Held:
    """conda's packages under their Python names, and those from the Python index."""

    def held(path: str, text: str) -> Declaration:
        found = quotes(Given(path, path, text, Source("", "", "lock"), "")).conda
        mine = [one for one in found if one.platform in _HERE]
        rows = [*((main_name(one.package), one.version) for one in mine), *wheels(text)]
        wants = [want for name, version in rows for want in pin(name, version, path)]
        chosen = [
            Chosen(f"cu{match[1]}" if match[1] else "cpu", path, main_name(one.package))
            for one in mine
            if main_name(one.package) in FEEDSTOCK_NAMES and (match := _BUILD.match(one.build))
        ]
        return Declaration(
            path, kind, wanted=tuple(dict.fromkeys(wants)), chosen=tuple(chosen), conda=True, files=(path,)
        )

    return held


def _none(_text: str) -> Iterator[tuple[str, str]]:
    """An explicit list, and conda-lock's, are read for conda's packages alone."""
    yield from ()


LOCKS = (
    _lock("uv.lock", r"(.*[-_.])?uv([-_.].*)?\.lock", "uv.lock", uv.held),
    _lock("poetry.lock", r"poetry([-_.].*)?\.lock", "poetry.lock", poetry.held),
    _lock("pdm.lock", r"pdm([-_.].*)?\.lock", "pdm.lock", pdm.held),
    _lock("pylock", r"pylock(\..*)?\.toml", "pylock.toml", pylock.held),
    _lock("Pipfile.lock", r"pipfile\.lock", "Pipfile.lock", pipfile_lock.held),
    _lock("pixi.lock", r"pixi([-_.].*)?\.lock", "pixi.lock", _of_conda("pixi.lock", pixi.read, pixi.wheels)),
    _lock(
        "conda-lock",
        r"(.*[-_.])?conda-lock([-_.].*)?\.ya?ml",
        "conda-lock.yml",
        _of_conda("conda-lock", conda_lock.read, _none),
    ),
    _lock("explicit", r".*explicit.*\.txt", "explicit.txt", _of_conda("explicit", explicit.read, _none), here=False),
)
