"""Locks of real declarations and of packages that stand on a framework, compiled with the real index: each is judged by
doctor's own checks, over an environment on paper that holds what the lock does."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.paper import changed
from cudafit.doctor.world import World
from cudafit.machine.saved import load
from cudafit.matrix.load import open_matrix
from cudafit.model.environment import VENV, Environment, TensorflowBuild, TorchBuild
from cudafit.model.finding import ERROR
from cudafit.resolve.problem import Library
from tests.conftest import Run
from tests.machines import FOLDER
from tests.project import real_projects
from tests.pytorch_index import serving_rows

pytestmark = [pytest.mark.online, pytest.mark.slow, pytest.mark.usefixtures("package_index")]
OLD = ("--gpu", "RTX 3060", "--driver", "535.183.01", "--glibc", "2.35", "--python", "3.12")
NOT_ENOUGH = ("--gpu", "RTX 3060", "--driver", "470.57.02", "--glibc", "2.35", "--python", "3.12")
# The packages of which most projects need one.
STANDING = (
    *("ultralytics", "transformers[torch]", "diffusers[torch]", "accelerate", "openai-whisper", "easyocr", "unsloth"),
    *("sentence-transformers", "lightning", "deepspeed", "sglang"),
)
# They pin a torch of which the default index has the build for CUDA 12.
OF_AN_OLDER_TORCH = ("unsloth", "sglang")
# From CUDA 13 on NVIDIA's packages have names without a number.
OF_CUDA_13 = ("cublas", "cuda-runtime", "cuda-nvrtc", "cuda-cupti", "cufft", "curand", "cusolver", "cusparse")
PROJECTS = {row["id"]: row for row in real_projects.load(Path(__file__).with_name("projects.yaml"))}
COMPILING = (
    "eriklindernoren/PyTorch-GAN:requirements.txt",
    "google-research/bert:requirements.txt",
    "minimaxir/gpt-2-simple:setup.py",
    "scverse/rapids_singlecell:pyproject.toml",
    "pycaret/pycaret:requirements.txt",
    "dmlc/xgboost:python-package/pyproject.toml",
    "facebookresearch/sam2:setup.py",
    "facefusion/facefusion:requirements.txt",
    "SWivid/F5-TTS:pyproject.toml",
    "unnamed-08:pyproject.toml",
    "allenai/open-instruct:scripts/data/convert_sft_data_for_olmocore.py",
    "huggingface/pytorch-image-models:pyproject.toml",
    "pytorch/examples:language_translation/requirements.txt",
    "SYSTRAN/faster-whisper:requirements.txt",
    "DLR-RM/stable-baselines3:setup.py",
    "docling-project/docling-serve:pyproject.toml",
    "invoke-ai/InvokeAI:pyproject.toml",
    "scverse/scvi-tools:pyproject.toml",
    "vwxyzjn/cleanrl:pyproject.toml",
    # Its bitsandbytes==0.37.1 has libraries up to CUDA 12.0.
    "huggingface/notebooks:sagemaker/24_train_bloom_peft_lora/scripts/requirements.txt",
)
Lock = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def pytorch() -> Iterator[str]:
    with serving_rows(open_matrix()) as base:
        yield base


@pytest.fixture
def lock(cudafit: Run, pytorch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lock:
    """The command, which writes `lock.txt`; the versions in it."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> dict[str, str]:
        env = {"CUDAFIT_PYTORCH_INDEX": pytorch}
        done = cudafit("resolve", *words, "-o", "lock.txt", "--format", "requirements", env=env, timeout=600)
        assert done.returncode == 0, done.stderr
        return held(Path("lock.txt").read_text())

    return run


def held(text: str) -> dict[str, str]:
    """By name, of lines as `name==1` and `name @ https://…/name-1-cp312-….whl`."""
    found = dict(re.findall(r"(?m)^([a-z0-9-]+)==([^\s;\\]+)", text))
    for name, version in re.findall(r"(?m)^([a-z0-9-]+) @ \S*/[A-Za-z0-9_.]+-([^-\s/]+)-\S+\.whl", text):
        found[name] = version.replace("%2B", "+")
    return found


def errors(versions: dict[str, str], machine: str, python: str) -> list[str]:
    """What doctor says is wrong with the environment that has just these packages, on this machine."""
    facts = Library(open_matrix())
    given = load(str(FOLDER / f"{machine}.json"))
    torch = TorchBuild(None, None, None, "torch/version.py") if "torch" in versions else None
    path = "tensorflow/python/platform/build_info.py"
    tensorflow = TensorflowBuild(None, None, None, None, None, path) if "tensorflow" in versions else None
    empty = Environment("/env", VENV, f"{python}.1", "/env/bin/python", torch=torch, tensorflow=tensorflow)
    before = {one.id for one in diagnose(World(given, replace(empty, torch=None, tensorflow=None), facts)).findings}
    made = changed(World(given, empty, facts), [f"{name}=={version}" for name, version in versions.items()])
    assert made.environment
    assert {one.name: one.version for one in made.environment.distributions if one.name in versions} == versions
    found = diagnose(made).findings
    return [f"{one.id}: {one.title}" for one in found if one.severity == ERROR and one.id not in before]


def test_a_broken_set_is_an_error_on_paper() -> None:
    """The way that it is judged by finds what is wrong."""
    broken = {"torch": "2.15.0", "nvidia-cudnn-cu13": "9.26.0.51", "numpy": "2.3.0"}
    assert errors(broken, "rtx3090x2-535-debian", "3.12")
    assert errors({"torch": "2.14.1"}, "gtx1080ti-535", "3.12")
    assert errors({"torch": "2.14.1+cu126"}, "gtx1080ti-535", "3.12") == []


@pytest.mark.parametrize("name", COMPILING)
def test_the_lock_of_a_real_project_is_one_that_doctor_finds_nothing_in(lock: Lock, tmp_path: Path, name: str) -> None:
    row = PROJECTS[name]
    path = real_projects.write(row, tmp_path).relative_to(tmp_path)
    machine = "rtx3090x2-535-debian"
    versions = lock("-r", str(path), "--machine", str(FOLDER / f"{machine}.json"), "--python", "3.11")
    assert errors(versions, machine, "3.11") == []


@pytest.mark.parametrize("package", STANDING)
def test_what_stands_on_torch_is_locked_with_a_torch_that_runs(
    lock: Lock, cudafit: Run, pytorch: str, package: str
) -> None:
    versions = lock(package, *OLD)
    done = cudafit("resolve", package, *OLD, "--json", env={"CUDAFIT_PYTORCH_INDEX": pytorch}, timeout=600)
    [torch] = [pick for pick in json.loads(done.stdout)["picks"] if pick["name"] == "torch"]
    assert (torch["cuda"].partition(".")[0], torch["compat"]) == ("12", "minor"), torch
    assert (torch["version"], torch["variant"]) == ("2.14.1", "cu126") or package in OF_AN_OLDER_TORCH
    assert versions["torch"] in (torch["version"], f"{torch['version']}+{torch['variant']}")
    assert errors(versions, "rtx3090x2-535-debian", "3.12") == []
    # nvidia-cudnn-frontend wants this compiler with its parts for both.
    both = {"nvidia-cutlass-dsl-libs-cu13"} if "nvidia-cutlass-dsl-libs-cu12" in versions else set()
    assert {name for name in versions if name.endswith("-cu13") or "cuda13" in name} <= both
    unmarked = [name for name in versions if name.startswith("nvidia-") and "cu12" not in name]
    assert not [name for name in unmarked if name.removeprefix("nvidia-") in OF_CUDA_13], unmarked
    check = ("--check", "-o", "lock.txt", "--format", "requirements")
    env = {"CUDAFIT_PYTORCH_INDEX": pytorch}
    done = cudafit("resolve", package, *OLD, *check, env=env, timeout=600)
    assert done.returncode == 0, done.stderr
    done = cudafit("resolve", package, *NOT_ENOUGH, *check, env=env, timeout=600)
    assert done.returncode == 1
    assert "`lock.txt` does not fit" in done.stderr
