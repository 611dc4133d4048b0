"""An index on loopback, with wheels made for it, and with the faults that real servers have."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


def wheel(members: Mapping[str, str | bytes], name: str = "torch", version: str = "2.6.0", requires: str = "") -> bytes:
    """A wheel with METADATA and the given members."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/METADATA"), metadata)
    return out.getvalue()


@dataclass
class Index:
    """What is served: package -> file name -> bytes; and which faults it has."""

    packages: dict[str, dict[str, bytes]]
    html: bool = False
    ranges: bool = True
    truncate: set[str] = field(default_factory=set)  # these files are served cut in half
    gone: set[str] = field(default_factory=set)  # these files are listed and not there
    busy: int = 0  # so many file requests are first answered with 503
    no_length: set[str] = field(default_factory=set)  # of these files HEAD is refused
    cut: int = 0  # so many file answers end in the middle, with the connection
    garbage: bool = False  # the pages are no index pages
    login: bool = False  # every page asks who is there
    closed: bool = False  # ... and nothing is given without a login
    prefix: str = "simple"  # the folder of the address
    address: str = ""
    served: list[str] = field(default_factory=list)
    sent: int = 0  # bytes of all answers

    def page(self, package: str) -> tuple[str, bytes]:
        files = self.packages[package]
        if self.garbage:
            return "text/plain", b"\0\xff moved"
        if self.login:
            return "text/html", b'<html><body><form><input name="user"></form><a href="/help">Help</a></body></html>'
        if self.html:
            links = [f'<a href="/files/{n}#sha256={_sha256(c)}">{n}</a>' for n, c in files.items()]
            return "text/html", f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
        listed = [
            {"filename": n, "url": f"/files/{n}", "hashes": {"sha256": _sha256(c)}, "size": len(c)}
            for n, c in files.items()
        ]
        value = {"meta": {"api-version": "1.1"}, "name": package, "versions": [], "files": listed}
        return "application/vnd.pypi.simple.v1+json", json.dumps(value).encode()

    def content(self, name: str) -> bytes | None:
        return next((files[name] for files in self.packages.values() if name in files), None)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    """The index at a loopback address, until the end of the block."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            kind, _, name = unquote(self.path).strip("/").partition("/")
            if index.closed:
                self.answer(401, b"", {"WWW-Authenticate": "Basic realm=x"})
                return
            if kind == index.prefix:
                package = name.strip("/")
                if package not in index.packages:
                    self.answer(404, b"")
                else:
                    content_type, body = index.page(package)
                    self.answer(200, body, {"Content-Type": content_type})
                return
            with lock:
                index.served.append(name)
                index.busy -= 1
                index.cut -= 1
                busy, self.cut = index.busy >= 0, index.cut >= 0
            content = index.content(name)
            if self.command == "HEAD" and name in index.no_length:
                self.answer(405, b"")
                return
            if busy:
                self.answer(503, b"")
            elif content is None or name in index.gone:
                self.answer(404, b"")
            else:
                self.file(content[: len(content) // 2] if name in index.truncate else content)

        do_HEAD = do_GET  # noqa: N815 - named by the library

        def file(self, content: bytes) -> None:
            wanted = self.headers.get("Range")
            if not wanted or not index.ranges:
                self.answer(200, content, {"Accept-Ranges": "bytes"} if index.ranges else None)
                return
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start = int(first) if first else max(0, len(content) - int(last))
            end = min(int(last), len(content) - 1) if first and last else len(content) - 1
            headers = {"Content-Range": f"bytes {start}-{end}/{len(content)}", "Accept-Ranges": "bytes"}
            self.answer(206, content[start : end + 1], headers)

        def answer(self, code: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(code)
            for key, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            with lock:
                index.sent += len(body)
            cut = getattr(self, "cut", False)
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = self.close_connection or cut

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that has what it wanted hangs up; that is no error of the server's."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    index.address = f"http://127.0.0.1:{server.server_address[1]}/{index.prefix}/"
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
