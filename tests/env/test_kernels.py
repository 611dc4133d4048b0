"""Jupyter's kernelspecs, and the environment that a kernel leads to."""

import json
import os
import sys
from pathlib import Path

import pytest

from cudafit.env.kernels import interpreter_of, kernel_by_name, read_kernels
from cudafit.errors import InputError
from cudafit.files import Files
from tests.conftest import Run
from tests.doctor.worlds import CU126, torch, tree
from tests.machines import FOLDER


def spec(folder: Path, name: str, *argv: str, **env: str) -> None:
    place = folder / "kernels" / name
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "env": env}))


def test_of_the_jupyter_on_path_and_of_condas_base(tmp_path: Path) -> None:
    spec(tmp_path / "lab/share/jupyter", "course", "/opt/course/bin/python")
    spec(tmp_path / "base/share/jupyter", "physics", "/opt/physics/bin/python")
    (tmp_path / "lab/bin").mkdir()
    (tmp_path / "lab/bin/jupyter").write_text("#!/bin/sh\n")
    environ = {"HOME": "/nowhere", "PATH": f"relative:{tmp_path}/lab/bin", "CONDA_EXE": f"{tmp_path}/base/bin/conda"}
    found = {kernel.name for kernel in read_kernels(Files(), environ, None)}
    assert {"course", "physics"} <= found


def test_the_first_of_each_name_in_jupyters_order(tmp_path: Path) -> None:
    home, prefix, given = tmp_path / "home", tmp_path / "env", tmp_path / "given"
    spec(home / ".local/share/jupyter", "python3", "/usr/bin/python3", "-m", "ipykernel")
    spec(home / ".local/share/jupyter", "Train", "/opt/train/bin/python", CUDA_VISIBLE_DEVICES="")
    spec(prefix / "share/jupyter", "python3", "python", "-m", "ipykernel")
    spec(given, "extra", "/x/bin/python")
    (home / ".local/share/jupyter/kernels/broken").mkdir()
    (home / ".local/share/jupyter/kernels/broken/kernel.json").write_text("{")
    environ = {"HOME": str(home), "JUPYTER_PATH": f"{given}:relative"}
    found = {kernel.name: kernel for kernel in read_kernels(Files(), environ, str(prefix))}
    assert {"extra", "python3", "train"} <= set(found)
    assert "broken" not in found
    assert found["python3"].path.startswith(str(prefix))
    assert found["train"].variables == {"CUDA_VISIBLE_DEVICES": ""}
    assert interpreter_of(found["python3"], str(prefix)) == f"{prefix}/bin/python"
    assert interpreter_of(found["train"], None) == "/opt/train/bin/python"
    assert interpreter_of(found["python3"], None) is None
    with pytest.raises(InputError, match="there is no Jupyter kernel `nowhere`"):
        kernel_by_name(Files(), environ, str(prefix), "nowhere")


def test_doctor_diagnoses_what_the_kernel_gets(
    cudafit: Run, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tree(tmp_path / "work" / ".venv", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"])
    other = tree(tmp_path / "other", torch("2.13.0+cpu", None), ["torch==2.13.0"])
    for prefix in (good, other):
        (prefix / "bin").mkdir()
        (prefix / "bin" / "python").symlink_to("/usr/bin/python3")
    shared = Path(environ["HOME"]) / ".local/share/jupyter"
    spec(shared, "mine", f"{other}/bin/python", "-m", "ipykernel_launcher", CUDA_VISIBLE_DEVICES="")
    spec(shared, "gone", "/nowhere/bin/python")
    monkeypatch.chdir(tmp_path / "work")
    words = ("--machine", str(FOLDER / "rtx4090-550.json"), "--json")
    env = {"VIRTUAL_ENV": ""}
    assert json.loads(cudafit("doctor", *words, env=env).stdout)["cause"] is None
    shown = json.loads(cudafit("doctor", "--kernel", "mine", *words, env=env).stdout)
    ids = [one["id"] for one in shown["findings"]]
    assert {"torch.cpu_wheel", "jupyter.kernel_wrong_python", "jupyter.kernel_env_differs", "env.cvd_empty"} <= set(ids)
    assert shown["cause"] == "env.cvd_empty", "the lowest layer"
    assert "by the kernel mine" in shown["environment"]
    for name, error in (("gone", "which is no Python that is there"), ("nowhere", "there is no Jupyter kernel")):
        done = cudafit("doctor", "--kernel", name, *words, env=env)
        assert done.returncode == 2
        assert error in done.stderr


def test_a_kernel_is_made_to_start_the_environment(
    cudafit: Run, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tree(tmp_path / "work" / ".venv", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"])
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(sys.executable)
    shared = Path(environ["HOME"]) / ".local/share/jupyter"
    spec(shared, "train", "/nowhere/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}", A="1")
    path = shared / "kernels/train/kernel.json"
    before = path.read_text()
    monkeypatch.chdir(tmp_path / "work")
    env = {"VIRTUAL_ENV": ""}
    refused = cudafit("repair", "--kernel", "train", "--yes", env=env)
    assert refused.returncode == 1
    assert "has no ipykernel" in refused.stderr
    (prefix / "lib/python3.12/site-packages/ipykernel").mkdir()
    assert cudafit("repair", "--kernel", "train", env=env).returncode == 2, "nobody can be asked"
    shown = cudafit("repair", "--kernel", "train", "--dry-run", env=env)
    assert f"would start {prefix}/bin/python" in shown.stdout
    assert path.read_text() == before
    done = cudafit("repair", "--kernel", "train", "--yes", env=env)
    assert done.returncode == 0, done.stderr
    told = json.loads(path.read_text())
    assert told["argv"] == [f"{prefix}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert told["env"] == {"A": "1"}
    assert path.with_name("kernel.json.before-cudafit").read_text() == before
    assert "already starts" in cudafit("repair", "--kernel", "train", "--yes", env=env).stdout


def test_a_kernel_whose_file_cannot_be_read_is_not_said_to_be_missing(tmp_path: Path) -> None:
    folder = tmp_path / "share/jupyter/kernels/gpu"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "kernel.json")
    environ = {"HOME": str(tmp_path)}
    with pytest.raises(InputError, match="it is not a regular file"):
        kernel_by_name(Files(), environ, str(tmp_path), "gpu")
    later = tmp_path / ".local/share/jupyter/kernels/gpu"
    later.mkdir(parents=True)
    (later / "kernel.json").write_text(json.dumps({"argv": ["/usr/bin/python3"]}))
    assert kernel_by_name(Files(), environ, str(tmp_path), "GPU").path == str(later / "kernel.json")
