"""An index on loopback that is laid out as PyTorch's, and has the wheels that the rows tell of.

A page for each package below each `cuNNN`, and METADATA beside the wheels (PEP 658): pip and uv solve with them.
The wheels themselves are empty.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from cudafit.model.matrix import Build, wheel_version
from cudafit.resolve.problem import Book
from tests.lock.world import wheel

NAMES = ("torch", "torchvision", "torchaudio")


def files_of(build: Build) -> Iterator[str]:
    """The names of its wheels."""
    for python in build.pythons:
        tag = f"cp{python.replace('.', '').rstrip('t+')}"
        abi = "abi3" if python.endswith("+") else f"{tag}t" if python.endswith("t") else tag
        for platform in build.tags:
            yield f"{build.name}-{wheel_version(build)}-{tag}-{abi}-{platform}.whl"


@contextmanager
def serving_rows(book: Book) -> Iterator[str]:
    """The address above `cu126` and the others."""
    pages: dict[tuple[str, str], dict[str, Build]] = {}
    for name in NAMES:
        for build in book.builds(name):
            if build.index.startswith("pytorch-"):
                listed = pages.setdefault((build.index.removeprefix("pytorch-"), name), {})
                listed.update(dict.fromkeys(files_of(build), build))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            _, _, index, name, *rest = [*unquote(self.path).split("/"), "", ""]
            listed = pages.get((index, name), {})
            file = (rest[0] if rest else "").removesuffix(".metadata")
            if file in listed:
                body = _metadata(listed[file]) if rest[0].endswith(".metadata") else _wheel(file, listed[file])
            else:
                body = "".join(_link(file, build) for file, build in listed.items()).encode() if not file else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/octet-stream" if file else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/whl"
    finally:
        server.shutdown()
        server.server_close()


def _link(file: str, build: Build) -> str:
    sha256 = hashlib.sha256(_wheel(file, build)).hexdigest()
    return f'<a href="{file.replace("+", "%2B")}#sha256={sha256}" data-core-metadata="true">{file}</a><br/>\n'


def _needs(build: Build) -> str:
    return "\n".join(f"Requires-Dist: {text}" for text in build.requires)


@cache
def _wheel(file: str, build: Build) -> bytes:
    tag = "-".join(file.removesuffix(".whl").split("-")[2:])
    return wheel(build.name, wheel_version(build), tag, _needs(build))[1]


def _metadata(build: Build) -> bytes:
    return f"Metadata-Version: 2.1\nName: {build.name}\nVersion: {wheel_version(build)}\n{_needs(build)}\n".encode()
