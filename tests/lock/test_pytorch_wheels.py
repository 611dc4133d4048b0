"""Locks over an index that lists what real locks quote of PyTorch's: every line names one of those wheels."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from cudafit.matrix.compiled import open_compiled
from cudafit.model.matrix import QuotedWheels, wheel_version
from cudafit.model.wheel_names import wheel_parts
from tests.conftest import Run
from tests.lock.world import wheel
from tests.matrix.harvest.server import Index, serving

GH200 = ("--platform", "linux-aarch64", "--gpu", "GH200", "--driver", "580.65.06", "--glibc", "2.39")
DESKTOP = ("--platform", "linux-x86_64", "--gpu", "RTX 4090", "--driver", "580.65.06", "--glibc", "2.39")


@pytest.fixture(scope="module")
def quoted(compiled: Path) -> list[QuotedWheels]:
    matrix = open_compiled(str(compiled))
    assert matrix is not None
    return list(matrix.facts("wheels").wheels)


@pytest.fixture(scope="module")
def requires(compiled: Path) -> dict[tuple[str, str, str, str], tuple[str, ...]]:
    """What the wheels require, by package, version as in their names, platform and index."""
    matrix = open_compiled(str(compiled))
    assert matrix is not None
    names = ("torch", "torchvision", "torchaudio")
    return {
        (name, wheel_version(build), build.platform, build.index): build.requires
        for name in names
        for build in matrix.builds(name)
    }


@contextmanager
def pytorch(quoted: list[QuotedWheels], requires: Mapping[tuple[str, str, str, str], tuple[str, ...]]) -> Iterator[str]:
    """An index for each variant: its pages tell the names and the hashes, and METADATA lies beside the wheels."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            _, _, index, name, *_ = [*unquote(self.path).split("/"), "", ""]
            rows = [row for row in quoted if row.index == f"pytorch-{index}"]
            if name.endswith(".metadata"):
                body = self.metadata(name.removesuffix(".metadata"), rows)
            else:
                files = [text.rpartition("=") for row in rows if row.package == name for text in row.files]
                body = "".join(
                    f'<a href="/whl/{index}/{file.replace("+", "%2B")}#sha256={sha256}" data-core-metadata="true">'
                    f"{file}</a>\n"
                    for file, _, sha256 in files
                    if sha256 != "-"
                )
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html" if not name.endswith(".metadata") else "text/plain")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def metadata(self, file: str, rows: list[QuotedWheels]) -> str:
            name, version, _, _ = wheel_parts(file)
            row = next(one for one in rows if any(text.startswith(f"{file}=") for text in one.files))
            needs = requires.get((row.package, row.version, row.platform, row.index), ())
            lines = "".join(f"Requires-Dist: {text}\n" for text in needs)
            return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/whl"
    finally:
        server.shutdown()
        server.server_close()


def stubs(requires: Mapping[tuple[str, str, str, str], tuple[str, ...]]) -> dict[str, dict[str, bytes]]:
    """Everything that the wheels pin, empty, on the default index."""
    found: dict[str, dict[str, bytes]] = {}
    for texts in requires.values():
        for text in texts:
            match = re.match(r"([a-z0-9-]+)(?:\[[^\]]*\])?(?:[=~]=([0-9.]+))?", text)
            if match and not match[1].startswith("torch"):
                name, content = wheel(match[1].replace("-", "_"), match[2] or "1.0")
                found.setdefault(match[1], {})[name] = content
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "request_", "index"),
    [
        (GH200, ("torch==2.11.0+cu128", "torchvision", "torchaudio"), "cu128"),  # newer: the default index
        (GH200, ("torch==2.9.1", "torchvision", "torchaudio==2.9.1"), "cu130"),
        (GH200, ("torch==2.9.0", "torchvision"), "cu130"),
        (GH200, ("torch==2.8.0", "torchvision", "torchaudio==2.8.0"), "cu129"),
        (GH200, ("torch==2.7.1", "torchvision", "torchaudio==2.7.1"), "cu128"),
        (GH200, ("torch==2.5.1", "torchvision"), "cu124"),
        (DESKTOP, ("torch==2.9.1", "torchvision", "torchaudio==2.9.1", "--cuda", "13.0"), "cu130"),
        (DESKTOP, ("torch==2.7.1", "torchvision", "--cuda", "12.8"), "cu128"),
    ],
)
def test_every_line_names_a_wheel_that_locks_quote(
    cudafit: Run,
    folder: Path,
    quoted: list[QuotedWheels],
    requires: dict[tuple[str, str, str, str], tuple[str, ...]],
    machine: tuple[str, ...],
    request_: tuple[str, ...],
    index: str,
) -> None:
    known = {text for row in quoted if row.index == f"pytorch-{index}" for text in row.files}
    with serving(Index(stubs(requires))) as default, pytorch(quoted, requires) as base:
        env = {"UV_DEFAULT_INDEX": default.address, "CUDAFIT_PYTORCH_INDEX": base, "UV_NO_CACHE": "1"}
        words = (*request_, *machine, "--python", "3.12")
        done = cudafit("resolve", *words, "-o", "requirements.txt", env=env)
        assert done.returncode == 0, done.stderr
        text = (folder / "requirements.txt").read_text()
        named = re.findall(rf"^(torch\w*) @ {base}/{index}/(\S+) \\\n    --hash=sha256:([0-9a-f]{{64}})$", text, re.M)
        assert {name for name, _, _ in named} == {re.split("==", word)[0] for word in request_ if "torch" in word}
        assert {f"{unquote(file)}={sha256}" for _, file, sha256 in named} <= known
        assert cudafit("resolve", *words, "--check", "-o", "requirements.txt", env=env).returncode == 0
