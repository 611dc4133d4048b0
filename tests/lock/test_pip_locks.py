"""requirements.txt and pylock.toml over an index like PyTorch's, with decoys: what is written, and what it installs."""

import json
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.lock.world import World
from tests.older import tomllib

PASCAL = ("--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--glibc", "2.35", "--python", "3.11")
Resolve = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def resolve(cudafit: Run, lock_world: World, folder: Path) -> Resolve:
    """`cudafit resolve` in the small world, in an empty folder."""

    def run(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        given = {**lock_world.env, **(env or {})}
        return cudafit("resolve", *words, "--matrix", str(lock_world.matrix), env=given)

    return run


def written(resolve: Resolve, *words: str) -> str:
    done = resolve(*words, "-o", "requirements.txt")
    assert done.returncode == 0, done.stderr
    return Path("requirements.txt").read_text()


def test_each_package_is_pinned_with_its_hash_and_comes_from_the_right_index(
    resolve: Resolve, lock_world: World
) -> None:
    text = written(resolve, "torch", "numpy<2.1", *PASCAL)
    entries = re.findall(r"^([a-z].*?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M)
    wheel = "torch-2.14.1%2Bcu126-cp311-cp311-manylinux_2_28_x86_64.whl"
    assert [lock_world.masked(name) for name, _ in entries] == [
        "filelock==3.20.0",
        "numpy==2.0.0",
        "nvidia-cudnn-cu12==9.10.2.21",
        f"torch @ http://pytorch.test/files/{wheel}",
    ]
    assert "index-url" not in text
    assert text.startswith("# Written by cudafit ")
    assert "GTX 1080 Ti, sm_61, driver 580.65.06" in text


def test_a_project_in_the_working_folder_that_uv_cannot_read_stops_nothing(resolve: Resolve) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "mine"\ndependencies = ["torch"]\n')
    assert "torch @ http" in written(resolve, "-r", "pyproject.toml", *PASCAL)


def test_pylock_is_uvs_data_below_our_header(resolve: Resolve) -> None:
    done = resolve("torch", *PASCAL, "-o", "pylock.toml")
    assert done.returncode == 0, done.stderr
    value = tomllib.loads(Path("pylock.toml").read_text())
    assert (value["lock-version"], value["created-by"]) == ("1.0", "cudafit")
    by_name = {row["name"]: row for row in value["packages"]}
    assert by_name["torch"]["version"] == "2.14.1+cu126"
    assert [wheel["hashes"].keys() for wheel in by_name["torch"]["wheels"]] == [{"sha256"}]


def pip_for(python: str | Path) -> list[str]:
    """This environment's pip for another one, into which to install pip takes four seconds."""
    return [sys.executable, "-m", "pip", "--python", str(python)]


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels of the small world are for Python 3.11")
@pytest.mark.parametrize("tool", ["pip", "uv pip install", "uv pip sync", "uv pip sync pylock"])
def test_what_is_installed_is_the_right_build_and_not_the_decoy(
    resolve: Resolve, lock_world: World, tmp_path: Path, environ: dict[str, str], tool: str
) -> None:
    assert resolve("torch", "numpy", *PASCAL, "-o", "requirements.txt", "-o", "pylock.toml").returncode == 0
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    env = {**environ, "PIP_INDEX_URL": lock_world.default.address, "UV_DEFAULT_INDEX": lock_world.default.address}
    env.pop("PIP_FIND_LINKS", None)
    uv = [sys.executable, "-m", "uv", "pip"]
    command = {
        "pip": [*pip_for(python), "install", "--require-hashes", "-r", "requirements.txt"],
        "uv pip install": [*uv, "install", "--python", str(python), "-r", "requirements.txt"],
        "uv pip sync": [*uv, "sync", "--python", str(python), "requirements.txt"],
        "uv pip sync pylock": [*uv, "sync", "--python", str(python), "pylock.toml"],
    }[tool]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    code = "import torch, numpy, filelock; print(torch.__version__, hasattr(torch, 'decoy'), numpy.__version__)"
    shown = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert shown.split() == ["2.14.1+cu126", "False", "2.1.0"]


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the wheels of the small world are for Python 3.11")
def test_a_file_that_changed_on_the_index_is_not_installed(
    resolve: Resolve, lock_world: World, tmp_path: Path, environ: dict[str, str]
) -> None:
    text = written(resolve, "torch", *PASCAL)
    Path("requirements.txt").write_text(
        re.sub(r"(torch @ .*\n    --hash=sha256:)[0-9a-f]{64}", r"\g<1>" + "0" * 64, text)
    )
    venv.create(tmp_path / "env", with_pip=False)
    python = str(tmp_path / "env" / "bin" / "python")
    env = {**environ, "PIP_INDEX_URL": lock_world.default.address}
    for command in (
        [*pip_for(python), "install", "-r", "requirements.txt"],
        [sys.executable, "-m", "uv", "pip", "install", "--python", python, "-r", "requirements.txt"],
    ):
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode != 0
        assert "hash" in done.stderr.lower()


def test_the_rest_of_the_request_is_kept_as_it_was_written(resolve: Resolve) -> None:
    Path("r.txt").write_text("numpy<2.1 ; python_version < '3.13'\nfilelock\n-c limits.txt\n")
    Path("limits.txt").write_text("numpy<2\n")
    text = written(resolve, "torch", "-r", "r.txt", *PASCAL)
    assert "numpy==1.26.4" in text


def test_a_package_of_another_index_of_the_user_is_named_by_its_address(resolve: Resolve, lock_world: World) -> None:
    Path("r.txt").write_text(f"--extra-index-url {lock_world.pytorch.address}\ntorch==2.14.1+cu126\nnumpy\n")
    text = lock_world.masked(written(resolve, "-r", "r.txt", *PASCAL))
    assert "torch @ http://pytorch.test/files/torch-2.14.1%2Bcu126" in text
    assert "extra-index-url" not in text


def test_no_secret_of_an_index_is_written(resolve: Resolve, lock_world: World) -> None:
    def secret(address: str) -> str:
        return address.replace("//", "//me:hunter2@")

    env = {
        "UV_DEFAULT_INDEX": secret(lock_world.default.address),
        "CUDAFIT_PYTORCH_INDEX": secret(lock_world.env["CUDAFIT_PYTORCH_INDEX"]),
    }
    done = resolve("torch", *PASCAL, "-o", "requirements.txt", "-o", "pylock.toml", env=env)
    assert done.returncode == 0, done.stderr
    for text in (done.stdout, done.stderr, Path("requirements.txt").read_text(), Path("pylock.toml").read_text()):
        assert "hunter2" not in text


def test_another_target_than_this_machine(resolve: Resolve, lock_world: World) -> None:
    text = written(resolve, "torch", *PASCAL[:-1], "3.12")
    assert "torch-2.14.1%2Bcu126-cp312-cp312-manylinux" in text


def test_offline_writes_pins_and_says_so(resolve: Resolve) -> None:
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "CUDAFIT_PYTORCH_INDEX": "http://127.0.0.1:9"}
    done = resolve("torch", "numpy", *PASCAL, "--offline", "-o", "requirements.txt", env=nowhere)
    assert done.returncode == 0, done.stderr
    text = Path("requirements.txt").read_text()
    assert "written without network: no hashes" in text
    assert text.splitlines()[-3:] == ["--extra-index-url http://127.0.0.1:9/cu126", "torch==2.14.1+cu126", "numpy"]
    done = resolve("torch", *PASCAL, "--offline", "-o", "pylock.toml", env=nowhere)
    assert done.returncode == 2
    assert "leave out `--offline`" in done.stderr


# What cannot be locked, and why.


@pytest.mark.slow
def test_an_index_that_does_not_answer(resolve: Resolve) -> None:
    done = resolve("torch", *PASCAL, "-o", "requirements.txt", env={"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: a package index did not deliver what is needed\n  cause: ")
    assert "127.0.0.1:9" in done.stderr
    assert "--offline" in done.stderr
    assert len(done.stderr.splitlines()) == 4, "one short line, not all that uv says"
    assert not Path("requirements.txt").exists()


def test_a_conflict_below_the_frameworks_names_who_asks_for_what(resolve: Resolve) -> None:
    done = resolve("torch", "needs-old", "numpy>=2", *PASCAL, "-o", "requirements.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: `needs-old` and `numpy>=2` do not go together\n")
    assert "needs-old" in done.stderr
    assert "numpy" in done.stderr
    assert "your-request" not in done.stderr
    assert "hint: " in done.stderr


def test_a_package_that_no_index_has(resolve: Resolve) -> None:
    Path("r.txt").write_text("torch\nfrobnicate-nowhere\n")
    done = resolve("-r", "r.txt", *PASCAL, "-o", "requirements.txt")
    assert done.returncode == 1
    assert "frobnicate-nowhere" in done.stderr


@pytest.mark.parametrize("line", ["-e .", "./local", "git+https://example.org/x.git"])
def test_what_has_no_hash_is_refused(resolve: Resolve, line: str) -> None:
    Path("r.txt").write_text(f"torch\n{line}\n")
    done = resolve("-r", "r.txt", *PASCAL, "-o", "requirements.txt")
    assert done.returncode == 2
    assert f"{line}` cannot be locked" in done.stderr  # a repository is named as it is read: `x @ git+…`


def test_a_file_of_somebody_else_stays(resolve: Resolve) -> None:
    Path("requirements.txt").write_text("numpy\n")
    done = resolve("torch", *PASCAL, "-o", "requirements.txt")
    assert done.returncode == 2
    assert "`requirements.txt` exists, and cudafit did not write it" in done.stderr
    assert Path("requirements.txt").read_text() == "numpy\n"
    assert resolve("torch", *PASCAL, "-o", "requirements.txt", "--force").returncode == 0
    again = resolve("torch", "numpy", *PASCAL, "-o", "requirements.txt")
    assert again.returncode == 0, "cudafit's own file is written again"


def test_nothing_is_written_where_one_file_cannot_be_made(resolve: Resolve) -> None:
    for more in ("nowhere/pylock.toml", "what.xyz", "Dockerfile"):
        outputs = ("-o", "requirements.txt", "-o", more) if more != "Dockerfile" else ("-o", more)
        done = resolve("torch", *PASCAL, *outputs)
        assert done.returncode == 2, more
        assert list(Path().iterdir()) == []


def test_no_fit_writes_nothing(resolve: Resolve) -> None:
    done = resolve("torch==2.15.0", *PASCAL, "-o", "requirements.txt")
    assert done.returncode == 1
    assert list(Path().iterdir()) == []


def test_dry_run_shows_the_difference(resolve: Resolve) -> None:
    done = resolve("torch", *PASCAL, "-o", "requirements.txt", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.startswith("--- /dev/null\n+++ requirements.txt\n")
    assert list(Path().iterdir()) == []


def test_json_names_the_files(resolve: Resolve) -> None:
    done = resolve("torch", *PASCAL, "-o", "requirements.txt", "--json")
    value: dict[str, Any] = json.loads(done.stdout)
    assert value["outputs"] == [{"path": "requirements.txt", "format": "requirements", "packages": 3}]


@pytest.mark.parametrize("option", ["--check", "--dry-run", "--force"])
def test_options_about_files_need_one(resolve: Resolve, option: str) -> None:
    done = resolve("torch", *PASCAL, option)
    assert done.returncode == 2
    assert f"`{option}` is about files" in done.stderr


def test_two_platforms_are_not_one_pip_lock(resolve: Resolve, cudafit: Run) -> None:
    for platform in ("linux-x86_64", "linux-aarch64"):
        done = cudafit("inspect", "--machine", "-", "--save", f"{platform}.json", stdin=snapshot(platform))
        assert done.returncode == 0, done.stderr
    machines = ("--machine", "linux-x86_64.json", "--machine", "linux-aarch64.json")
    done = resolve("numpy", *machines, "-o", "requirements.txt")
    assert done.returncode == 2
    assert "this lock is for one platform" in done.stderr


def snapshot(platform: str) -> str:
    system, _, arch = platform.partition("-")
    return json.dumps(
        {
            "schema": "cudafit.machine/1",
            "os": {
                "system": system,
                "arch": arch,
                "libc": "glibc 2.35",
                "distro": None,
                "wsl": False,
                "container": None,
            },
            "driver": None,
            "gpus": [],
            "problems": [],
        }
    )
