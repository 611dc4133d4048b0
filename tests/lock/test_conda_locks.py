"""conda's files over a channel on disk that is built like conda-forge's: right builds, read back, installed."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cudafit.conda.solver import Question, Record, solve
from cudafit.errors import CudafitError
from cudafit.indexes import Indexes
from cudafit.lock.conda_lock_yml import conda_lock_text
from cudafit.lock.conda_solve import solved
from cudafit.lock.order import Order
from cudafit.model.fit import MatrixVersion, Pick, Resolution, Target
from tests.conftest import Run
from tests.lock.test_pip_locks import snapshot

rattler = pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
Resolve = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def resolve(conda_resolve: Resolve) -> Resolve:
    return conda_resolve


def locked(path: str) -> dict[str, str]:
    """Package -> file name, in a conda-lock.yml of one platform."""
    value = yaml.safe_load(Path(path).read_text())
    return {row["name"]: row["url"].rpartition("/")[2] for row in value["package"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "build", "cuda"),
    [
        (("--cpu", "--platform", "linux-x86_64"), "pytorch-2.13.0-cpu_generic", None),
        (("--gpu", "A100", "--driver", "470.256.02"), None, None),  # CUDA 11: no build
        (("--gpu", "A100", "--driver", "550.54.15"), "pytorch-2.13.0-cuda129", "12.9"),  # 12.4, by minor version
        (("--gpu", "A100", "--driver", "560.35.03"), "pytorch-2.13.0-cuda126", "12.6"),  # native
        (("--gpu", "A100", "--driver", "570.124.06"), "pytorch-2.13.0-cuda126", "12.6"),
        (("--gpu", "A100", "--driver", "580.65.06"), "pytorch-2.13.0-cuda130", "13.0"),
        (("--gpu", "GTX 1080 Ti", "--driver", "580.65.06"), "pytorch-2.13.0-cuda129", "12.9"),  # no cuda130 for sm_61
    ],
)
def test_the_right_build_for_each_driver(
    resolve: Resolve, machine: tuple[str, ...], build: str | None, cuda: str | None
) -> None:
    done = resolve("torch", "numpy", *machine, "-o", "conda-lock.yml", "-o", "explicit.txt")
    if build is None:
        assert done.returncode == 1
        assert list(Path().iterdir()) == []
        return
    assert done.returncode == 0, done.stderr
    found = locked("conda-lock.yml")
    assert found["pytorch"].startswith(build)
    assert "numpy" in found
    assert found.get("cuda-version") == (f"cuda-version-{cuda}-h0.tar.bz2" if cuda else None)
    lines = Path("explicit.txt").read_text().splitlines()
    urls = lines[lines.index("@EXPLICIT") + 1 :]
    assert sorted(url.rpartition("/")[2].partition("#")[0] for url in urls) == sorted(found.values())
    assert all(re.search(r"#sha256:[0-9a-f]{64}$", url) for url in urls)


def test_the_lock_is_installed_into_a_prefix(resolve: Resolve, tmp_path: Path) -> None:
    words = ("torch", "--gpu", "A100", "--driver", "580.65.06")
    assert resolve(*words, "-o", "conda-lock.yml").returncode == 0
    rows = yaml.safe_load(Path("conda-lock.yml").read_text())["package"]
    prefix = tmp_path / "prefix"
    program = tmp_path / "install.py"
    program.write_text(INSTALL)
    done = subprocess.run(
        [sys.executable, program, str(prefix), json.dumps(rows)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "installed" in done.stdout, done.stderr
    metadata = [json.loads(path.read_text()) for path in (prefix / "conda-meta").glob("*.json")]
    assert {(row["name"], row["version"]) for row in metadata} == {(row["name"], row["version"]) for row in rows}
    assert (prefix / "share" / "pytorch.txt").read_text() == "pytorch 2.13.0 cuda130_generic_py312_h0_200\n"


# Every package of the lock by its address, checked against its sha256, linked by py-rattler.
INSTALL = """
import asyncio, json, os, sys
import rattler
async def main():
    rows = json.loads(sys.argv[2])
    channel = rows[0]["url"].rpartition("/")[0].rpartition("/")[0]
    specs = []
    for row in rows:
        version, build = row["url"].rpartition("/")[2].removesuffix(".tar.bz2").rsplit("-", 2)[1:]
        specs.append(f"{row['name']} =={version} {build}")
    cuda = rattler.GenericVirtualPackage(
        rattler.PackageName("__cuda"), rattler.Version("13.0"), rattler.BuildString("0"))
    records = await rattler.solve(
        sources=[channel], specs=specs, platforms=["linux-64", "noarch"], virtual_packages=[cuda])
    by_url = {row["url"]: row["hash"]["sha256"] for row in rows}
    assert {record.url: record.sha256.hex() for record in records} == by_url
    await rattler.install(records, target_prefix=sys.argv[1], show_progress=False)
    print("installed", flush=True)
asyncio.run(main())
os._exit(0)
"""


def order_of(channel: str, cuda: str | None = "12.9", targets: tuple[Target, ...] | None = None) -> Order:
    picks = (
        Pick("torch", "2.13.0", "cu129", cuda, None, "pytorch=2.13.0=cuda129*", "x", "minor", (), (), "conda-forge"),
    )
    resolution = Resolution("fit", "3.12", picks, (), (), MatrixVersion("2026.1.1"))
    given = targets or (Target("linux-x86_64", "glibc 2.35", "12.4"),)
    return Order(
        resolution=resolution.__class__(**{**_fields(resolution), "targets": given}),
        wanted=(),
        command=("cudafit", "resolve", "torch"),
        cudafit="0",
        indexes=Indexes(conda=channel),
    )


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_hook_and_shim_write_the_same_lock(channel: str) -> None:
    order = order_of(channel)
    answer = solved(order)
    hook, count = conda_lock_text(order, answer, "conda-lock.yml")
    shim, _ = conda_lock_text(order, answer, "conda-lock.yml", shim=True)
    assert hook == shim
    assert count == len(yaml.safe_load(hook)["package"])


def test_several_platforms_are_in_one_lock(channel: str) -> None:
    targets = (Target("linux-x86_64", "glibc 2.35", "12.4"), Target("linux-aarch64", "glibc 2.35", "12.9"))
    order = order_of(channel, targets=targets)
    text, _ = conda_lock_text(order, solved(order), "conda-lock.yml")
    value = yaml.safe_load(text)
    assert value["metadata"]["platforms"] == ["linux-64", "linux-aarch64"]
    urls = {row["platform"]: row["url"] for row in value["package"] if row["name"] == "pytorch"}
    assert "/linux-64/pytorch-2.13.0-cuda129" in urls["linux-64"]
    assert "/linux-aarch64/pytorch-2.13.0-cuda129" in urls["linux-aarch64"]


def ask(channel: str, *specs: str, cuda: str | None = "12.4") -> list[Record]:
    virtual = (("__unix", "0"), ("__linux", "5.10"), ("__glibc", "2.35"), *([("__cuda", cuda)] if cuda else []))
    (records,) = solve([Question((channel,), "linux-64", specs, virtual)])
    return records


def test_the_cap_alone_is_not_enough(channel: str) -> None:
    """Why the build string is asked for: without it a solver that may not take a CUDA build takes the CPU's."""
    builds = {record.name: record.build for record in ask(channel, "pytorch", "cuda-version 12.4.*")}
    assert builds["pytorch"].startswith("cpu")
    with pytest.raises(CudafitError, match="do not go together"):
        ask(channel, "pytorch * cuda*", "cuda-version 12.4.*")


def test_without_a_driver_no_cuda_build_is_taken(channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "13.0")  # of this machine, which is not the target
    builds = {record.name: record.build for record in ask(channel, "pytorch", cuda=None)}
    assert builds["pytorch"].startswith("cpu")


@pytest.mark.slow
def test_a_hundred_starts_end_well(channel: str) -> None:
    """py-rattler's threads may take the process with them when it ends; the answer is read by then."""
    for _ in range(100):
        assert [record.name for record in ask(channel, "filelock", "python 3.12.*")]


# What cannot be solved, and why.


def test_a_channel_that_is_not_there(resolve: Resolve, tmp_path: Path) -> None:
    words = ("torch", "--gpu", "A100", "--driver", "580.65.06", "-o", "conda-lock.yml")
    for address in ((tmp_path / "nowhere").as_uri(), "http://127.0.0.1:9/channel"):
        done = resolve(*words, env={"CUDAFIT_CONDA_CHANNEL": address})
        assert done.returncode == 1, address
        assert address in done.stderr
        assert "CUDAFIT_CONDA_CHANNEL" in done.stderr
        assert list(Path().iterdir()) == []


def test_a_package_that_the_channel_does_not_have(resolve: Resolve) -> None:
    done = resolve("torch", "frobnicate", "--gpu", "A100", "--driver", "580.65.06", "-o", "conda-lock.yml")
    assert done.returncode == 1
    assert "conda's packages do not go together on linux-64" in done.stderr
    assert "frobnicate" in done.stderr


def test_a_secret_of_the_channel_is_not_shown(resolve: Resolve) -> None:
    words = ("torch", "--gpu", "A100", "--driver", "580.65.06", "-o", "conda-lock.yml")
    done = resolve(*words, env={"CUDAFIT_CONDA_CHANNEL": "http://me:hunter2@127.0.0.1:9/channel"})
    assert done.returncode == 1
    assert "hunter2" not in done.stderr


def test_environment_and_pixi_parse_and_name_the_build(resolve: Resolve) -> None:
    words = ("torch", "numpy>=2", "frobnicate", "--gpu", "A100", "--driver", "550.54.15")
    done = resolve(*words, "-o", "environment.yml", "-o", "pixi.toml")
    assert done.returncode == 0, done.stderr
    entries = yaml.safe_load(Path("environment.yml").read_text())["dependencies"]
    assert entries[:4] == ["python=3.12", "pytorch=2.13.0=cuda129*", "cuda-version=12.9", "numpy>=2"]
    assert entries[4:] == ["pip", {"pip": ["frobnicate"]}]
    for entry in entries[:5]:
        assert rattler.MatchSpec(entry)
    assert "the driver knows CUDA 12.4: by minor-version compatibility" in Path("environment.yml").read_text()


def test_the_environment_file_solves_to_what_the_lock_holds(resolve: Resolve, channel: str) -> None:
    words = ("torch", "numpy", "--gpu", "A100", "--driver", "550.54.15")
    assert resolve(*words, "-o", "environment.yml", "-o", "conda-lock.yml").returncode == 0
    entries = yaml.safe_load(Path("environment.yml").read_text())["dependencies"]
    found = {record.name: record.file_name for record in ask(channel, *entries)}
    assert found == locked("conda-lock.yml")


def test_machines_of_two_platforms_make_one_conda_lock(resolve: Resolve, cudafit: Run) -> None:
    for platform in ("linux-x86_64", "linux-aarch64"):
        Path(f"{platform}.json").write_text(snapshot(platform))
    machines = ("--machine", "linux-x86_64.json", "--machine", "linux-aarch64.json")
    done = resolve("torch", *machines, "-o", "conda-lock.yml")
    assert done.returncode == 0, done.stderr
    value = yaml.safe_load(Path("conda-lock.yml").read_text())
    assert value["metadata"]["platforms"] == ["linux-64", "linux-aarch64"]


def test_the_library_is_asked_in_a_process_of_its_own() -> None:
    code = "import sys, cudafit.conda.solver, cudafit.lock.conda_solve; print('rattler' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
    assert asyncio.iscoroutinefunction(rattler.solve)
