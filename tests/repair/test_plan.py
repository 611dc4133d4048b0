"""From findings to steps: what each kind of broken environment asks for, and what stays."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.whole import request_of
from cudafit.doctor.wish import wish_of
from cudafit.doctor.world import World
from cudafit.model.environment import VENV, Environment
from cudafit.model.finding import ERROR, Change, Finding, Fix, Report, Wish
from cudafit.model.plan import Plan
from cudafit.repair.carry_out import errors_left
from cudafit.repair.engines.plans import not_as_planned
from cudafit.repair.engines.venv_plan import plan_of, preferred, versions_in
from tests.doctor.worlds import CU126, CU132, CUDA_LIBRARIES, FACTS, environment, machine, tensorflow, torch, tree

HOST = machine("rtx4090-550")
NEW = machine("h100x8-580")


def world(
    folder: Path, files: Mapping[str, str | bytes], dists: Sequence[str], given: object = None
) -> tuple[World, Environment]:
    made = environment(tree(folder / "e", files, dists))
    seen = World(given or HOST, made, FACTS)  # type: ignore[arg-type]
    return seen, made


def wish(seen: World) -> Wish:
    return wish_of(diagnose(seen).findings, VENV)


def steps(plan: Plan) -> list[tuple[str, str, str | None, str | None]]:
    return [(step.action, step.package, step.before, step.after) for step in plan.steps]


def test_a_cpu_torch_is_chosen_anew_and_the_rest_is_held(tmp_path: Path) -> None:
    dists = ["torch==2.13.0", "torchvision==0.28.0", "numpy==2.1.0", "rich==13.9.4", "requests==2.32.0"]
    seen, made = world(tmp_path, torch("2.13.0+cpu", None), dists)
    found = wish(seen)
    assert set(found.change.choose) == {"torch", "torchvision"}
    assert found.why["torch"] == "torch.cpu_wheel"
    request = request_of(found.change, made, FACTS)
    assert {one.name for one in request.wanted} == {"torch", "torchvision", "numpy", "rich", "requests"}
    assert request.prefer == "installed"
    assert preferred(made, found, FACTS) == {"numpy": "2.1.0", "rich": "13.9.4", "requests": "2.32.0"}
    locked = {"torch": "2.13.0+cu126", "torchvision": "0.28.0+cu126", "nvidia-cudnn-cu12": "9.10.2.21"}
    locked |= {"numpy": "2.1.0", "rich": "13.9.4", "requests": "2.32.0"}
    plan = plan_of(found, made, FACTS, locked, {"torch": "pytorch-cu126", "torchvision": "pytorch-cu126"})
    assert steps(plan) == [
        ("install", "nvidia-cudnn-cu12", None, "9.10.2.21"),
        ("replace", "torch", "2.13.0+cpu", "2.13.0+cu126"),
        ("replace", "torchvision", "0.28.0", "0.28.0+cu126"),
    ]


def test_the_same_version_from_the_default_index_is_another_build(tmp_path: Path) -> None:
    seen, made = world(tmp_path, torch("2.13.0+cpu", None), ["torch==2.13.0"], NEW)
    plan = plan_of(wish(seen), made, FACTS, {"torch": "2.13.0"}, {})
    assert steps(plan) == [("replace", "torch", "2.13.0+cpu", "2.13.0")]


def test_a_healthy_environment_asks_nothing(tmp_path: Path) -> None:
    seen, _ = world(tmp_path, torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"])
    found = wish(seen)
    assert (found.change.choose, found.change.install, found.change.remove) == ((), (), ())


def test_libraries_of_the_old_build_go_and_those_of_others_stay(tmp_path: Path) -> None:
    dists = [
        "torch==2.15.0; needs nvidia-cudnn-cu13==9.1 & nvidia-nccl-cu13==2 & triton==3.5 & sympy",
        "nvidia-cudnn-cu13==9.1; needs nvidia-cublas",
        "nvidia-cublas==13.1",
        "nvidia-nccl-cu13==2",
        "triton==3.5",
        "sympy==1.13",
        "cupy-cuda13x==14.0.0; needs nvidia-nccl-cu13",
        "nvidia-ml-py==12.0",
    ]
    _, made = world(tmp_path, torch("2.15.0+cu132", "13.2", CU132), dists)
    found = Wish(Change(choose=("torch",)))
    locked = {"torch": "2.14.1+cu126", "sympy": "1.13", "triton": "3.4", "nvidia-ml-py": "12.0"}
    plan = plan_of(found, made, FACTS, locked, {"torch": "pytorch-cu126"})
    gone = [step.package for step in plan.steps if step.action == "remove"]
    assert gone == ["nvidia-cublas", "nvidia-cudnn-cu13"], "nccl is cupy's too"
    assert "sympy" not in [step.package for step in plan.steps]


def test_what_comes_from_elsewhere_is_not_touched(tmp_path: Path) -> None:
    files = {
        **torch("2.13.0+cpu", None),
        "SITE/mine-1.0.dist-info/direct_url.json": '{"url": "file:///home/x/mine", "dir_info": {"editable": true}}',
    }
    seen, made = world(tmp_path, files, ["torch==2.13.0", "mine==1.0; needs numpy<2 & torch"])
    found = wish(seen)
    request = request_of(found.change, made, FACTS)
    names = [(one.name, one.specifier) for one in request.wanted]
    assert ("mine", "") not in names
    assert ("numpy", "<2") in names, "what it needs still holds"
    plan = plan_of(found, made, FACTS, {"torch": "2.13.0+cu126"}, {"torch": "pytorch-cu126"})
    assert plan.untouched == ("mine",)


def test_two_names_of_one_folder(tmp_path: Path) -> None:
    files = {"SITE/onnxruntime/__init__.py": ""}
    seen, made = world(tmp_path, files, ["onnxruntime==1.20.0", "onnxruntime-gpu==1.20.0"])
    found = wish(seen)
    assert set(found.change.remove) == {"onnxruntime", "onnxruntime-gpu"}
    assert found.change.install == ("onnxruntime-gpu==1.20.0",)
    plan = plan_of(found, made, FACTS, {"onnxruntime-gpu": "1.20.0"}, {})
    assert steps(plan) == [
        ("remove", "onnxruntime", "1.20.0", None),
        ("reinstall", "onnxruntime-gpu", "1.20.0", "1.20.0"),
    ]


def test_tensorflow_under_its_cpu_name(tmp_path: Path) -> None:
    seen, made = world(tmp_path, tensorflow(None), ["tensorflow-cpu==2.20.0", "keras==3.10"])
    found = wish(seen)
    assert (found.change.choose, found.change.remove) == (("tensorflow",), ("tensorflow-cpu",))
    plan = plan_of(found, made, FACTS, {"tensorflow": "2.20.0", "keras": "3.10"}, {})
    assert steps(plan) == [
        ("remove", "tensorflow-cpu", "2.20.0", None),
        ("install", "tensorflow", None, "2.20.0"),
    ]


def test_a_torch_with_two_dist_infos(tmp_path: Path) -> None:
    files = {
        **torch("2.14.1+cu126", "12.6", CU126),
        "SITE/torch-2.9.0.dist-info/METADATA": "Name: torch\nVersion: 2.9.0\n",
    }
    seen, made = world(tmp_path, files, ["torch==2.14.1"])
    found = wish(seen)
    assert (found.change.choose, found.change.remove) == (("torch",), ("torch",))
    plan = plan_of(found, made, FACTS, {"torch": "2.14.1+cu126"}, {"torch": "pytorch-cu126"})
    assert steps(plan) == [("reinstall", "torch", "2.14.1+cu126", "2.14.1+cu126")]


def test_libraries_of_two_cudas_are_removed_and_those_needed_come_back(tmp_path: Path) -> None:
    dists = ["torch==2.14.1; needs nvidia-cudnn-cu12==9.10.2.21", "nvidia-cudnn-cu12==9.10.2.21"]
    files = {**torch("2.14.1+cu126", "12.6", CU126), **CUDA_LIBRARIES}
    seen, made = world(tmp_path, files, [*dists, "nvidia-cudnn-cu13==9.20.0.48"])
    found = wish(seen)
    assert {"nvidia-cudnn-cu12", "nvidia-cudnn-cu13"} <= set(found.change.remove)
    plan = plan_of(found, made, FACTS, {"torch": "2.14.1", "nvidia-cudnn-cu12": "9.10.2.21"}, {})
    assert steps(plan) == [
        ("remove", "nvidia-cudnn-cu13", "9.20.0.48", None),
        ("reinstall", "nvidia-cudnn-cu12", "9.10.2.21", "9.10.2.21"),
    ]


def test_numpy_2_beside_an_old_torch(tmp_path: Path) -> None:
    seen, made = world(tmp_path, torch("2.1.0+cu121", "12.1", CU126), ["torch==2.1.0", "numpy==2.1.0"])
    found = wish(seen)
    assert found.change.install == ("numpy<2",)
    assert ("numpy", "<2") in [(one.name, one.specifier) for one in request_of(found.change, made, FACTS).wanted]


def test_requirements_of_two_findings_are_joined() -> None:
    def one(text: str) -> Finding:
        fix = Fix("x", (("uv",),), automatic=True, change=Change(install=(text,)))
        return Finding("lib.nvidia_dist_conflict", ERROR, "libraries", text, (), fix)

    report = Report("error", None, (one("a[x]>=1"), one("a[y]<2"), one("b")), (), None, ())
    assert wish_of(report.findings, VENV).change.install == ("a[x,y]>=1,<2", "b")


def test_what_needs_root_is_left_to_people() -> None:
    driver = Finding("driver.not_loaded", ERROR, "driver", "x", (), Fix("install it", (("apt",),), root=True))
    folded = replace(driver, id="dev.permission", explained_by="driver.not_loaded")
    report = Report("error", "driver.not_loaded", (driver, folded), (), None, ())
    found = wish_of(report.findings, VENV)
    assert found.by_hand == (driver,)
    assert found.change.choose == ()


@pytest.mark.parametrize(
    ("locked", "told"),
    [
        ({"torch": "2.14.1"}, "torch should be 2.14.1, and 2.13.0 is there"),
        ({"torch": "2.13.0", "extra": "1"}, "extra should be 1, and nothing is there"),
    ],
)
def test_a_result_that_is_not_as_planned(locked: dict[str, str], told: str, tmp_path: Path) -> None:
    seen, made = world(tmp_path, torch("2.13.0+cpu", None), ["torch==2.13.0"])
    before = diagnose(seen)
    plan = plan_of(wish_of(before.findings, VENV), made, FACTS, locked, {})
    assert told in not_as_planned(plan.steps, versions_in(made))
    (left,) = errors_left(plan, before, before)
    assert "torch.cpu_wheel is still found" in left
