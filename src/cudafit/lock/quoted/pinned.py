"""What a lock holds, as a declaration: the versions that its tool would install, where no declaration says more."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.errors import InputError
from cudafit.lock.quoted.text import package_of
from cudafit.model.declaration import Source
from cudafit.model.requirement import Wanted, wanted
from cudafit.model.versions import is_version

_LONGEST = 1000  # of a marker that was put together
_NAMES = re.compile(r'(?m)^name = "([^"\n]+)"')


class Lines:
    """On which line of a TOML lock each package begins, in the order in which they stand."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._found: dict[str, list[int]] = {}
        line, end = 1, 0
        for match in _NAMES.finditer(text):
            line += text.count("\n", end, match.start())
            end = match.start()
            self._found.setdefault(match[1], []).append(line)

    def next(self, name: str) -> str:
        """The place of the next package of this name."""
        lines = self._found.get(name)
        return f"{self._path}:{lines.pop(0)}" if lines else self._path


def pin(name: object, version: object, origin: str, marker: str = "") -> Iterator[Wanted]:
    """None for what is no package with a version."""
    package = package_of(name)
    if package is None or not isinstance(version, str) or not is_version(version):
        return
    try:
        yield wanted(f"{package}=={version}" + (f" ; {marker}" if marker else ""), origin)
    except InputError:
        return


def of_index(package: str, url: str, origin: str, marker: str = "") -> Iterator[Source]:
    """Where a package was taken from, which may tell for what it is built."""
    if "://" in url:
        yield Source(package, origin, index=url, marker=marker or None)


def both(outer: str, inner: str) -> str:
    """The marker for a package that is needed under `inner` by one that is under `outer`."""
    if outer and inner and outer != inner:
        joined = f"({outer}) and ({inner})"
        return joined if len(joined) < _LONGEST else inner
    return outer or inner


def either(one: str | None, other: str) -> str:
    """The marker for a package that is needed in two ways; none was known of it before: None."""
    if one is None or one == other:
        return other
    if not one or not other:
        return ""
    joined = f"({one}) or ({other})"
    return joined if len(joined) < _LONGEST else ""


def source_text(row: Mapping[str, Any], *keys: str) -> str:
    source = row.get("source")
    found = (
        next((source[key] for key in keys if isinstance(source.get(key), str)), "") if isinstance(source, dict) else ""
    )
    return str(found)
