"""`--check`: a fresh lock fits, and does not when the machine or the request changed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.lock.formats import Format, format_of
from cudafit.lock.held import read_lock
from tests.conftest import Run
from tests.lock.channel import make
from tests.lock.every_format import READ, needs_conda
from tests.lock.world import World

TURING = ("--gpu", "A100", "--glibc", "2.35", "--python", "3.12")
NEW, OLD = ("--driver", "580.65.06"), ("--driver", "450.51.06")
Resolve = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def resolve(cudafit: Run, lock_world: World, tmp_path: Path, folder: Path) -> Resolve:
    channel = make(tmp_path / "channel")

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        env = {**lock_world.env, "CUDAFIT_CONDA_CHANNEL": channel}
        return cudafit("resolve", *words, "--matrix", str(lock_world.matrix), env=env)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("form", READ, ids=[one.name for one in READ])
def test_fresh_and_after_the_driver_changed(resolve: Resolve, form: Format) -> None:
    name = form.example
    if needs_conda(form):
        pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
    assert resolve("torch", "numpy", *TURING, *NEW, "-o", name).returncode == 0
    before = Path(name).read_text()
    fresh = resolve("torch", "numpy", *TURING, *NEW, "--check", "-o", name)
    assert (fresh.returncode, fresh.stdout) == (0, f"{name} fits\n")
    changed = resolve("torch", "numpy", *TURING, *OLD, "--check", "-o", name)
    assert changed.returncode == 1
    assert f"`{name}` does not fit" in changed.stderr
    assert "driver" in changed.stderr
    assert Path(name).read_text() == before


def test_a_changed_request(resolve: Resolve) -> None:
    assert resolve("torch", "numpy", *TURING, *NEW, "-o", "requirements.txt").returncode == 0
    check = (*TURING, *NEW, "--check", "-o", "requirements.txt")
    for words, told in (
        (("torch==2.14.1", "numpy"), "torch"),
        (("torch", "numpy<2"), "it holds numpy 2.1.0, and `numpy<2` is wanted"),
        (("torch", "numpy", "filelock"), "it does not hold `filelock`"),
    ):
        done = resolve(*words, *check)
        assert done.returncode == 1, words
        assert told in done.stderr
    assert resolve("torch>=2", "numpy>=2", *check).returncode == 0


def test_the_build_counts_and_not_only_the_version(resolve: Resolve) -> None:
    pascal = ("--gpu", "GTX 1080 Ti", "--glibc", "2.35", "--python", "3.12", *NEW)
    assert resolve("torch", *pascal, "-o", "requirements.txt").returncode == 0
    assert resolve("torch", *pascal, "--check", "-o", "requirements.txt").returncode == 0
    text = Path("requirements.txt").read_text()
    Path("requirements.txt").write_text(text.replace("%2Bcu126", "%2Bcpu"))
    done = resolve("torch", *pascal, "--check", "-o", "requirements.txt")
    assert done.returncode == 1
    assert "torch" in done.stderr


def test_another_platform(resolve: Resolve) -> None:
    assert resolve("numpy", *TURING, *NEW, "-o", "requirements.txt").returncode == 0
    done = resolve("numpy", *TURING, *NEW, "--platform", "linux-aarch64", "--check", "-o", "requirements.txt")
    assert done.returncode == 1
    assert "it was written for linux-x86_64, and this is linux-aarch64" in done.stderr


def test_json(resolve: Resolve) -> None:
    assert resolve("torch", *TURING, *NEW, "-o", "requirements.txt").returncode == 0
    done = resolve("torch", *TURING, *OLD, "--check", "--json", "-o", "requirements.txt")
    (check,) = json.loads(done.stdout)["checks"]
    assert (done.returncode, check["path"], check["fits"]) == (1, "requirements.txt", False)
    assert check["problems"]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("requirements.txt", None, "does not exist"),
        ("Dockerfile", "FROM x\n", "names no builds"),
        ("pylock.toml", "packages = 3", "cannot be read as pylock"),
        ("pylock.toml", "[", "cannot be read as pylock"),
        ("requirements.txt", "torch=>1\n", "cannot be read as requirements"),
        ("environment.yml", "- a\n", "cannot be read as environment"),
        ("environment.yml", "a: [\n", "cannot be read as environment"),
        ("conda-lock.yml", "package:\n- {manager: conda, url: x}\n", "cannot be read as conda-lock"),
        ("explicit.txt", "https://example.org/x-1-0.conda\n", "@EXPLICIT"),
        ("pixi.toml", "x = 1\n", "cannot be read as pixi"),
        ("pyproject.toml", "[project]\n", "cannot be read as pyproject"),
    ],
)
def test_what_is_no_lock(folder: Path, name: str, text: str | None, error: str) -> None:
    if text is not None:
        Path(name).write_text(text)
    with pytest.raises(InputError, match=error):
        read_lock(name, format_of(name))


def test_names_and_builds_of_conda_are_read_back(folder: Path) -> None:
    Path("explicit.txt").write_text(
        "# platform: linux-64\n@EXPLICIT\nhttps://e.org/linux-64/pytorch-2.13.0-cuda129_mkl_h0_0.conda#sha256:00\n"
        "file:///c/noarch/cuda-version-12.9-h0.tar.bz2\n"
    )
    held = read_lock("explicit.txt", format_of("explicit.txt"))
    assert held.versions == {"torch": "2.13.0=cuda129_mkl_h0_0", "cuda-version": "12.9=h0"}
    assert held.complete
