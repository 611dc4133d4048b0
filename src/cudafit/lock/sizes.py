"""How many bytes an installer would download for each package, by asking the index's servers for the lengths."""

import os
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from cudafit.errors import CudafitError
from cudafit.lock.order import Order
from cudafit.lock.requirements_txt import wheel_of
from cudafit.lock.uv import File, Package

_TIMEOUT_S = 10.0
_AT_ONCE = 16


def sizes_of(packages: Sequence[Package], order: Order) -> dict[str, int | None]:
    """By package; None where the server does not tell."""
    files = {one.name: file_of(one, order) for one in packages}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        lengths = pool.map(lambda file: _length(file.url) if file else None, files.values())
        return dict(zip(files, lengths, strict=True))


def file_of(package: Package, order: Order) -> File | None:
    """The file that an installer on the target takes."""
    if package.archive:
        return package.archive
    try:
        return wheel_of(package, order)
    except CudafitError:
        return package.sdist


def _length(url: str) -> int | None:
    if url.startswith("file://"):
        try:
            return os.stat(urllib.request.url2pathname(url.removeprefix("file://"))).st_size
        except OSError:
            return None
    import requests  # noqa: PLC0415 - it takes longer to load than to ask

    try:
        answer = requests.head(url, timeout=_TIMEOUT_S, allow_redirects=True)
        return int(answer.headers["Content-Length"]) if answer.ok else None
    except (requests.RequestException, KeyError, ValueError):
        return None
