"""A lock compared with what the indexes list: hashes and addresses. Only an index knows which hash is the right one.

Pages are asked for, not files: some kilobytes a package, and the first that is not answered ends it.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cudafit.lock.integrity import Named, listed
from cudafit.lock.origins import Origins, site
from cudafit.model.frozen import frozen
from cudafit.simple_index import NO_PAGE, NoSuchPackageError, everybodys, files_of

if TYPE_CHECKING:
    import requests

_TIMEOUT_S = 8.0
_AT_ONCE = 12
_ARCHIVES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")
_VERSIONS = 4096  # of which it is kept whether they are the same: a release has many files


@frozen
class Listed:
    """A file as its index lists it."""

    url: str
    version: str
    sha256: str | None


Page = Mapping[str, Listed]  # by the names of files


@frozen
class Compared:
    """`answered` are the packages that an index told of; `problems` what it tells otherwise than the lock."""

    answered: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    reason: str | None = None  # why the others were not compared


def compared(files: Sequence[Named], origins: Origins) -> Compared:
    """Of pip's kind."""
    indexes = {one.package: index for one in files if (index := _index_of(one, origins))}
    if not indexes:
        return Compared()
    import requests  # noqa: PLC0415 - only where an index is asked

    first, *rest = indexes
    with requests.Session() as session, ThreadPoolExecutor(_AT_ONCE) as pool:
        pages = {first: _page(first, indexes[first], session)}
        if isinstance(pages[first], str):
            return Compared(reason=str(pages[first]))
        pages |= zip(rest, pool.map(lambda name: _page(name, indexes[name], session), rest), strict=True)
    reason = next((page for page in pages.values() if isinstance(page, str)), None)
    answered = {name: page for name, page in pages.items() if not isinstance(page, str)}
    for name in [name for name, page in answered.items() if not page and _comes_along(name, files, origins)]:
        del answered[name]
    told = [one for one in files if one.package in answered]
    problems = tuple(_problems(told, answered, indexes, origins))
    return Compared(frozenset(answered), problems, reason)


def _index_of(one: Named, origins: Origins) -> str | None:
    """Where a package comes from; None where only its address tells, and of its index no address is known."""
    if own := origins.picks.get(one.package):
        return own[0]
    if one.url and site(one.url) in set(map(site, origins.known)):
        picked = (own[0] for own in origins.picks.values() if site(one.url) in set(map(site, own)))
        return next(picked, None)
    return origins.default or everybodys()


def _comes_along(name: str, files: Sequence[Named], origins: Origins) -> bool:
    """Whether a package was only supposed to be where a pick is."""
    known = set(map(site, origins.known))
    return name not in origins.picks and any(one.url and site(one.url) in known for one in files if one.package == name)


def _page(package: str, index: str, session: "requests.Session") -> Page | str:
    """Its files; or why they are not known."""
    import requests  # noqa: PLC0415

    host = urlsplit(index).hostname or index
    try:
        files = files_of(package, index, session, _TIMEOUT_S)
    except NoSuchPackageError:
        return {}
    except (requests.RequestException, OSError, *NO_PAGE) as error:
        return f"{host} cannot be asked: {type(error).__name__}"
    return {one.name: Listed(one.url, version_in(one.name), one.sha256) for one in files}


def version_in(name: str) -> str:
    """The version that the name of a file holds, unread; empty for what is no wheel, source archive or egg."""
    if name.endswith((".whl", ".egg")):
        parts = name.split("-", 2)
        return parts[1] if len(parts) == 3 else ""
    stem = next((name.removesuffix(end) for end in _ARCHIVES if name.endswith(end)), "")
    return stem.rpartition("-")[2] if "-" in stem else ""


def _problems(
    files: Sequence[Named], pages: Mapping[str, Page], indexes: Mapping[str, str], origins: Origins
) -> Iterator[str]:
    """Each kind in one line, with the packages that it holds for."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in files:
        index = indexes[one.package]
        host = urlsplit(index).hostname or index
        places = (index, *origins.picks.get(one.package, ()))
        for words, place in _differences(one, pages[one.package], places):
            found.setdefault((words, place or host), []).append(one.file or f"{one.package} {one.version}".strip())
    for (words, place), names in found.items():
        yield f"{listed(list(dict.fromkeys(names)))} {words.format(place)}"


def _differences(one: Named, page: Page, places: Sequence[str]) -> Iterator[tuple[str, str]]:
    fitting = [row for name, row in page.items() if _fits(name, row, one)]
    if one.url and site(one.url) not in {*map(site, places), *map(site, {_origin(row.url) for row in page.values()})}:
        yield "would come from {}, which is not where its index has it", site(one.url)
    elif not fitting:
        yield "is not on {}", ""
    digests = [digest for digest in one.hashes if digest.startswith("sha256:")]
    if fitting and all(row.sha256 for row in fitting) and digests:
        known = {f"sha256:{row.sha256}" for row in fitting}
        if not known.issuperset(digests):
            yield ("has another hash on {}" if one.file else "has a hash that no file has on {}"), ""


def _origin(address: str) -> str:
    """Scheme and host: an index lists thousands of files, nearly all of them from one."""
    return "/".join(address.split("/", 3)[:3])


def _fits(name: str, row: Listed, one: Named) -> bool:
    """Whether a listed file is the one that is named, or may be."""
    if one.file or not one.version:
        return name == one.file or not one.file
    return _is_same(row.version, one.version)


@lru_cache(maxsize=_VERSIONS)
def _is_same(listed_version: str, version: str) -> bool:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - only where an index is asked

    try:
        return Version(listed_version) == Version(version)
    except InvalidVersion:
        return listed_version == version
