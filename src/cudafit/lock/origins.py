"""Whether a lock is installed as it is written, and from where the matrix knows its builds: by the lock alone.

A file's address is compared by its site: scheme, and the host but for its first name, as an index and its files lie on
hosts of one owner. Where that tells nothing, as for the default index, whose address is the user's own affair, nothing
is said here; `listing` asks the index.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from cudafit.indexes import Indexes
from cudafit.lock.integrity import Integrity, Named, listed
from cudafit.lock.order import CONDA, PYTORCH
from cudafit.model.fit import Pick
from cudafit.model.frozen import frozen
from cudafit.system.addresses import without_login
from cudafit.system.secrets import redacted


@frozen
class Origins:
    """Where packages may come from. `known` are the addresses of the matrix, of the mirrors and of the request."""

    default: str | None  # None: the installers' own, which is spelt nowhere
    known: tuple[str, ...]
    picks: Mapping[str, tuple[str, ...]]  # the addresses of a pick's own index: the mirror's, and the matrix's
    channels: tuple[str, ...]

    def may_be_asked(self, address: str) -> bool:
        return plain(address) in {plain(one) for one in (*self.known, *([self.default] if self.default else []))}


def origins_of(
    picks: Iterable[Pick], indexes: Indexes, addresses: Mapping[str, str | None], named: Iterable[str]
) -> Origins:
    """`addresses` are those of the matrix's indexes, `named` those in the request's own files."""
    known = [url for name, url in addresses.items() if url]
    known += [indexes.of(name, url) for name, url in addresses.items() if url]
    own = {
        pick.name: tuple(dict.fromkeys((indexes.of(pick.index_name, pick.index), pick.index)))
        for pick in picks
        if pick.index_name.startswith(PYTORCH)
    }
    channels = [indexes.of(CONDA, CONDA), CONDA]
    if forge := addresses.get(CONDA):
        channels.append(forge)
    return Origins(indexes.default, tuple(dict.fromkeys([*known, *named])), own, tuple(channels))


def plain(address: str) -> str:
    """Without what differs and means the same: user names, a slash at the end, the case of the host."""
    address = without_login(address)
    parts = urlsplit(address)
    if not parts.scheme:
        return address.rstrip("/")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme.lower()}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def site(address: str) -> str:
    """`https://pytorch.org` of `https://download.pytorch.org/whl/cu126`."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    labels = host.split(".")
    if len(labels) > 2 and not labels[-1].isdecimal() and ":" not in host:
        host = ".".join(labels[-3:] if len(labels[-2]) <= 3 and len(labels) > 3 else labels[-2:])
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}"


def origin_problems(lock: Integrity, origins: Origins, *, hashless: bool) -> Iterator[str]:
    """`hashless`: a lock without any hash was asked to be accepted."""
    yield from lock.faults
    if not (lock.bare and hashless) and (names := lock.unproven):
        if lock.bare:
            yield "it has no hashes, so nothing says which files are meant"
        else:
            yield f"it has no hash, or none that proves anything, for {listed(names)}"
    for address in lock.asks:
        if not origins.may_be_asked(address):
            yield f"it asks {redacted(address)}, which neither the matrix nor the request names"
    if lock.first_channel is not None and plain(lock.first_channel) not in set(map(plain, origins.channels)):
        yield f"it takes packages from {redacted(lock.first_channel)} first, and the matrix knows {CONDA}'s"
    for name, source in (lock.sources or {}).items():
        own = origins.picks.get(name)
        if own and (source is None or plain(source) not in set(map(plain, own))):
            there = redacted(source or "no index")
            yield f"`{name}` is to come from {there}, and the matrix knows it from {own[-1]}"


def elsewhere(lock: Integrity, origins: Origins) -> Iterator[tuple[str, str]]:
    """The packages that lie on another site than they should, with that site; by the addresses alone."""
    files = [one for one in lock.files or () if one.url and "://" in one.url]
    if any(one.url and one.url.endswith((".conda", ".tar.bz2")) for one in files):
        yield from _other_channels(files, origins)
        return
    allowed = {site(one) for one in origins.known}
    rest: list[Named] = []
    for one in files:
        own = origins.picks.get(one.package)
        if own is None:
            rest.append(one)
        elif site(one.url or "") not in set(map(site, own)):
            yield one.package, site(one.url or "")
    # What is left comes from the default index, or from one that the request names; files of one index lie together.
    found = Counter(site(one.url or "") for one in rest if site(one.url or "") not in allowed)
    if origins.default and site(origins.default) in found:
        usual = site(origins.default)
    else:
        usual = found.most_common(1)[0][0] if found else ""
    for one in rest:
        if (here := site(one.url or "")) in found and here != usual:
            yield one.package, here


def _other_channels(files: Iterable[Named], origins: Origins) -> Iterator[tuple[str, str]]:
    channels = [plain(one) for one in origins.channels if "://" in one]
    for one in files:
        url = plain(one.url or "")
        if not any(url.startswith(f"{channel}/") for channel in channels):
            yield one.package, redacted((one.url or "").rpartition("/")[0].rpartition("/")[0])
