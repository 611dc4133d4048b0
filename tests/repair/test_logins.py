"""Indexes and channels that want a login: what is installed comes from them, and the login stays in no file."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.matrix.harvest import server
from tests.repair.conda_world import conda_world
from tests.repair.world import PYTHON, World, world

PASSWORD = "p@ss/Zq7x9"
CODED = "p%40ss%2FZq7x9"
TOKEN = "tk-Zq7x9"
_WANTED = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()


def _held_in(folder: Path) -> list[Path]:
    """The files that tell the password."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != ".netrc"]
    return [path for path in found if any(word in path.read_bytes() for word in (b"Zq7x9", _WANTED[6:].encode()))]


class _Closed(SimpleHTTPRequestHandler):
    """The folder, for whoever logs in; `/t/TOKEN` before the path will do."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith(f"/t/{TOKEN}/"):
            self.path = self.path.removeprefix(f"/t/{TOKEN}")
        elif self.headers.get("Authorization") != _WANTED:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    do_HEAD = do_GET  # noqa: N815 - named by the library


@contextmanager
def _channel(folder: Path) -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Closed, directory=str(folder)))
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()


WAYS: dict[str, Callable[[str], str]] = {
    "login": lambda address: address.replace("//", f"//me:{CODED}@"),
    "token": lambda address: f"{address}/t/{TOKEN}",
    "netrc": lambda address: address,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_channel_that_wants_a_login(way: str, cudafit: Run, environ: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("rattler")
    conda = conda_world(tmp_path)
    home = Path(environ["HOME"])
    if way == "netrc":
        (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    prefix = tmp_path / "prefix"
    with _channel(conda.channel) as address:
        env = {"CUDAFIT_CONDA_CHANNEL": WAYS[way](address)}
        done = cudafit("create", "--prefix", str(prefix), "numpy", "torch", *conda.words, env=env, timeout=120)
        assert done.returncode == 0, done.stderr
        (record,) = prefix.glob("conda-meta/numpy-*.json")
        assert json.loads(record.read_text())["url"].startswith(f"{address}/linux-64/numpy")
    assert _held_in(prefix) == []
    assert _held_in(home) == [], "py-rattler's cache has none either"
    assert "Zq7x9" not in done.stdout + done.stderr


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Both indexes want the login."""

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            kind: Any = self.RequestHandlerClass

            class Handler(kind):  # type: ignore[misc]
                def parse_request(self) -> bool:
                    if not super().parse_request():
                        return False
                    if self.headers.get("Authorization") == _WANTED:
                        return True
                    self.answer(401, b"", {"WWW-Authenticate": "Basic realm=x"})
                    return False

            Handler(request, client_address, self)

    monkeypatch.setattr(server, "ThreadingHTTPServer", Server)
    (tmp_path / "world").mkdir()
    with world(tmp_path / "world") as made:
        yield made


@pytest.mark.slow
def test_an_index_that_wants_a_login(cudafit: Run, closed: World, environ: dict[str, str], tmp_path: Path) -> None:
    env = {name: WAYS["login"](value) if "://" in value else value for name, value in closed.env.items()}
    words = ("torch", "numpy", *closed.words, "--python", PYTHON)
    made = tmp_path / "made"
    done = cudafit("create", f"{made}/", *words, env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    assert _held_in(made) == []
    assert _held_in(Path(environ["HOME"])) == []
    # The same from a lock, which has no login, with the one of the user's own store.
    lock = tmp_path / "requirements.txt"
    done = cudafit("resolve", *words, "-o", str(lock), env=env)
    assert done.returncode == 0, done.stderr
    assert "the login of `127.0.0.1` is not written into files; installers take it from `~/.netrc`" in done.stderr
    assert done.stderr.count(".netrc") == 1
    assert cudafit("resolve", *words, "-o", str(lock), "--check", env=env).returncode == 0
    (Path(environ["HOME"]) / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    plain = {**closed.env, "UV_HTTP_RETRIES": "0"}
    done = cudafit("create", str(tmp_path / "second"), "--from", str(lock), "--python", PYTHON, env=plain, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sign", "/#?")
def test_an_address_that_ends_within_its_password_is_told_so(sign: str, cudafit: Run, tmp_path: Path) -> None:
    env = {"CUDAFIT_PYTORCH_INDEX": f"http://me:p{sign}Zq7x9@127.0.0.1:9/whl"}
    lock = str(tmp_path / "requirements.txt")
    done = cudafit("resolve", "torch", "--gpu", "A100", "--driver", "580", "--offline", "-o", lock, env=env)
    assert done.returncode == 2
    assert "the address of CUDAFIT_PYTORCH_INDEX is broken: http://***@127.0.0.1:9/whl" in done.stderr
    assert f"`{sign}` %{ord(sign):02X}" in done.stderr
    assert "Zq7x9" not in done.stderr


def test_a_pyproject_names_the_variables_of_its_index(cudafit: Run, tmp_path: Path) -> None:
    env = {"CUDAFIT_PYTORCH_INDEX": f"http://me:{CODED}@mirror.example/whl"}
    path = tmp_path / "pyproject.toml"
    words = ("--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--python", "3.12")
    done = cudafit("resolve", "torch", *words, "-o", str(path), env=env)
    assert done.returncode == 0, done.stderr
    assert "Zq7x9" not in done.stdout + done.stderr + path.read_text()
    assert 'url = "http://mirror.example/whl/cu' in path.read_text()
    assert "uv from `UV_INDEX_PYTORCH_CU126_USERNAME` and `UV_INDEX_PYTORCH_CU126_PASSWORD` too" in done.stderr
