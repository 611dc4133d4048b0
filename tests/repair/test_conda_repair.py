"""`repair` and `rollback` for conda prefixes over a channel on disk: each way in which they break, and the way back."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.repair.conda_world import SITE, CondaWorld, conda_world, dist_info, torch_files
from tests.repair.test_conda_create import intact, packages, told
from tests.repair.trees import reading

pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
Repair = Callable[..., "subprocess.CompletedProcess[str]"]
CUDA = "2.13.0 cuda129_generic_py312_h0_200"
CPU = "2.13.0 cpu_generic_py312_h0_0"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> CondaWorld:
    return conda_world(tmp_path_factory.mktemp("conda"))


@pytest.fixture
def repair(cudafit: Run, small: CondaWorld) -> Repair:
    """On a machine with a driver for CUDA 12.4."""

    def run(*words: str, world: CondaWorld = small, env: dict[str, str] | None = None) -> Any:
        machine = (*world.words[:4], *world.words[-2:])
        return cudafit("repair", *words, *machine, env={**world.env, **(env or {})})

    return run


@pytest.fixture
def made(cudafit: Run, small: CondaWorld, tmp_path: Path) -> Callable[..., Path]:
    """A prefix that `create` made, in a folder of environments that a name is looked up in."""

    def make(*words: str, name: str = "e") -> Path:
        prefix = tmp_path / "home/.conda/envs" / name
        done = cudafit("create", "-n", name, *words, *small.words, env=small.env)
        assert done.returncode in (0, 1), done.stderr
        return prefix

    return make


def pip_installs_torch(prefix: Path, version: str = "2.12.0") -> None:
    """As pip does it over conda's: its files and its dist-info go, the wheel's come."""
    for path in sorted(prefix.glob(f"{SITE}/torch-*.dist-info/*")):
        path.unlink()
    for path in prefix.glob(f"{SITE}/torch-*.dist-info"):
        path.rmdir()
    (prefix / SITE / "torch/lib/libtorch_cuda.so").unlink(missing_ok=True)
    files = {**torch_files(version, None), **dist_info("torch", version, "pip")}
    files[f"{SITE}/torch/only_of_the_wheel.py"] = b""
    for name, content in files.items():
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_bytes(content)
    rows = "".join(f"{name.removeprefix(SITE + '/')},,\n" for name in files) + f"torch-{version}.dist-info/RECORD,,\n"
    (prefix / SITE / f"torch-{version}.dist-info/RECORD").write_text(rows)


def steps(done: "subprocess.CompletedProcess[str]") -> list[tuple[str, str, str | None, str | None]]:
    shown = told(done, "repair-1")
    return [(step["action"], step["package"], step["before"], step["after"]) for step in shown["steps"]]


def back(cudafit: Run, prefix: Path) -> None:
    done = cudafit("rollback", "--conda", prefix.name, "--yes")
    assert done.returncode == 0, done.stderr


def test_a_cpu_build_becomes_the_build_of_the_driver(
    repair: Repair, cudafit: Run, small: CondaWorld, made: Callable[..., Path]
) -> None:
    prefix = made("torch", "numpy==2.2.0", "rich==13.9.4", "--cpu")
    had, before = packages(prefix), reading(prefix)
    assert had["pytorch"] == CPU
    found = cudafit("doctor", "--conda", "e", *small.words[:4], "--matrix", str(small.matrix), "--json", env=small.env)
    assert json.loads(found.stdout)["repair"] == ["cudafit", "repair", str(prefix)]
    planned = repair("--conda", "e", "--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    assert reading(prefix) == before
    done = repair("--conda", "e", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert steps(done) == steps(planned)
    assert set(steps(done)) == {
        ("replace", "pytorch", CPU, CUDA),
        ("install", "cuda-version", None, "12.9 h0"),
        ("install", "cudnn", None, "9.129 h0"),
    }
    now = packages(prefix)
    assert {name: now[name] for name in had if name != "pytorch"} == {
        name: had[name] for name in had if name != "pytorch"
    }
    intact(prefix)
    history = (prefix / "conda-meta/history").read_text()
    assert "# cmd: cudafit repair\n" in history
    assert f"-{json.loads(next(prefix.glob('conda-meta/numpy*.json')).read_text())['channel'].rstrip('/')}" in history
    again = repair(str(prefix), "--yes")
    assert (again.returncode, "nothing to change" in again.stdout) == (0, True), again.stderr
    back(cudafit, prefix)
    assert reading(prefix) == before


@pytest.mark.slow
def test_altered_and_missing_files(repair: Repair, cudafit: Run, made: Callable[..., Path]) -> None:
    prefix = made("torch", "rich")
    right = reading(prefix)
    library = prefix / SITE / "torch/lib/libtorch_cuda.so"
    size = library.stat().st_size
    library.write_bytes(b"x" * size)  # of the same size: only the hash tells
    (prefix / SITE / "torch/version.py").unlink()
    broken = reading(prefix)
    done = repair("--conda", "e", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert steps(done) == [("reinstall", "pytorch", CUDA, CUDA)]
    intact(prefix)
    assert set(reading(prefix)) == set(right)
    back(cudafit, prefix)
    assert reading(prefix) == broken
    (prefix / SITE / "torch/version.py").write_bytes(torch_files("2.13.0", "12.9")[f"{SITE}/torch/version.py"])
    (prefix / SITE / "rich/__init__.py").write_text("mine\n")
    only_hashes = repair("--conda", "e", "--dry-run", "--json")
    assert [step[1] for step in steps(only_hashes)] == ["pytorch"]
    every = repair("--conda", "e", "--dry-run", "--json", "--check-files")
    assert [step[1] for step in steps(every)] == ["pytorch", "rich"]


@pytest.mark.slow
@pytest.mark.parametrize("path", [f"{SITE}/torch", f"{SITE}/mine", "bin", "conda-meta"])
def test_a_folder_that_lies_elsewhere_stays_as_it_is(
    path: str, repair: Repair, made: Callable[..., Path], tmp_path: Path
) -> None:
    prefix = made("torch", "numpy==2.2.0", "--cpu")
    elsewhere = tmp_path / "elsewhere"
    if (prefix / path).exists():
        (prefix / path).rename(elsewhere)
    else:
        elsewhere.mkdir()
    (elsewhere / "notes.txt").write_text("mine")
    (prefix / path).symlink_to(elsewhere)
    before = reading(prefix), reading(elsewhere)
    done = repair("--conda", "e", "--yes")
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"`{path}` is a link to `{elsewhere}`" in done.stderr
    assert (reading(prefix), reading(elsewhere)) == before


def test_a_pip_torch_over_condas(repair: Repair, cudafit: Run, made: Callable[..., Path]) -> None:
    prefix = made("torch")
    right = set(reading(prefix))
    pip_installs_torch(prefix)
    broken = reading(prefix)
    done = repair(str(prefix), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert steps(done) == [("remove", "torch", "2.12.0", None), ("reinstall", "pytorch", CUDA, CUDA)]
    assert told(done, "repair-1")["answers"] == ["conda.pip_over_conda"]
    intact(prefix)
    assert set(reading(prefix)) == right
    back(cudafit, prefix)
    assert reading(prefix) == broken


@pytest.mark.slow
def test_a_cuda_that_the_driver_does_not_run(repair: Repair, cudafit: Run, small: CondaWorld, tmp_path: Path) -> None:
    prefix = tmp_path / "e"
    newer = ("--gpu", "RTX 4090", "--driver", "580.65.06", *small.words[4:])
    done = cudafit("create", "--prefix", str(prefix), "torch", *newer, env=small.env)
    assert done.returncode == 0, done.stderr
    assert packages(prefix)["cuda-version"] == "13.0 h0"
    done = repair(str(prefix), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert told(done, "repair-1")["answers"] == ["conda.cuda_version_too_new"]
    now = packages(prefix)
    assert (now["pytorch"], now["cuda-version"], now["cudnn"]) == (CUDA, "12.9 h0", "9.129 h0")


@pytest.mark.slow
def test_builds_for_newer_gpus_than_the_one_here(cudafit: Run, tmp_path: Path) -> None:
    """A prefix that was made for an RTX 4090, on a machine with a GTX 1080 Ti."""

    def kernels(add: Callable[..., None]) -> None:
        for arch in ("6.1", "8.9"):
            add("cuda-arch", arch, "h0", subdir="noarch", constrains=[f"__cuda_arch >={arch}"])
            build, needs = f"arch{arch.replace('.', '')}_h0_0", ["__cuda", f"cuda-arch >={arch}"]
            add("kernels", "1.0", build, depends=needs, files={"lib/k.txt": build.encode()}, number=int(arch[0]))

    world = conda_world(tmp_path / "world", kernels)
    prefix = tmp_path / "e"
    made = cudafit("create", "--prefix", str(prefix), "torch", "kernels", *world.words, env=world.env)
    assert made.returncode in (0, 1), made.stderr
    assert packages(prefix)["kernels"] == "1.0 arch89_h0_0"
    old = ("--gpu", "GTX 1080 Ti", "--driver", "550.54.15", "--matrix", str(world.matrix))
    found = cudafit("doctor", "--env", str(prefix), *old, "--json", env=world.env)
    (one,) = [row for row in json.loads(found.stdout)["findings"] if row["id"] == "conda.cuda_arch_too_new"]
    assert one["title"] == "kernels is built for GPUs from 8.9 on, and GPU 0 is 6.1"
    assert one["fix"]["commands"][0][-2:] == ["kernels", "cuda-arch<=6.1"]
    done = cudafit("repair", str(prefix), "--yes", "--json", *old, env=world.env)
    assert "conda.cuda_arch_too_new" in told(done, "repair-1")["answers"]
    assert packages(prefix)["kernels"] == "1.0 arch61_h0_0"
    assert packages(prefix)["cuda-arch"] == "6.1 h0"
    again = cudafit("doctor", "--env", str(prefix), *old, "--json", env=world.env)
    assert "conda.cuda_arch_too_new" not in {row["id"] for row in json.loads(again.stdout)["findings"]}


@pytest.mark.slow
def test_a_toolkit_of_another_major_goes(repair: Repair, made: Callable[..., Path]) -> None:
    prefix = made("torch", "cudatoolkit==11.8.0")
    done = repair(str(prefix), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert steps(done) == [("remove", "cudatoolkit", "11.8.0 h0", None)]
    assert not (prefix / "lib/libcudart.so.11.0").exists()


@pytest.mark.slow
def test_packages_of_other_channels_come_from_conda_forge(repair: Repair, made: Callable[..., Path]) -> None:
    prefix = made("torch", "numpy==2.2.0", "rich")
    (record,) = prefix.glob("conda-meta/numpy-*.json")
    value = json.loads(record.read_text())
    record.write_text(json.dumps({**value, "channel": "https://repo.test/pkgs/main", "sha256": "0" * 64}))
    (prefix / "conda-meta/pinned").write_text("numpy 2.2.*  # by hand\n")
    done = repair(str(prefix), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert told(done, "repair-1")["answers"] == ["conda.mixed_channels"]
    assert [step[1] for step in steps(done)] == ["numpy"]
    now = json.loads(record.read_text())
    assert now["channel"].rstrip("/").endswith("/conda-forge")
    intact(prefix)


@pytest.mark.slow
def test_a_tampered_package_changes_nothing(
    repair: Repair, cudafit: Run, made: Callable[..., Path], tmp_path: Path
) -> None:
    prefix = made("torch", "--cpu")
    (tmp_path / "own").mkdir()
    own = conda_world(tmp_path / "own")
    archive = own.archive("pytorch-2.13.0-cuda129")
    archive.write_bytes(archive.read_bytes()[:-40])
    before = reading(prefix)
    done = repair(str(prefix), "--yes", world=own)
    assert done.returncode == 4, done.stderr
    assert "its hash differs, and nothing was linked" in done.stderr
    assert reading(prefix) == before


@pytest.mark.slow
def test_what_is_refused(repair: Repair, made: Callable[..., Path], tmp_path: Path) -> None:
    prefix = made("torch", "--cpu")
    before = reading(prefix)
    plain = tmp_path / "plain"
    plain.mkdir()
    cases = [
        (("--conda", "nowhere"), "there is no conda environment `nowhere`"),
        (("--conda", str(plain)), "is not a Python environment"),
        (("--conda", "e", str(prefix)), "each name the environment"),
        ((str(prefix),), "this cannot be asked without a terminal"),
    ]
    for words, text in cases:
        done = repair(*words)
        assert (done.returncode, text in done.stderr) == (2, True), done.stderr
    channel = {"CUDAFIT_CONDA_CHANNEL": "http://127.0.0.1:9/forge"}
    done = repair(str(prefix), "--yes", env=channel)
    assert (done.returncode, "http://127.0.0.1:9/forge" in done.stderr) == (1, True), done.stderr
    assert reading(prefix) == before
    conda = prefix / "conda-meta/conda-24.5.0-py312_0.json"
    conda.write_text("{}")
    done = repair(str(prefix), "--yes")
    assert (done.returncode, "--force" in done.stderr) == (2, True), done.stderr
    conda.unlink()
    (broken,) = prefix.glob("conda-meta/numpy-*.json")
    broken.write_text("{")
    done = repair(str(prefix), "--yes")
    assert (done.returncode, f"{broken} cannot be read" in done.stderr) == (2, True), done.stderr
    assert os.path.exists(prefix)
