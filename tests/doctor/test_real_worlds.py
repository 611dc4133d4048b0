"""Real environments, made from the package index, diagnosed for several machines."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.machines import FOLDER
from tests.real_venv import CPU_TORCH, UV, for_cpu_torch, installed, made, uninstalled, with_cpu_torch

pytestmark = [pytest.mark.online, pytest.mark.slow, pytest.mark.usefixtures("package_index")]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A venv with packages, made once for each set of them; without their dependencies where those are large."""
    known: dict[tuple[str, ...], str] = {}

    def environment(*packages: str) -> str:
        if packages not in known:
            known[packages] = str(made(tmp_path_factory.mktemp("env") / "e", *packages))
        return known[packages]

    return environment


def diagnosis(cudafit: Run, env: str, machine: str) -> dict[str, Any]:
    done = cudafit("doctor", "--env", env, "--machine", str(FOLDER / f"{machine}.json"), "--json")
    shown: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if shown["status"] == "error" else 0)
    return shown


def test_the_cuda_torch_of_the_default_index(cudafit: Run, make: Any) -> None:
    env = make("torch==2.15.0")
    assert diagnosis(cudafit, env, "h100x8-580")["cause"] is None
    for machine in ("rtx4090-550", "gtx1080ti-535", "v100-535"):
        assert diagnosis(cudafit, env, machine)["cause"] == "driver.too_old_for_runtime", machine
    pascal = diagnosis(cudafit, env, "gtx1080ti-535")
    assert "torch.arch_unsupported_old" in [one["id"] for one in pascal["findings"]]
    # A library that is taken away is missed, by the real requirements of the real wheel.
    uninstalled(Path(env), "nvidia-cudnn-cu13")
    assert diagnosis(cudafit, env, "h100x8-580")["cause"] == "torch.nvidia_dist_missing"


@for_cpu_torch
def test_a_cpu_torch_that_pip_finds(cudafit: Run, tmp_path: Path) -> None:
    place = str(with_cpu_torch(tmp_path / "e", "--no-deps"))
    shown = diagnosis(cudafit, place, "rtx4090-550")
    assert shown["cause"] == "torch.cpu_wheel"
    (finding,) = [one for one in shown["findings"] if one["id"] == "torch.cpu_wheel"]
    assert f"torch=={CPU_TORCH}+cu" in " ".join(finding["fix"]["commands"][0])
    assert diagnosis(cudafit, place, "no-gpu")["cause"] is None


def test_jax_with_and_without_its_plugin(cudafit: Run, make: Any) -> None:
    version = "0.10.2"
    assert diagnosis(cudafit, make(f"jax=={version}"), "h100x8-580")["cause"] == "jax.no_cuda_plugin"
    plugged = make(f"jax=={version}", f"jax-cuda12-plugin=={version}", f"jax-cuda12-pjrt=={version}")
    assert diagnosis(cudafit, plugged, "h100x8-580")["cause"] is None
    # As an installer does that upgrades jaxlib alone.
    installed(Path(plugged), "--no-deps", "jaxlib==0.9.0")
    assert diagnosis(cudafit, plugged, "h100x8-580")["cause"] == "jax.plugin_version_skew"


def test_tensorflow_without_its_cuda_libraries(cudafit: Run, make: Any, tmp_path: Path) -> None:
    env = make("tensorflow==2.21.0")
    saved = json.loads((FOLDER / "v100-535.json").read_text())
    saved["libraries"] = []
    (tmp_path / "m.json").write_text(json.dumps(saved))
    done = cudafit("doctor", "--env", env, "--machine", str(tmp_path / "m.json"), "--json")
    shown = json.loads(done.stdout)
    assert shown["cause"] == "tf.cuda_libs_missing", shown
    (finding,) = [one for one in shown["findings"] if one["id"] == "tf.cuda_libs_missing"]
    assert "tensorflow[and-cuda]==2.21.0" in finding["fix"]["commands"][0]
    cpu = make("tensorflow-cpu==2.21.0")
    assert diagnosis(cudafit, cpu, "v100-535")["cause"] == "tf.cpu_build"


def test_an_extension_by_its_own_library(cudafit: Run, make: Any, tmp_path: Path) -> None:
    """onnxruntime-gpu without CUDA's libraries falls back to the CPU; its kernels are those of its fatbins."""
    env = make("onnxruntime-gpu==1.31.1")
    saved = json.loads((FOLDER / "h100x8-580.json").read_text())
    read: tuple[list[Any] | None, ...] = ([], None)
    for libraries in read:
        (tmp_path / "m.json").write_text(json.dumps({**saved, "libraries": libraries}))
        shown = json.loads(cudafit("doctor", "--env", env, "--machine", str(tmp_path / "m.json"), "--json").stdout)
        if libraries is None:
            assert shown["cause"] is None
            assert "libcudnn.so.9" in " ".join(one["reason"] for one in shown["skipped"])
        else:
            assert shown["cause"] == "ext.cuda_libs_missing"
            (finding,) = [one for one in shown["findings"] if one["id"] == "ext.cuda_libs_missing"]
            assert "libcudnn.so.9" in finding["evidence"][0]["fact"]
            assert "onnxruntime-gpu[cuda,cudnn]==1.31.1" in finding["fix"]["commands"][0]
    compiled = marked_kernels(Path(env))
    assert "sm_89" in compiled
    assert not compiled & {"sm_60", "sm_61"}
    for machine, served in (("gtx1080ti-535", False), ("rtx4090-550", True), ("rtx5090-570", True)):
        ids = [one["id"] for one in diagnosis(cudafit, env, machine)["findings"]]
        assert ("ext.arch_unsupported" not in ids) == served, machine


def test_faster_whisper_without_cublas_until_its_fix_was_done(cudafit: Run, tmp_path: Path) -> None:
    """The fix's own commands are done; that the library is then found, its loader tells."""
    env, machine = made(tmp_path / "e", "faster-whisper==1.2.1"), tmp_path / "m.json"
    saved = {**json.loads((FOLDER / "h100x8-580.json").read_text()), "libraries": []}

    def told(**variables: str) -> dict[str, Any]:
        machine.write_text(json.dumps({**saved, "environment": variables}))
        shown: dict[str, Any] = json.loads(
            cudafit("doctor", "--env", str(env), "--machine", str(machine), "--json").stdout
        )
        return shown

    def loads(**variables: str) -> bool:
        command = [str(env / "bin/python"), "-c", "import ctypes; ctypes.CDLL('libcublas.so.12')"]
        environ = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        return subprocess.run(command, env={**environ, **variables}, capture_output=True, check=False).returncode == 0

    shown = told()
    assert shown["cause"] == "ext.cuda_libs_missing"
    assert not loads()
    (finding,) = [one for one in shown["findings"] if one["id"] == shown["cause"]]
    assert "libcublas.so.12" in finding["evidence"][0]["fact"]
    install, export = finding["fix"]["commands"]
    assert install[:3] == ["uv", "pip", "install"]
    subprocess.run([*UV, *install[1:]], check=True, capture_output=True, timeout=900)
    # Installed, and still found by nobody: the second command is as much of the fix as the first.
    assert told()["cause"] == "ext.cuda_libs_missing"
    name, _, value = export[1].partition("=")
    assert (export[0], name) == ("export", "LD_LIBRARY_PATH")
    clean = told(**{name: value})
    assert (clean["status"], clean["cause"]) == ("ok", None), clean
    assert loads(**{name: value})


def marked_kernels(env: Path) -> set[str]:
    """By the marks that the compiler leaves in the text of each kernel, not by the headers that cudafit reads."""
    (path,) = env.glob("lib/python3*/site-packages/onnxruntime/capi/libonnxruntime_providers_cuda.so")
    return {match.decode() for match in re.findall(rb"-arch (sm_\d+)", path.read_bytes())}
