"""`resolve --print`: one line for scripts, and an error where one line cannot say it."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.machine.saved import load
from cudafit.matrix.load import open_matrix
from tests.conftest import Run
from tests.lock.world import DEFAULT, World, wheel, world
from tests.matrix.harvest.server import Index, serving
from tests.pytorch_index import serving_rows

MACHINES = Path(__file__).parents[1] / "machines"
OLD = ("--gpu", "RTX 3060", "--driver", "535.183.01", "--python", "3.12")
NEW = ("--gpu", "A100", "--driver", "580.65.06", "--python", "3.12")
TEN = (
    *("a100x8-535", "b200x2-575", "gh200-560", "gtx1080ti-535", "h100x8-580"),
    *("no-gpu", "rtx4090-550", "rtx5090-570", "v100-535", "wsl2-560"),
)


def line(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n")
    (only,) = done.stdout.splitlines()
    return only


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("torch", "--print", "uv", *OLD), "uv pip install torch==2.14.1+cu126 --torch-backend cu126"),
        (
            ("torch", "--print", "pip", *OLD),
            "pip install torch==2.14.1+cu126 --index-url https://download.pytorch.org/whl/cu126",
        ),
        (
            ("torch", "numpy>=2", "--print", "pip", *OLD, "--offline"),
            "pip install torch==2.14.1+cu126 'numpy>=2' --extra-index-url https://download.pytorch.org/whl/cu126",
        ),
        (("torch", "--print", "pip", *NEW), "pip install torch==2.15.0"),
        (("torch", "--print", "index-url", *OLD), "https://download.pytorch.org/whl/cu126"),
        (("torch", "--print", "index-url", *NEW), "https://download.pytorch.org/whl/cu132"),
        (("torch", "--print", "index-url", *NEW, "--cpu"), "https://download.pytorch.org/whl/cpu"),
        (("torch==2.5.1", "--print", "index-url", *NEW), "https://download.pytorch.org/whl/cu124"),
        (("torch", "numpy", "--print", "requirements", *OLD, "--offline"), "torch==2.14.1+cu126 numpy"),
        (("jax", "--print", "requirements", *NEW), "jax[cuda13]==0.12.0.1"),
        (
            ("torch", "numpy", "--print", "conda", *NEW),
            "conda install -c conda-forge --override-channels python=3.12 'pytorch=2.13.0=cuda130*' numpy",
        ),
    ],
)
def test_one_line_and_nothing_else(cudafit: Run, words: tuple[str, ...], said: str) -> None:
    assert line(cudafit("resolve", *words)) == said


@pytest.mark.parametrize(
    ("words", "code", "error", "hint"),
    [
        (("torch", "tensorflow", "--print", "index-url"), 1, "one index does not have it all", "--print pip"),
        (("torch", "numpy", "--print", "index-url", "--offline"), 1, "`numpy` from the default one", "--print pip"),
        (("jax", "--print", "index-url"), 1, "all from the default index", "extras that bring CUDA"),
        (("torch==99", "--print", "pip", "--offline"), 1, "no build of `torch==99`", "cudafit resolve"),
        (("torch", "--print", "pip", "-o", "requirements.txt"), 2, "one line and nothing else", ""),
        (("torch", "--print", "pip", "--json"), 2, "exclude each other", ""),
        (("torch", "--print", "pip", "--conda"), 2, "`--conda` is not", ""),
        (("--print", "pip"), 2, "nothing was asked for", "cudafit resolve torch"),
    ],
)
def test_what_one_line_cannot_say_is_an_error_and_prints_nothing(
    cudafit: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    error: str,
    hint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cudafit("resolve", *words, *NEW)
    assert (done.returncode, done.stdout) == (code, "")
    assert error in done.stderr
    assert hint in done.stderr


@pytest.mark.parametrize("name", TEN)
def test_the_newest_of_the_index_is_one_that_fits(cudafit: Run, name: str) -> None:
    """As pip takes it where no version is typed: found here anew from the rows."""
    machine = str(MACHINES / f"{name}.json")
    url = line(cudafit("resolve", "torch", "--print", "index-url", "--machine", machine, "--python", "3.12"))
    index = f"pytorch-{url.rpartition('/')[2]}"
    system = load(machine).os
    here = [
        build
        for build in open_matrix().builds("torch")
        if build.index == index and build.platform == f"{system.system}-{system.arch}" and "3.12" in build.pythons
    ]
    newest = max((tuple(map(int, build.version.split("."))), build.variant) for build in here)
    version = ".".join(map(str, newest[0]))
    fits = cudafit("resolve", f"torch=={version}", "--all", "--machine", machine, "--python", "3.12")
    assert any(index in row for row in fits.stdout.splitlines() if row.startswith("fits")), fits.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", TEN)
def test_pip_takes_from_that_index_what_fits(cudafit: Run, name: str, tmp_path: Path) -> None:
    """`pip install torch --index-url $(cudafit resolve torch --print index-url)`, by pip itself."""
    machine = str(MACHINES / f"{name}.json")
    given = load(machine)
    libc = (given.os.libc or "glibc 2.28").partition(" ")[2].split(".")
    newest = min(int(libc[1]), 40)
    tags = [f"manylinux_2_{minor}_{given.os.arch}" for minor in range(newest, 4, -1)]
    with serving_rows(open_matrix()) as base:
        words = ("resolve", "torch", "--machine", machine, "--python", "3.12")
        url = line(cudafit(*words, "--print", "index-url", env={"CUDAFIT_PYTORCH_INDEX": base}))
        report = tmp_path / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-cache-dir", "--no-deps"]
        command += ["--target", str(tmp_path / "t"), "--only-binary", ":all:", "--python-version", "3.12"]
        command += [word for tag in tags for word in ("--platform", tag)]
        command += ["--report", str(report), "torch", "--index-url", url]
        done = subprocess.run(
            command, env={**os.environ, "PIP_CONFIG_FILE": "/dev/null"}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    (got,) = json.loads(report.read_text())["install"]
    version, _, variant = got["metadata"]["version"].partition("+")
    shown = json.loads(cudafit("resolve", f"torch=={version}", "--all", *words[2:], "--json").stdout)
    fitting = {(pick["version"], pick["variant"]) for pick in shown["all"] if pick["name"] == "torch"}
    assert (version, variant or url.rpartition("/")[2]) in fitting


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    needs = {**DEFAULT, "filelock": dict([wheel("filelock", "3.20.0")])}
    with world(tmp_path_factory.mktemp("world")) as made, serving(Index(needs)) as default:
        yield replace(made, default=default)


@pytest.mark.slow
def test_pip_itself_takes_the_line(cudafit: Run, small: World, tmp_path: Path) -> None:
    """Of two indexes, of which the default one has a higher version."""
    pascal = ("--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--python", "3.11", "--matrix", str(small.matrix))
    said = line(cudafit("resolve", "torch", "--print", "pip", *pascal, env=small.env))
    url = line(cudafit("resolve", "torch", "--print", "index-url", *pascal, env=small.env))
    target = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--only-binary", ":all:", "--no-deps"]
    for number, words in enumerate((shlex.split(said)[2:], ["torch", "--index-url", url])):
        folder = tmp_path / str(number)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-cache-dir", "-d", str(folder), *target]
        subprocess.run([*command, *words], check=True, env={**small.env, "PIP_CONFIG_FILE": "/dev/null"})
        assert [path.name.partition("-cp")[0] for path in folder.iterdir()] == ["torch-2.14.1+cu126"]
