"""`repair`, `rollback` and `create`, the real commands, over an index on loopback: what works, faults, refusals."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.repair.mounts import mounted
from tests.repair.trees import reading
from tests.repair.world import CUDNN_NEEDED, PYTORCH, World, broken_env, torch, world
from tests.schemas import validate

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def env(tmp_path: Path) -> Path:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (tmp_path / "p").mkdir()
    return broken_env(tmp_path / "p" / ".venv", wheels)


Repair = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def repair(cudafit: Run, small: World) -> Repair:
    def run(*words: str, env: dict[str, str] | None = None, **more: Any) -> "subprocess.CompletedProcess[str]":
        return cudafit("repair", *words, *small.words, env={**small.env, **(env or {})}, **more)

    return run


def told(done: "subprocess.CompletedProcess[str]", schema: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(done.stdout)
    validate(shown, schema)
    return shown


def versions(env: Path) -> dict[str, str]:
    site = next(env.glob("lib/python3*/site-packages"))
    return {one.name.partition("-")[0]: one.name.removesuffix(".dist-info").partition("-")[2]
            for one in site.glob("*.dist-info")}  # fmt: skip


RIGHT = {"torch": "2.14.1+cu126", "nvidia_cudnn_cu12": "9.10.2.21", "numpy": "2.1.0", "rich": "13.9.4"}


def test_the_build_changes_and_nothing_else_and_comes_back(repair: Repair, cudafit: Run, env: Path) -> None:
    before = reading(env)
    planned = told(repair(str(env), "--dry-run", "--json"), "repair-1")
    assert reading(env) == before
    assert planned["status"] == "planned"
    assert [(step["action"], step["package"], step["before"], step["after"]) for step in planned["steps"]] == [
        ("install", "nvidia-cudnn-cu12", None, "9.10.2.21"),
        ("replace", "torch", "2.14.1+cpu", "2.14.1+cu126"),
    ]
    size = sum(step["size"] for step in planned["steps"])
    assert planned["download"] == size > 300_000
    done = told(repair(str(env), "--yes", "--json"), "repair-1")
    assert (done["status"], done["after"]["status"], done["after"]["cause"]) == ("done", "ok", None)
    assert done["after"]["bench"] == "not-verified", "the machine is a snapshot: nothing of it can be run here"
    assert versions(env) == RIGHT
    again = repair(str(env), "--yes")
    assert again.returncode == 0
    assert "nothing to change" in again.stdout
    kept = told(cudafit("rollback", str(env), "--list", "--json"), "rollback-1")
    (only,) = kept["generations"]
    assert only["reason"] == "repair: torch.cpu_wheel"
    back = cudafit("rollback", str(env), "--yes")
    assert back.returncode == 0, back.stderr
    assert reading(env) == before
    forth = cudafit("rollback", str(env), "--yes")
    assert forth.returncode == 0, "a rollback can be undone"
    assert versions(env) == RIGHT


def test_the_screen_is_a_table_with_reasons(repair: Repair, env: Path) -> None:
    shown = repair(str(env), "--dry-run")
    lines = shown.stdout.splitlines()
    assert lines[0] == "repair"
    assert any(line.startswith("torch") and "2.14.1+cpu -> 2.14.1+cu126" in line for line in lines)
    assert any("torch.cpu_wheel" in line for line in lines)
    assert any(line.startswith("download") for line in lines)


def test_bytes_are_those_of_the_changed_wheels_alone(repair: Repair, env: Path, small: World) -> None:
    for index in (small.default, small.pytorch):
        index.served.clear()
    assert repair(str(env), "--yes").returncode == 0
    wheels = {name for index in (small.default, small.pytorch) for name in index.served if name.endswith(".whl")}
    names = {name.split("-")[0] for name in wheels}
    assert names <= {"torch", "nvidia_cudnn_cu12", "numpy", "rich"}
    # HEAD for sizes and METADATA of candidates are asked for; whole files are those that change.
    assert "torch-2.99.0" not in " ".join(wheels)


def test_nobody_is_asked_in_a_pipe(repair: Repair, env: Path) -> None:
    before = reading(env)
    done = repair(str(env))
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert reading(env) == before


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["cut", "truncate", "gone"])
def test_a_download_that_fails_changes_nothing(repair: Repair, env: Path, fault: str, tmp_path: Path) -> None:
    before = reading(env)
    (name,) = PYTORCH["torch"]
    with world(tmp_path / "own") as own:
        if fault == "cut":
            own.pytorch.cut = 1000
        else:
            getattr(own.pytorch, fault).add(name)
        done = repair(str(env), "--yes", *own.words, env={**own.env, "UV_HTTP_RETRIES": "0"})
    assert done.returncode in (1, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "error:" in done.stderr
    assert reading(env) == before


def test_an_index_that_is_not_there_changes_nothing(repair: Repair, env: Path) -> None:
    before = reading(env)
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    done = repair(str(env), "--yes", env=nowhere)
    assert done.returncode == 1
    assert "index did not deliver" in done.stderr
    assert reading(env) == before


def test_what_is_no_environment(repair: Repair, cudafit: Run, tmp_path: Path, small: World) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("plain", "file", "nowhere"):
        for command in ("repair", "rollback"):
            words = small.words if command == "repair" else ()
            done = cudafit(command, str(tmp_path / name), "--yes", *words, env=small.env)
            assert done.returncode in (1, 2), (command, name, done.stderr)
            assert done.stderr.startswith("error:")


def test_a_conda_environment_whose_records_are_broken_is_refused(repair: Repair, tmp_path: Path) -> None:
    (tmp_path / "c/conda-meta").mkdir(parents=True)
    (tmp_path / "c/conda-meta/python-3.12.7-h0.json").write_text("{}")
    done = repair(str(tmp_path / "c"), "--yes")
    assert done.returncode == 2
    assert "conda's records" in done.stderr


@pytest.mark.slow
def test_an_interrupted_repair_is_seen_and_finished(repair: Repair, cudafit: Run, env: Path, small: World) -> None:
    """Killed while uv works; the next commands say so, and repair brings it to its end."""
    before = reading(env)
    killed(env, small, cudafit)
    seen = cudafit("doctor", "--env", str(env), *small.words)
    assert "was interrupted" in seen.stderr
    assert f"cudafit rollback {env}" in seen.stderr
    assert "in the middle of a change" in repair(str(env), "--dry-run").stderr
    done = repair(str(env), "--yes")
    assert done.returncode == 0, done.stderr
    assert "was interrupted" in done.stderr
    assert versions(env) == RIGHT
    assert cudafit("rollback", str(env), "--yes").returncode == 0
    assert reading(env) == before


@pytest.mark.slow
def test_an_interrupted_repair_is_rolled_back(cudafit: Run, env: Path, small: World) -> None:
    before = reading(env)
    killed(env, small, cudafit)
    done = cudafit("rollback", str(env))
    assert done.returncode == 0, done.stderr
    assert reading(env) == before
    assert "nothing to bring back" in cudafit("rollback", str(env), "--yes").stderr


def killed(env: Path, small: World, cudafit: Run) -> None:
    """Ends a repair with SIGKILL, and what it started, once the environment is being changed."""
    journal = env.parent / ".venv.cudafit" / "journal.json"
    command = [sys.executable, "-m", "cudafit", "repair", str(env), "--yes", *small.words]
    with subprocess.Popen(
        command, env={**os.environ, **small.env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and child.poll() is None:
            if journal.exists() and '"apply"' in journal.read_text():
                break
            time.sleep(0.001)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(30)
    assert journal.exists(), "it was too quick to be killed"


@pytest.mark.slow
def test_two_at_once(env: Path, small: World, environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "cudafit", "repair", str(env), "--yes", *small.words]
    given = {**environ, **small.env}
    two = [
        subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [one.communicate(timeout=120) for one in two]
    assert [one.returncode for one in two] == [0, 0], ends
    assert versions(env) == RIGHT
    said = ["nothing to change" in out for out, _ in ends]
    assert sorted(said) == [False, True], ends


@pytest.mark.slow
def test_what_was_changed_while_a_person_thought_is_looked_at_again(
    repair: Repair, env: Path, small: World, environ: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "cudafit", "repair", str(env), *small.words]
    ours, terminal = os.openpty()
    asking = subprocess.Popen(
        command,
        env={**environ, **small.env},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    os.close(terminal)
    with asking, asking.stdout or open(os.devnull, "rb") as out:
        shown = b""
        while b"make these changes?" not in shown:
            read = os.read(out.fileno(), 4096)
            assert read, shown
            shown += read
        assert repair(str(env), "--yes").returncode == 0
        changed = reading(env)
        os.write(ours, b"y\n")
        said = out.read().decode()
    os.close(ours)
    assert asking.returncode == 0, said
    assert "looking at it again" in said
    assert "nothing to change" in said
    assert "installing" not in said
    assert reading(env) == changed


@pytest.mark.slow
def test_create_makes_the_same_from_its_lock(cudafit: Run, small: World, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    words = (*small.words, "--python", python)
    planned = told(
        cudafit("create", str(first), "torch", "rich<14", "--dry-run", "--json", *words, env=small.env), "create-1"
    )
    assert planned["download"] > 300_000
    assert not first.exists()
    done = cudafit("create", str(first), "torch", "rich<14", *words, env=small.env)
    assert done.returncode == 0, done.stderr
    assert "not verified: the environment is for another machine" in done.stdout
    assert versions(first) == {name: version for name, version in RIGHT.items() if name != "numpy"}
    again = cudafit("create", str(second), "--from", str(first / "pylock.cudafit.toml"), *words, env=small.env)
    assert again.returncode == 0, again.stderr
    assert versions(second) == versions(first)
    refused = cudafit("create", str(first), "torch", *words, env=small.env)
    assert refused.returncode == 2
    assert "it is not touched" in refused.stderr
    before = reading(first)
    anew = cudafit("create", str(first), "torch", "--clear", *words, env=small.env)
    assert anew.returncode == 0, anew.stderr
    assert "rich" not in versions(first)
    assert cudafit("rollback", str(first), "--yes").returncode == 0
    assert reading(first) == before


@pytest.mark.slow
def test_a_create_that_fails_leaves_nothing(cudafit: Run, tmp_path: Path) -> None:
    (name,) = PYTORCH["torch"]
    with world(tmp_path / "own") as own:
        own.pytorch.truncate.add(name)
        given = {**own.env, "UV_HTTP_RETRIES": "0"}
        done = cudafit("create", str(tmp_path / "new"), "torch", *own.words, env=given)
    assert done.returncode in (1, 4), done.stderr
    assert not (tmp_path / "new").exists()
    assert [one.name for one in tmp_path.iterdir() if "cudafit" in one.name] == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "nothing was asked for"),
        (("--from", "nowhere.toml"), "cannot read"),
        (("--from", "bad.toml"), "is no pylock"),
        (("--from", "plain.txt"), "has no pins with hashes"),
        (("--python", "3.99", "torch"), "there is no Python 3.99"),
        (("--from", "plain.txt", "torch"), "no requirement can be added"),
    ],
)
def test_what_cannot_be_created(
    cudafit: Run, small: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:
    (tmp_path / "w").mkdir()
    monkeypatch.chdir(tmp_path / "w")
    Path("bad.toml").write_text("x = [")
    Path("plain.txt").write_text("torch==2.14.1\n")
    done = cudafit("create", "./new", *words, *small.words, env=small.env)
    assert done.returncode == 2
    assert error in done.stderr
    assert not Path("new").exists()


@pytest.mark.slow
def test_a_full_disk_is_told_before_and_undone_in_the_middle(
    cudafit: Run, small: World, tmp_path: Path, repair: Repair
) -> None:
    (tmp_path / "wheels").mkdir()
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=8m", "tmpfs") as disk:
        env = broken_env(disk / ".venv", tmp_path / "wheels")
        filler = disk / "filler"
        room = os.statvfs(disk)
        filler.write_bytes(b"x" * (room.f_bavail * room.f_frsize - (200 << 10)))
        before = reading(env)
        told_before = repair(str(env), "--yes")
        assert told_before.returncode == 1
        assert re.search(r"MiB are needed: .* for the snapshot", told_before.stderr)
        assert reading(env) == before
        # The second wheel does not say how large it is, so that only uv finds out.
        filler.unlink()
        with world(tmp_path / "own") as own:
            files = own.pytorch.packages["torch"] = dict(own.pytorch.packages["torch"])
            (name,) = files
            files.update([torch("2.14.1+cu126", "12.6", CUDNN_NEEDED, filling=12 << 20)])
            own.pytorch.no_length = {name}
            done = cudafit("repair", str(env), "--yes", *own.words, env=own.env)
        assert done.returncode == 4, done.stderr
        assert "the disk is full" in done.stderr
        assert reading(env) == before
