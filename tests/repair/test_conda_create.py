"""`create` for conda prefixes over a channel on disk: what conda reads of it, hashes, refusals, the way back."""

import hashlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import InputError
from cudafit.repair.engines.conda_link import link
from tests.conftest import Run
from tests.repair.conda_world import CondaWorld, conda_world
from tests.repair.trees import reading
from tests.schemas import validate

pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
Create = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> CondaWorld:
    return conda_world(tmp_path_factory.mktemp("conda"))


@pytest.fixture
def own(tmp_path: Path) -> CondaWorld:
    """A channel that the test may spoil."""
    (tmp_path / "own").mkdir()
    return conda_world(tmp_path / "own")


@pytest.fixture
def create(cudafit: Run, small: CondaWorld) -> Create:
    def run(
        *words: str, world: CondaWorld = small, env: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return cudafit("create", *words, *world.words, env={**world.env, **(env or {})})

    return run


def packages(prefix: Path) -> dict[str, str]:
    """Name -> version and build, as conda reads them: the name of a record must be that of its package."""
    found = {}
    for path in sorted(prefix.glob("conda-meta/*.json")):
        value = json.loads(path.read_text())
        name, version, build = path.stem.rsplit("-", 2)
        assert (value["name"], value["version"], value["build"]) == (name, version, build)
        for key in ("build_number", "channel", "subdir", "fn", "url", "files", "paths_data", "depends", "sha256"):
            assert key in value, f"{path.name} lacks {key}"
        found[name] = f"{version} {build}"
    return found


def intact(prefix: Path) -> None:
    """Every file that a record lists is there with its hash; read here anew, not by the code that is tested."""
    for path in prefix.glob("conda-meta/*.json"):
        for entry in json.loads(path.read_text())["paths_data"]["paths"]:
            content = (prefix / entry["_path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == (entry.get("sha256_in_prefix") or entry["sha256"])


def told(done: "subprocess.CompletedProcess[str]", schema: str = "create-1") -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(done.stdout)
    validate(shown, schema)
    return shown


@pytest.mark.parametrize(
    ("words", "build"), [((), "2.13.0 cuda129_generic_py312_h0_200"), (("--cpu",), "2.13.0 cpu_generic_py312_h0_0")]
)
def test_a_prefix_with_the_build_of_the_driver(
    create: Create, tmp_path: Path, words: tuple[str, ...], build: str
) -> None:
    prefix = tmp_path / "e"
    done = create("--prefix", str(prefix), "torch", "numpy", "--json", *words)
    assert done.returncode == (0 if not words else 1), done.stderr  # a CPU build where a GPU is
    assert told(done)["status"] == "made"
    found = packages(prefix)
    assert found["pytorch"] == build
    assert ("cuda-version" in found) == (not words)
    intact(prefix)
    assert (prefix / "bin/tool").read_text() == f"#!{prefix}/bin/python\n"
    history = (prefix / "conda-meta/history").read_text()
    assert re.search(r"^==> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d <==$", history, re.M)
    assert "# cmd: cudafit create --conda torch numpy" in history
    assert f"::pytorch-{build.replace(' ', '-')}\n" in history
    assert "# update specs: ['python 3.12.*', 'pytorch ==2.13.0 c" in history
    listed = (tmp_path / "home/.conda/environments.txt").read_text().splitlines()
    assert listed == [str(prefix)]
    assert not list(tmp_path.glob(".cudafit-*")), "nothing stays beside it"


def test_by_name_and_found_again_by_name(create: Create, cudafit: Run, small: CondaWorld, tmp_path: Path) -> None:
    done = create("-n", "gpu", "torch")
    assert done.returncode == 0, done.stderr
    prefix = tmp_path / "home/.conda/envs/gpu"
    assert "pytorch" in packages(prefix)
    seen = cudafit("doctor", "--conda", "gpu", "--json", *small.words[:4], *small.words[-2:])
    assert json.loads(seen.stdout)["cause"] is None, seen.stderr
    again = create("-n", "gpu", "torch")
    assert (again.returncode, "it is not touched" in again.stderr) == (2, True)


def test_overrides_are_honoured_and_shown(create: Create, tmp_path: Path) -> None:
    done = create("--prefix", str(tmp_path / "e"), "numpy", "--dry-run", env={"CONDA_OVERRIDE_GLIBC": "2.17"})
    assert done.returncode == 0, done.stderr
    assert "CONDA_OVERRIDE_GLIBC=2.17: __glibc 2.17 in place of __glibc 2.36" in done.stderr
    assert re.search(r"virtual packages: .*__glibc 2\.17, ", done.stderr)
    assert not (tmp_path / "e").exists()


@pytest.mark.slow
def test_a_lock_makes_the_same_prefix_again(create: Create, cudafit: Run, small: CondaWorld, tmp_path: Path) -> None:
    pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
    first = tmp_path / "first"
    assert create("--prefix", str(first), "torch", "numpy").returncode == 0
    locks = [str(tmp_path / name) for name in ("conda-lock.yml", "explicit.txt")]
    words = ("torch", "numpy", *small.words, "-o", locks[0], "-o", locks[1])
    done = cudafit("resolve", *words, env=small.env)
    assert done.returncode == 0, done.stderr
    (tmp_path / "pixi.lock").write_text(_pixi_lock(Path(locks[1])))
    for number, lock in enumerate([*locks, str(tmp_path / "pixi.lock")]):
        prefix = tmp_path / f"e{number}"
        done = create("--prefix", str(prefix), "--from", lock)
        assert done.returncode == 0, done.stderr
        assert packages(prefix) == packages(first)
        intact(prefix)
        hashes = {path.name: json.loads(path.read_text())["sha256"] for path in prefix.glob("conda-meta/*.json")}
        assert hashes == {path.name: json.loads(path.read_text())["sha256"] for path in first.glob("conda-meta/*.json")}


def _pixi_lock(explicit: Path) -> str:
    """As pixi writes it, in JSON, which is YAML too."""
    rows = [line.split("#sha256:") for line in explicit.read_text().splitlines() if "#sha256:" in line]
    environment = {"channels": [], "packages": {"linux-64": [{"conda": url} for url, _ in rows]}}
    listed = [{"conda": url, "sha256": sha256} for url, sha256 in rows]
    return json.dumps({"version": 6, "environments": {"default": environment}, "packages": listed})


@pytest.mark.parametrize("spoil", ["altered", "truncated"])
def test_a_tampered_package_is_refused(create: Create, own: CondaWorld, tmp_path: Path, spoil: str) -> None:
    archive = own.archive("numpy-2.3.0")
    content = archive.read_bytes()
    archive.write_bytes(content + b"x" if spoil == "altered" else content[:200])
    prefix = tmp_path / "e"
    done = create("--prefix", str(prefix), "torch", "numpy", world=own)
    assert done.returncode == 4
    assert "its hash differs, and nothing was linked" in done.stderr
    assert "`numpy-2.3.0-py_0.tar.bz2` has sha256" in done.stderr
    assert not prefix.exists()
    assert not list(tmp_path.glob(".cudafit-*"))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Nothing is written."""


@pytest.fixture
def served(own: CondaWorld) -> Iterator[str]:
    """The channel over HTTP, from loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(own.channel)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_what_is_kept_is_checked_again_and_what_is_served_too(
    create: Create, own: CondaWorld, served: str, tmp_path: Path
) -> None:
    env = {"CUDAFIT_CONDA_CHANNEL": served}
    done = create("--prefix", str(tmp_path / "a"), "torch", world=own, env=env)
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "home/.cache/cudafit/conda").glob("*-numpy-*")
    right = kept.read_bytes()
    kept.write_bytes(right + b"x")
    done = create("--prefix", str(tmp_path / "b"), "torch", world=own, env=env)
    assert done.returncode == 0, done.stderr
    assert kept.read_bytes() == right, "it was fetched anew"
    kept.unlink()
    own.archive("numpy-2.3.0").write_bytes(right + b"x")
    done = create("--prefix", str(tmp_path / "c"), "torch", world=own, env=env)
    assert (done.returncode, "its hash differs" in done.stderr) == (4, True), done.stderr
    assert not (tmp_path / "c").exists()


@pytest.mark.slow
def test_clear_replaces_it_and_rollback_brings_it_back(create: Create, cudafit: Run, tmp_path: Path) -> None:
    prefix = tmp_path / "e"
    assert create("--prefix", str(prefix), "numpy==2.2.0", "rich").returncode == 0
    (prefix / "note").write_text("mine\n")
    before = reading(prefix)
    done = create("--prefix", str(prefix), "numpy", "--clear")
    assert done.returncode == 0, done.stderr
    assert set(packages(prefix)) == {"python", "numpy"}
    assert not (prefix / "note").exists()
    back = cudafit("rollback", str(prefix), "--yes")
    assert back.returncode == 0, back.stderr
    assert reading(prefix) == before


def test_no_solution_is_told_in_words_with_what_solves_it(create: Create, tmp_path: Path) -> None:
    done = create("--prefix", str(tmp_path / "e"), "torch", "numpy==9.9")
    assert done.returncode == 1
    assert "numpy" in done.stderr
    assert "hint: with `numpy` 2.3.0 py_0 in place of `numpy ==9.9` it is solved" in done.stderr
    assert not (tmp_path / "e").exists()


def test_a_channel_that_does_not_answer_is_named_at_once(create: Create, tmp_path: Path) -> None:
    for address, told in (("http://127.0.0.1:9/forge", "no connection to 127.0.0.1, port 9"), ("file:///no", "`/no`")):
        env = {"CUDAFIT_CONDA_CHANNEL": address}
        done = create("--prefix", str(tmp_path / "e"), "torch", env=env)
        assert done.returncode == 1
        assert address in done.stderr
        assert told in done.stderr


def test_without_the_extra_one_line_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    place = str(tmp_path)
    with pytest.raises(InputError) as caught:
        link(place, (), work=place, platform="linux-64", environ={}, lock=None)
    assert caught.value.hint == "`pip install 'cudafit[conda]'`"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--conda", "torch"), "a conda environment needs a name or a folder"),
        (("-n", "a/b", "torch"), "`a/b` is not the name of a conda environment"),
        (("-n", "base", "torch"), "`base` is conda's own environment"),
        (("-n", "x", "--prefix", "y", "torch"), "each name the environment"),
        (("-n", "x", "--from", "no-conda-lock.yml"), "cannot read `no-conda-lock.yml`"),
        (("-n", "x", "--from", "pylock.toml"), "is not called like a conda lock"),
        (("-n", "x", "--from", "explicit.txt", "torch"), "no requirement can be added"),
    ],
)
def test_refusals(create: Create, words: tuple[str, ...], told: str) -> None:
    done = create(*words)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("explicit.txt", "numpy\n", "there is no line `@EXPLICIT`"),
        ("explicit.txt", "@EXPLICIT\nfile:///c/linux-64/a-1-0.conda\n", "has no hash for 1 of its 1 packages"),
        ("explicit.txt", "@EXPLICIT\nfile:///c/win-64/a-1-0.conda#" + "0" * 64 + "\n", "is for win-64"),
        ("explicit.txt", "@EXPLICIT\n", "has no packages for linux-64"),
        ("conda-lock.yml", "package: 3\n", "is no conda lock"),
        ("conda-lock.yml", "]", "is no conda lock"),
        ("pixi.lock", "packages: []\nenvironments: {}\n", "is no conda lock: 'default'"),
    ],
)
def test_locks_that_are_none(create: Create, tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    done = create("--prefix", str(tmp_path / "e"), "--from", str(tmp_path / name))
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not os.path.lexists(tmp_path / "e")
