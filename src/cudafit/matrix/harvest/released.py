"""What released packages say that they need, as the index gives it, kept once it was read.

Of a source archive what its packer wrote into it is read; nothing of it is run.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.parser import Parser
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidSdistFilename, parse_sdist_filename
from packaging.version import Version

from cudafit.matrix.harvest.cache import Cache
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.index import Listed, WheelFile, default_index, files, wheels_of
from cudafit.matrix.harvest.remote import RemoteWheel, Traffic
from cudafit.matrix.harvest.source_archive import Archive, read_archive
from cudafit.model.frozen import frozen
from cudafit.system.own_cache import own_cache

_TIMEOUT_S = 20.0
_LIMIT = 4 << 20
_ARCHIVE_LIMIT = 32 << 20
Page = Sequence[Listed]


@frozen
class Needs:
    """The requirements of one version, each in its own words. Of a source archive: whether it tells them, the modules
    that its build imports, and what else the build is to find."""

    version: str
    requires: tuple[str, ...]
    is_told: bool = True
    imports: tuple[str, ...] = ()
    build: tuple[str, ...] = ()


class Released:
    """One index. None where it does not tell."""

    def __init__(self, index: str | None, environ: Mapping[str, str] = os.environ) -> None:
        self._index = index or default_index(environ)
        self._cache = Cache(own_cache(environ, "needs"))
        self._pages: dict[str, Page] = {}
        self._told: dict[str, Needs | None] = {}

    def of(self, name: str, version: str) -> Needs | None:
        """By the wheel of that version."""

        def read(session: requests.Session) -> Archive | None:
            found = wheels_of(name, self._page(name, session))
            file = next((one for one in found if str(one.version) == version), None)
            return None if file is None else Archive(tuple(_of_wheel(file, session)))

        return self._kept(name, version, read)

    def has_newer(self, name: str, specifier: str, version: str) -> bool:
        """Whether a later version is there that is asked for, with wheels or without."""
        page = self._listed(name)
        there = [*(one.version for one in wheels_of(name, page)), *(one for one, _ in _sources(page))]
        allowed = SpecifierSet(specifier)
        return any(one in allowed and one > Version(version) for one in there)

    def pythons_of(self, name: str, version: str, platform: str) -> tuple[str, ...]:
        """Those that its wheels for a platform are for, as the facts write them; none where there is no such wheel."""
        specifier = SpecifierSet(f"=={version}")
        found = [
            wheel
            for wheel in wheels_of(name, self._listed(name))
            if wheel.version in specifier and wheel.platform in (platform, "any")
        ]
        return tuple(dict.fromkeys(python for wheel in found for python in wheel.pythons))

    def of_source(self, name: str, specifier: str) -> Needs | None:
        """By the newest source archive that is asked for and has no wheel beside it."""
        page = self._listed(name)
        built = {one.version for one in wheels_of(name, page)}
        allowed = SpecifierSet(specifier)
        fitting = [one for one in _sources(page) if one[0] in allowed and one[0] not in built]
        if not fitting:
            return None
        version, url = max(fitting)
        return self._kept(name, f"{version} (source, built)", lambda session: _of_source(url, session), str(version))

    def _listed(self, name: str) -> Page:
        """None of its files where the index does not answer."""
        try:
            with Traffic() as traffic:
                return self._page(name, traffic.session())
        except HarvestError:
            return ()

    def _page(self, name: str, session: requests.Session) -> Page:
        if name not in self._pages:
            self._pages[name] = files(name, self._index, session)
        return self._pages[name]

    def _kept(
        self,
        name: str,
        version: str,
        read: Callable[[requests.Session], Archive | None],
        called: str | None = None,
    ) -> Needs | None:
        key = self._key(name, version)
        if key not in self._told:
            self._told[key] = self._read(key, read, called or version)
        return self._told[key]

    def _key(self, name: str, version: str) -> str:
        host = urlsplit(self._index).netloc.rpartition("@")[2]
        return hashlib.sha256("\n".join((host, name, version)).encode()).hexdigest()

    def _read(self, key: str, read: Callable[[requests.Session], Archive | None], called: str) -> Needs | None:
        kept = self._cache.get(key) or {}
        if not isinstance(kept.get("requires"), list):
            try:
                with Traffic() as traffic:
                    found = read(traffic.session())
            except HarvestError:
                return None
            if found is None:
                return None
            kept = {"requires": list(found.requires or ()), "imports": list(found.imports), "build": list(found.build)}
            kept |= {"silent": True} if found.requires is None else {}
            self._cache.put(key, kept)
        requires, imports, build = (tuple(map(str, kept.get(one) or ())) for one in ("requires", "imports", "build"))
        return Needs(called, requires, not kept.get("silent"), imports, build)


def _sources(page: Page) -> Iterator[tuple[Version, str]]:
    for name, url, _ in page:
        try:
            _, version = parse_sdist_filename(name)
        except (InvalidSdistFilename, ValueError):
            continue
        if not version.is_prerelease:
            yield version, url


def _of_wheel(file: WheelFile, session: requests.Session) -> list[str]:
    text = _beside(file.url, session)
    if text is None:
        with RemoteWheel(file, session) as wheel:
            text = wheel.metadata()
    return Parser().parsestr(text, headersonly=True).get_all("Requires-Dist") or []


def _beside(url: str, session: requests.Session) -> str | None:
    """PEP 658: the metadata alone, where the index has it beside the wheel."""
    data = _got(f"{url.partition('#')[0]}.metadata", session, _LIMIT)
    text = data.decode("utf-8", "replace") if data else ""
    return text if text.startswith("Metadata-Version:") else None


def _of_source(url: str, session: requests.Session) -> Archive | None:
    data = _got(url, session, _ARCHIVE_LIMIT)
    return None if data is None else read_archive(data)


def _got(url: str, session: requests.Session, limit: int) -> bytes | None:
    try:
        with session.get(url, timeout=_TIMEOUT_S, stream=True) as answer:
            if answer.status_code != HTTPStatus.OK or int(answer.headers.get("Content-Length") or 0) > limit:
                return None
            data = b""
            for part in answer.iter_content(1 << 16):
                data += part
                if len(data) > limit:
                    return None
            return data
    except (requests.RequestException, ValueError):
        return None
