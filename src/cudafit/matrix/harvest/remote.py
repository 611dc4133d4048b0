"""A wheel on a server, read in parts."""

import lzma
import mmap
import struct
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import requests
from remotezip import RangeNotSupported, RemoteIOError, RemoteZip, RemoteZipError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.index import TIMEOUT_S, WheelFile

# What is inside a wheel is untrusted: no member that is read here has a reason to be larger.
MEMBER_LIMIT = 256 << 20
MAPPED_LIMIT = 6 << 30
WHOLE_LIMIT = 128 << 20
_BLOCK = 1 << 20
_TAIL = 192 << 10  # enough for the central directory of a torch wheel in one request


class Traffic:
    """The sessions of all threads, with what goes over the line; closed together at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[requests.Session | requests.Response] = []
        self.requests = 0
        self.bytes = 0

    def __enter__(self) -> "Traffic":
        return self

    def __exit__(self, *_: object) -> None:
        """A response of which a part was left unread keeps its connection until it is closed."""
        for thing in reversed(self._open):
            thing.close()

    def session(self) -> requests.Session:
        """A session that retries what a busy server refuses for a moment, and counts."""
        session = requests.Session()
        retry = Retry(total=4, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504))
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        session.hooks["response"].append(self._count)
        with self._lock:
            self._open.append(session)
        return session

    def _count(self, response: requests.Response, *_: Any, **__: Any) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += int(response.headers.get("Content-Length") or 0)
            self._open.append(response)


class RemoteWheel:
    """The members of one wheel; raises HarvestError for a server or a file that does not play along."""

    def __init__(self, file: WheelFile, session: requests.Session, *, newest: bool = True) -> None:
        """`newest`: it is of the newest release of its minor version."""
        self.file = file
        self.newest = newest
        self._session = session
        self._zip = self._opened(_TAIL)

    def _opened(self, tail: int) -> RemoteZip:
        try:
            return RemoteZip(self.file.url, session=self._session, initial_buffer_size=tail, timeout=TIMEOUT_S)
        except Exception as error:
            raise HarvestError(self.file.name, _reason(error)) from None

    def fetch_whole(self) -> None:
        """For a small wheel of many libraries: one request in place of one for each."""
        self._zip.close()
        self._zip = self._opened(WHOLE_LIMIT)

    def __enter__(self) -> "RemoteWheel":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        return list(self._zip.namelist())

    def read(self, name: str) -> bytes | None:
        """A member's bytes, its checksum checked; None where there is no such member."""
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            return None
        if info.file_size > MEMBER_LIMIT:
            raise HarvestError(self.file.name, f"`{name}` is larger than {MEMBER_LIMIT >> 20} MiB")
        try:
            data: bytes = self._zip.read(name)
        except Exception as error:
            raise HarvestError(self.file.name, f"`{name}`: {_reason(error)}") from None
        return data

    def packed_size(self, name: str) -> int:
        """What it takes to fetch a member."""
        return int(self._zip.getinfo(name).compress_size)

    @contextmanager
    def mapped(self, name: str) -> Iterator["mmap.mmap | bytes"]:
        """A member of any size, mapped: kernels may take gigabytes of which only the headers are looked at."""
        with tempfile.TemporaryFile() as file:
            size = 0
            try:
                with self._zip.open(name) as packed:
                    while block := packed.read(_BLOCK):
                        size += len(block)
                        if size > MAPPED_LIMIT:
                            raise HarvestError(self.file.name, f"`{name}` is larger than {MAPPED_LIMIT >> 30} GiB")
                        file.write(block)
                file.flush()
            except HarvestError:
                raise
            except Exception as error:
                raise HarvestError(self.file.name, f"`{name}`: {_reason(error)}") from None
            if not size:
                yield b""
                return
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
                yield data

    def text(self, name: str) -> str | None:
        data = self.read(name)
        return None if data is None else data.decode("utf-8", errors="replace")

    def metadata(self) -> str:
        """The METADATA of the one dist-info folder at the top."""
        found = [name for name in self.names if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
        if len(found) != 1:
            raise HarvestError(self.file.name, "no METADATA in it")
        return self.text(found[0]) or ""


# What zipfile and remotezip raise for bytes that are no sound zip file: a wrong checksum, an encrypted member, an
# unknown compression, a name that is no UTF-8, an offset outside the file.
_BROKEN = (
    zipfile.BadZipFile,
    RemoteZipError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)
_NETWORK = (RemoteIOError, requests.RequestException, HTTPError, OSError)


def _reason(error: Exception) -> str:
    """One line for whatever a server, a network or a broken file can do; a bug of ours goes through.

    The text of a network's error is never shown: it holds the file's address, and so the index's password or token.
    """
    if isinstance(error, RangeNotSupported):
        return "the server does not answer range requests"
    if isinstance(error, _NETWORK):
        return f"it cannot be read: {_what_happened(error)}"
    if isinstance(error, _BROKEN):
        return "the file is truncated or no wheel"
    raise error


def _what_happened(error: BaseException) -> str:
    """`HTTP 404`, or the name of the error that lies at the bottom (`ConnectTimeout`)."""
    name = type(error).__name__
    cause: BaseException | None = error
    for _ in range(8):
        if cause is None:
            break
        response = getattr(cause, "response", None)
        if isinstance(response, requests.Response):
            return f"HTTP {response.status_code}"
        name = type(cause).__name__
        if isinstance(cause, requests.RequestException):
            break
        cause = cause.__cause__ or cause.__context__
    return name
