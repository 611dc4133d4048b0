"""`cudafit resolve`, the real command: the contract, where requirements come from, and wrong input."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.machines import FOLDER
from tests.schemas import validate

Nvml = Callable[[str], dict[str, str]]

A100 = ("--gpu", "A100", "--driver", "580.65.06")
RTX_4090 = """
driver 550.54.15
cuda 12.4
nvml 12.550.54.15
gpu
  name NVIDIA GeForce RTX 4090
  uuid GPU-0a1b2c3d-1111-2222-3333-444455556666
  bus 00000000:01:00.0
  device_id 0x268410DE
  cc 8.9
  memory 24564 512
"""
SILENT_GPU = RTX_4090 + "  fail nvmlDeviceGetCudaComputeCapability 999\n"


@pytest.fixture
def answer(cudafit: Run) -> Callable[..., dict[str, Any]]:
    """The JSON of a resolve, checked against its published schema."""

    def ask(*words: str, code: int = 0, **more: Any) -> dict[str, Any]:
        done = cudafit("resolve", *words, "--json", **more)
        assert done.returncode == code, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        validate(shown, "resolve-1")
        assert shown["schema"] == "cudafit.resolve/1"
        return shown

    return ask


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    place = tmp_path / "a project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def machine(name: str) -> tuple[str, str]:
    return "--machine", str(FOLDER / f"{name}.json")


# What other programs rely on.


def test_a_fit_is_exit_0_and_names_build_index_and_kernel(answer: Callable[..., dict[str, Any]]) -> None:
    shown = answer("torch", *machine("gtx1080ti-535"))
    assert shown["status"] == "fit"
    assert shown["python"] == "3.10"
    pick, along = shown["picks"]
    assert (pick["name"], pick["version"], pick["variant"]) == ("torch", "2.14.1", "cu126")
    assert (along["name"], along["version"], along["requested"]) == ("triton", "3.8.0", False)
    assert pick["requirement"] == "torch==2.14.1+cu126"
    assert pick["index_name"] == "pytorch-cu126"
    assert pick["index"].endswith("/cu126")
    assert pick["compat"] == "minor"
    assert pick["gpus"] == [{"index": 0, "kernel": "sm_60", "how": "cubin", "machine": None}]
    assert pick["sources"]
    assert shown["command"] == ["uv", "pip", "install", "torch==2.14.1+cu126", "--torch-backend", "cu126"]
    lost = [one for one in shown["rejected"] if one["version"] == "2.15.0" and one["rule"] == "kernels"]
    assert lost
    assert all(one["source"] for one in lost)
    assert shown["matrix"]["version"] == answer("jax", *A100)["matrix"]["version"]


def test_no_fit_is_exit_1_with_reasons_and_what_would_work(answer: Callable[..., dict[str, Any]]) -> None:
    shown = answer("torch==2.15.0", "--gpu", "A100", "--driver", "550", code=1)
    assert shown["status"] == "no-fit"
    assert shown["picks"] == []
    assert any("580.65.06" in cause for cause in shown["causes"])
    kinds = {one["kind"] for one in shown["alternatives"]}
    assert {"driver", "version", "cpu"} <= kinds


def test_cpu_is_exit_0_and_says_why(answer: Callable[..., dict[str, Any]]) -> None:
    shown = answer("torch", "tensorflow", *machine("no-gpu"))
    assert shown["status"] == "cpu"
    assert [pick["variant"] for pick in shown["picks"] if pick["requested"]] == ["cpu", "cpu"]
    assert "tensorflow-cpu" in [pick["name"] for pick in shown["picks"]]
    assert "no NVIDIA GPU" in shown["reason"]


def test_undetermined_is_exit_3(cudafit: Run, nvml: Nvml) -> None:
    env = nvml(SILENT_GPU)
    done = cudafit("resolve", "torch", env=env)
    assert done.returncode == 3, done.stdout
    assert done.stdout == ""
    assert "could not be determined" in done.stderr
    assert cudafit("resolve", "torch", "--cpu", env=env).returncode == 0


def test_a_mismatched_driver_whose_files_tell_enough_is_answered_with_a_note(cudafit: Run) -> None:
    done = cudafit("resolve", "torch", *machine("library-mismatch"))
    assert done.returncode == 0
    assert "torch==2.14.1+cu126" in done.stdout
    assert "Driver/library version mismatch (18); GPU and driver are known by their files" in done.stdout


def test_json_of_an_error_is_no_half_an_object(cudafit: Run) -> None:
    done = cudafit("resolve", "torch=>2", "--json", *A100)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_gpu_without_driver_is_not_silently_the_cpu(cudafit: Run) -> None:
    done = cudafit("resolve", "torch", *machine("nouveau"))
    assert done.returncode == 1
    assert "there is no NVIDIA driver" in done.stderr
    assert re.search(r"hint: install driver branch \d{3}", done.stderr)


# Wrong input: error, cause, hint.


@pytest.mark.parametrize(
    ("words", "code", "error", "also"),
    [
        (["torch=>2"], 2, "`torch=>2` is not a requirement", "write it as"),
        ([""], 2, "`` is not a requirement", "write it as"),
        (["torch", "--gpu", "RTX 4900", "--driver", "580"], 2, "no GPU is known", "GeForce RTX 4090"),
        (["torch", "--gpu", "A100", "--driver", "12.4"], 2, "looks like a CUDA version", "`--driver 550`"),
        (["torch", "--gpu", "A100", "--driver", "new"], 2, "is not a driver version", "550.54.15"),
        (["torch", "--gpu", "A100"], 2, "no driver is known", "--driver none"),
        (["torch", "--driver", "580", "--platform", "linux-x86_64"], 2, "no GPU is known", "--gpu sm_89"),
        (["torch", "--python", "312"], 2, "is not a version of Python", "`3.12`"),
        (["torch", "--python", "3.20"], 1, "no build of `torch`", "--python 3.15"),
        (["torch>=2.6", "torch<2.5"], 1, "no build of", "contradict each other"),
        (["torch==99", "--offline"], 1, "no build of `torch==99`", "the newest that the matrix holds is"),
        (["pytorch"], 2, "`pytorch` is not the package", "`cudafit resolve torch`"),
        (["tensorflow-gpu>=2.4"], 2, "`tensorflow-gpu` is not the package", "`cudafit resolve 'tensorflow>=2.4'`"),
        (["tf"], 2, "`tf` is not the package", "`cudafit resolve tensorflow`"),
        (["torchvison"], 2, "no package `torchvison`", "`cudafit resolve torchvision`"),
        (["jax[cuda12-local]"], 2, "takes the CUDA libraries of the machine", "jax[cuda12]"),
        (["-r", "nowhere.txt"], 2, "cannot read `nowhere.txt`", "No such file"),
        (["torch", "--machine", "nowhere.json"], 2, "cannot read `nowhere.json`", "No such file"),
        (["torch", "--root", "nowhere"], 2, "there is no such folder", "--root nowhere"),
        (["torch", "--matrix", "nowhere"], 2, "there is no such folder", "--matrix nowhere"),
        (["torch", "--matrix-version", "2001.1.1"], 2, "matrix 2001.1.1 was asked for", "leave out"),
        (["torch", "--cuda", "12.99"], 2, "`--cuda 12.99` is not a CUDA version", "`12.6`"),
        (["torch", "--cuda", "12.6", "--cpu"], 2, "`--cuda` has no meaning", ""),
        (["torch", "--glibc", "228"], 2, "is not a version of glibc", "`2.28`"),
        (["torch", "--prefer", "oldest"], 2, "'oldest' is not one of", ""),
        (["torch", "--frobnicate"], 2, "--frobnicate", ""),
    ],
)
def test_wrong_input(cudafit: Run, folder: Path, words: list[str], code: int, error: str, also: str) -> None:
    given = [] if "--gpu" in words or "--driver" in words or "--machine" in words or "--root" in words else A100
    done = cudafit("resolve", *words, *given)
    assert done.returncode == code, done.stderr
    first, *rest = done.stderr.splitlines()
    assert error in first
    assert also in "\n".join([first, *rest])
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []


def test_an_unknown_package_of_a_file_is_passed_on_with_a_note(
    answer: Callable[..., dict[str, Any]], folder: Path
) -> None:
    (folder / "r.txt").write_text("frobnicate>=2\ntorchvison\n")
    shown = answer("torch", "-r", "r.txt", *A100, "--offline")
    assert [(one["requirement"], one["note"]) for one in shown["passed"]] == [
        ("frobnicate>=2", "not in the matrix, passed on"),
        ("torchvison", "not in the matrix, passed on; did you mean `torchvision`?"),
    ]
    assert shown["command"][-2:] == ["-r", "r.txt"]


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["tourch", "numpy"], "cudafit resolve torch numpy"),
        (["torch", "torchvison>=0.2"], "cudafit resolve torch 'torchvision>=0.2'"),
        (["pytroch"], "cudafit resolve torch"),
        (["tensorfolw"], "cudafit resolve tensorflow"),
        (["tensorflwo-gpu"], "cudafit resolve tensorflow"),
        (["Jaxx"], "cudafit resolve jax"),
        (["torch_vision"], "cudafit resolve torchvision"),
        (["--conda", "pytroch"], "cudafit resolve torch"),
        (["torch", "pytorch-cuda"], "cudafit resolve torch"),
        (["torch", "cpuonly"], "cudafit resolve torch"),
        (["pytorch-cuda=12.1"], "cudafit resolve torch --cuda 12.1"),
        (["torch", "numpy", "pytorch-cuda=12.1"], "cudafit resolve torch numpy --cuda 12.1"),
    ],
)
def test_a_name_that_is_nearly_one_of_ours_or_is_condas_is_refused_before_an_index_is_asked(
    cudafit: Run, folder: Path, words: list[str], command: str
) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    done = cudafit("resolve", *words, *A100, env=nowhere)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"hint: `{command}`" in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["torchx", "llm", "gpytorch", "faiss-cpu", "torchio", "tensorflowjs", "flax", "ajax", "torchmetrics", "numba"],
)
def test_a_package_of_its_own_is_no_misspelling(cudafit: Run, name: str) -> None:
    done = cudafit("resolve", "torch", name, *A100, "--offline")
    assert done.returncode == 0, done.stderr
    assert "did you mean" not in done.stdout


def test_with_yes_a_near_name_is_taken_as_it_is_written(cudafit: Run) -> None:
    done = cudafit("resolve", "torch", "torchy", *A100, "--offline", "--yes")
    assert done.returncode == 0, done.stderr
    assert "torchy" in done.stdout


@pytest.mark.parametrize(
    ("words", "like"),
    [
        (["pytorch"], ["torch"]),
        (["pytorch-gpu>=2.5"], ["torch>=2.5"]),
        (["pytorch=2.8"], ["torch==2.8.*"]),
        (["pytorch-cpu"], ["torch", "--cpu"]),
        (["pytorch", "cpuonly"], ["torch", "--cpu"]),
        (["tensorflow-gpu"], ["tensorflow"]),
    ],
)
def test_for_conda_its_own_names_are_right(
    answer: Callable[..., dict[str, Any]], words: list[str], like: list[str]
) -> None:
    kinds = [word for word in words if word.partition(">")[0].endswith(("-gpu", "-cpu"))]  # packages of their own
    assert answer("--conda", *words, *A100)["command"] == answer("--conda", *like, *A100)["command"] + kinds


def test_a_build_for_cuda_of_conda_needs_a_gpu(cudafit: Run) -> None:
    done = cudafit("resolve", "--conda", "pytorch-gpu", *machine("no-gpu"))
    assert done.returncode == 2
    assert "`pytorch-gpu` asks for a build for CUDA, and there is no GPU here" in done.stderr
    done = cudafit("resolve", "--conda", "pytorch", "pytorch-cuda=12.1", *A100)
    assert done.returncode == 2
    assert "add `--cuda 12.1`" in done.stderr


def test_no_secret_of_an_address_is_shown(cudafit: Run, folder: Path) -> None:
    address = "https://me:hunter2@example.org/torch-2.1-py3-none-any.whl"
    (folder / "r.txt").write_text(f"jax\n--extra-index-url https://me:hunter2@example.org/simple\npillow @ {address}\n")
    for output in ([], ["--json"], ["--explain", "--all"]):
        done = cudafit("resolve", f"torch @ {address}", "-r", "r.txt", *A100, *output)
        assert done.returncode == 0
        assert "example.org" in done.stdout
        assert "hunter2" not in done.stdout + done.stderr


def test_a_suggested_command_asks_the_same_again_without_the_secret(cudafit: Run, folder: Path) -> None:
    (folder / "r.txt").write_text("numpy\ntorch==2.15.0\n")
    url = "pillow @ https://me:hunter2@example.org/p-1-py3-none-any.whl"
    done = cudafit("resolve", url, "-r", "r.txt", "--gpu", "A100", "--driver", "550")
    assert done.returncode == 1
    assert "hunter2" not in done.stdout + done.stderr
    (hint,) = re.findall(r"hint: `(cudafit resolve .* --cpu)`", done.stderr)
    words = shlex.split(hint)
    assert words[2:] == [url.replace("me:hunter2", "***"), "-r", "r.txt", "--gpu", "A100", "--driver", "550", "--cpu"]
    assert cudafit(*words[1:]).returncode == 0


def test_where_driver_and_python_are_both_too_old_both_are_said(cudafit: Run) -> None:
    done = cudafit("resolve", "torch==2.15.0", "--python", "3.10", "--gpu", "A100", "--driver", "550.54.15")
    assert "hint: with driver 580.65.06 or newer, and Python 3.11: torch 2.15.0 (cu132)" in done.stderr


# Where requirements come from.


def test_requirement_files_keep_what_is_not_ours(answer: Callable[..., dict[str, Any]], folder: Path) -> None:
    (folder / "base.txt").write_text("requests==2.32.3  # of the site\n-c limits.txt\n")
    (folder / "limits.txt").write_text("torch<2.13\nnot-wanted==1\n")
    (folder / "r.txt").write_text("-r base.txt\ntorch\n--pre\nnumpy; python_version < '3'\n")
    shown = answer("-r", "r.txt", *A100)
    assert [pick["requirement"] for pick in shown["picks"] if pick["requested"]] == ["torch==2.12.1"]
    assert [one["requirement"] for one in shown["passed"]] == ["requests==2.32.3", "not-wanted==1", "--pre"]
    assert shown["passed"][1]["note"] == "a constraint, passed on"
    assert shown["command"] == ["uv", "pip", "install", "torch==2.12.1", "-r", "r.txt"]


def test_a_contradiction_names_file_and_line(cudafit: Run, folder: Path) -> None:
    (folder / "r.txt").write_text("\ntorch==2.4.1\n")
    done = cudafit("resolve", "torch>=2.6", "-r", "r.txt", *A100)
    assert done.returncode == 1
    assert "`torch>=2.6` (command line) and `torch==2.4.1` (r.txt:2) contradict each other" in done.stderr


def test_without_words_the_project_here_is_read(cudafit: Run, folder: Path) -> None:
    (folder / "requirements.txt").write_text("torch==2.9.*\n")
    done = cudafit("resolve", *A100)
    assert done.returncode == 0
    assert done.stderr == "read requirements.txt\n"
    assert "torch==2.9.1" in done.stdout
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["jax==0.10.*"]\n')
    done = cudafit("resolve", *A100)
    assert done.stderr == "read pyproject.toml\n"
    assert "jax[cuda13]==0.10" in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("pyproject.toml", "[project\n", "`pyproject.toml` is not TOML"),
        ("pyproject.toml", "[project]\ndependencies = 3\n", "must be a list of texts"),
        ("pyproject.toml", '[project]\ndependencies = ["torch=>1"]\n', "`torch=>1` is not a requirement"),
        ("requirements.txt", "torch\n-r requirements.txt\n", "names itself"),
        ("requirements.txt", "torch=>1\n", "(requirements.txt:1)"),
        ("requirements.txt", "torch\0\n", "binary data"),
    ],
)
def test_a_broken_project_is_said_with_its_place(cudafit: Run, folder: Path, name: str, text: str, error: str) -> None:
    (folder / name).write_text(text)
    done = cudafit("resolve", *A100)
    assert done.returncode == 2
    assert error in done.stderr
    assert name in done.stderr


def test_with_nothing_there_it_shows_what_the_machine_can_run(
    answer: Callable[..., dict[str, Any]], folder: Path
) -> None:
    shown = answer(*machine("v100-535"))
    assert list(folder.iterdir()) == []
    assert [pick["name"] for pick in shown["picks"]] == ["torch", "tensorflow", "jax"]
    assert shown["command"] == []
    assert "nvidia-cudnn-cu12<9.11" in [one["requirement"] for one in shown["constraints"]]


# Which machine is meant.


def test_this_machine_by_nvml(answer: Callable[..., dict[str, Any]], nvml: Nvml, folder: Path) -> None:
    shown = answer("torch", "--python", "3.12", env=nvml(RTX_4090))
    assert "NVIDIA GeForce RTX 4090, sm_89, driver 550.54.15 (CUDA 12.4)" in shown["machines"][0]
    assert shown["picks"][0]["requirement"] == "torch==2.14.1+cu126"
    assert shown["picks"][0]["gpus"][0]["kernel"] == "sm_86"
    assert list(folder.iterdir()) == []


def test_the_brief_look_answers_like_the_saved_snapshot(
    cudafit: Run, answer: Callable[..., dict[str, Any]], nvml: Nvml, folder: Path
) -> None:
    env = nvml(RTX_4090)
    assert cudafit("inspect", "--save", "m.json", env=env).returncode == 0
    live = answer("torch", "jax", "--python", "3.12", env=env)
    saved = answer("torch", "jax", "--python", "3.12", "--machine", "m.json")
    assert (live["picks"], live["constraints"]) == (saved["picks"], saved["constraints"])


def test_overrides_of_the_environment_are_honoured_and_shown(
    answer: Callable[..., dict[str, Any]], nvml: Nvml, folder: Path
) -> None:
    env = nvml(RTX_4090)
    shown = answer("torch", "--python", "3.12", env={**env, "CONDA_OVERRIDE_CUDA": "13.0"})
    assert shown["picks"][0]["version"] == "2.15.0"
    assert any("CONDA_OVERRIDE_CUDA" in text for text in (*shown["notes"], *shown["machines"], *shown["warnings"]))
    shown = answer("torch", "--python", "3.12", env={**env, "UV_CUDA_DRIVER_VERSION": "450.80.02"})
    assert shown["picks"][0]["variant"] == "cu118"
    assert any("UV_CUDA_DRIVER_VERSION" in text for text in (*shown["notes"], *shown["machines"], *shown["warnings"]))


def test_an_active_environment_says_which_python(
    answer: Callable[..., dict[str, Any]], nvml: Nvml, tmp_path: Path, folder: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    env = {**nvml(RTX_4090), "VIRTUAL_ENV": str(tmp_path / "env")}
    if sys.version_info < (3, 15):  # for which torch has no build yet
        assert answer("torch", env=env)["python"] == here
    text = (tmp_path / "env" / "pyvenv.cfg").read_text()
    (tmp_path / "env" / "pyvenv.cfg").write_text(re.sub(r"(?m)^version = .*", "version = 3.13.1", text))
    assert answer("torch", env=env)["python"] == "3.13"
    assert answer("torch", "--python", "3.12", env=env)["python"] == "3.12"


def test_prefer_installed_keeps_the_version_in_the_right_variant(
    answer: Callable[..., dict[str, Any]], folder: Path
) -> None:
    place = folder / ".venv" / "lib" / "python3.12" / "site-packages" / "torch-2.12.1.dist-info"
    place.mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n")
    shown = answer("torch", "--prefer", "installed", "--gpu", "A100", "--driver", "550.54.15")
    assert shown["picks"][0]["requirement"] == "torch==2.12.1+cu129"


def test_several_machines_by_files_by_folder_and_by_stdin(
    answer: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    names = ("v100-535", "rtx4090-550")
    shown = answer("torch", "--python", "3.12", *machine(names[0]), *machine(names[1]))
    assert shown["picks"][0]["requirement"] == "torch==2.14.1+cu126"
    assert {gpu["machine"] for gpu in shown["picks"][0]["gpus"]} == set(names)
    room = tmp_path / "room"
    room.mkdir()
    for name in names:
        (room / f"{name}.json").write_bytes((FOLDER / f"{name}.json").read_bytes())
    together = answer("torch", "--python", "3.12", "--machine", str(room))
    assert together["command"] == shown["command"]
    assert {gpu["machine"] for gpu in together["picks"][0]["gpus"]} == set(names)
    text = (FOLDER / "v100-535.json").read_text()
    alone = answer("torch", "--python", "3.12", "--machine", "-", stdin=text)
    assert alone["picks"][0]["requirement"] == "torch==2.14.1+cu126"


def test_machines_without_one_answer_are_grouped(answer: Callable[..., dict[str, Any]], cudafit: Run) -> None:
    words = ("torch", "--python", "3.12", *machine("gtx1080ti-535"), *machine("v100-535"), *machine("rtx5090-570"))
    shown = answer(*words, code=1)
    assert [group["machines"] for group in shown["groups"]] == [["gtx1080ti-535", "v100-535"], ["rtx5090-570"]]
    assert any("rtx5090-570" in cause for cause in shown["causes"])
    screen = cudafit("resolve", *words).stdout
    assert "group 1  gtx1080ti-535, v100-535" in screen
    assert "torch    2.14.1+cu126" in screen


def test_a_folder_without_snapshots_and_a_broken_one(cudafit: Run, tmp_path: Path) -> None:
    done = cudafit("resolve", "torch", "--machine", str(tmp_path / "home"))
    assert done.returncode == 2
    assert "snapshot" in done.stderr
    (tmp_path / "home" / "one.json").write_text('{"schema": "cudafit.machine/1"}')
    done = cudafit("resolve", "torch", "--machine", str(tmp_path / "home"))
    assert done.returncode == 2
    assert "one.json" in done.stderr


# What people see.


def test_explain_groups_the_losers_by_reason(cudafit: Run) -> None:
    words = ("resolve", "torch", "--gpu", "GTX 1080 Ti", "--driver", "580")
    plain, shown = cudafit(*words).stdout.splitlines(), cudafit(*words, "--explain").stdout.splitlines()
    assert [line.split() for line in shown[: len(plain)]] == [line.split() for line in plain]
    losers = "\n".join(shown[len(plain) :])
    assert re.search(r"lost +\d+ builds of torch, no kernels for a GPU: need sm_75 or newer; have sm_61", losers)
    assert len(losers.splitlines()) < 15


def test_all_lists_every_version_that_fits_best_first(answer: Callable[..., dict[str, Any]], cudafit: Run) -> None:
    shown = answer("torch>=2.12", "--all", "--gpu", "V100", "--driver", "535.183.01")
    assert [pick["requirement"] for pick in shown["all"]] == [
        f"torch=={version}+cu126" for version in ("2.14.1", "2.14.0", "2.13.0", "2.12.1", "2.12.0")
    ]
    screen = cudafit("resolve", "torch>=2.12", "--all", "--gpu", "V100", "--driver", "535.183.01").stdout
    assert screen.count("\nfits ") == 5


def test_a_narrow_terminal_breaks_lines_and_loses_nothing(environ: dict[str, str]) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "cudafit", "resolve", "torch", *machine("gtx1080ti-535")]
    env = {**environ, "COLUMNS": "80", "TERM": "xterm"}
    with subprocess.Popen(command, env=env, stdout=follower, stderr=subprocess.PIPE, text=True) as running:
        os.close(follower)
        read = b""
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            read += piece
        assert running.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", read.decode()).replace("\r", "")
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    assert "from 2.15.0 on no build has kernels for it" in flat
    assert "uv pip install torch==2.14.1+cu126 --torch-backend cu126" in flat


def test_matrix_rows_of_ones_own_decide(answer: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    layer = tmp_path / "ours" / "frameworks"
    layer.mkdir(parents=True)
    (layer / "torch.yaml").write_text(
        "# Ours.\npackage: torch\n\nbuilds:\n"
        "- {version: 99.1, variant: cu126, cuda: 12.6, platform: linux-x86_64, index: pypi, kernels: sm_80,"
        " pythons: 3.12, sources: pypi-torch}\n"
    )
    shown = answer("torch", *A100, "--matrix", str(tmp_path / "ours"))
    assert shown["picks"][0]["requirement"] == "torch==99.1"
