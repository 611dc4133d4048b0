"""A fix in the words of the manager that keeps the environment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.managers import in_words_of
from cudafit.doctor.managers.work import Work
from cudafit.doctor.world import World
from cudafit.model.finding import Asks, Claim, Fix, Manager, Owner
from cudafit.model.requirement import Need
from cudafit.system.commands import joined
from tests.doctor.worlds import FACTS, environment, machine, torch, tree

CU126 = ("pytorch-cu126", "https://index.example/whl/cu126")
TORCH = Need("torch==2.14.1+cu126", *CU126)
VISION = Need("torchvision==0.29.1+cu126", *CU126)
DECLARATIONS: dict[Manager, str] = {
    "pipenv": "Pipfile",
    "pixi": "pixi.toml",
    "hatch": "hatch.toml",
    "conda": "environment.yml",
}


def owner(manager: Manager, *asks: tuple[str, str]) -> Owner:
    declaration = f"/p/{DECLARATIONS.get(manager, 'pyproject.toml')}"
    return Owner(manager, "certain", "/p", declaration, None, asks=tuple(Asks(*one, "*") for one in asks))


def told(one: Owner, work: Work) -> list[str]:
    """Edits and commands, a line each."""
    found = in_words_of(one, work)
    assert found
    edits = [line for edit in found.edits for line in (f"{edit.path}: {edit.what}", *edit.lines)]
    return [*edits, *map(joined, found.commands)]


CASES: list[tuple[str, Owner, Work, Sequence[str]]] = [
    (
        "uv, where the packages stand",
        owner("uv", ("torch", "extra gpu"), ("torchvision", "group dev")),
        Work((TORCH, VISION)),
        (
            "/p/pyproject.toml: an index of its own",
            "[[tool.uv.index]]",
            'name = "pytorch-cu126"',
            'url = "https://index.example/whl/cu126"',
            "explicit = true",
            "",
            "[tool.uv.sources]",
            'torch = { index = "pytorch-cu126" }',
            'torchvision = { index = "pytorch-cu126" }',
            "uv add --project /p --optional gpu torch==2.14.1+cu126",
            "uv add --project /p --group dev torchvision==0.29.1+cu126",
        ),
    ),
    (
        "uv, from the default index, with a bound",
        owner("uv"),
        Work((Need("jax[cuda12]==0.5.0"),), ("nvidia-cudnn-cu12<9.11",)),
        (
            "/p/pyproject.toml: a bound",
            "[tool.uv]",
            'constraint-dependencies = ["nvidia-cudnn-cu12<9.11"]',
            "uv add --project /p 'jax[cuda12]==0.5.0'",
        ),
    ),
    (
        "uv, what goes",
        owner("uv", ("onnxruntime", "dependencies")),
        Work((Need("onnxruntime-gpu"),), remove=("onnxruntime",)),
        (
            "uv remove --project /p onnxruntime",
            "uv sync --project /p --upgrade-package onnxruntime-gpu --reinstall-package onnxruntime-gpu",
        ),
    ),
    (
        "uv, what goes and nothing declares",
        owner("uv"),
        Work(remove=("nvidia-cudnn-cu12",)),
        ("uv sync --project /p",),
    ),
    (
        "poetry",
        owner("poetry", ("torch", "group gpu")),
        Work((TORCH, Need("numpy<2")), remove=("triton",)),
        (
            "poetry source add --directory /p --priority explicit pytorch-cu126 https://index.example/whl/cu126",
            "poetry add --directory /p --group gpu --source pytorch-cu126 torch==2.14.1+cu126",
            "poetry add --directory /p 'numpy<2'",
            "poetry sync --directory /p",
        ),
    ),
    (
        "pdm",
        owner("pdm", ("torch", "group dev")),
        Work((TORCH, VISION), remove=("triton",)),
        (
            "/p/pyproject.toml: a source of its own",
            "[[tool.pdm.source]]",
            'name = "pytorch-cu126"',
            'url = "https://index.example/whl/cu126"',
            'include_packages = ["torch", "torchvision"]',
            'exclude_packages = ["*"]',
            "pdm add --project /p -dG dev torch==2.14.1+cu126",
            "pdm add --project /p torchvision==0.29.1+cu126",
            "pdm sync --project /p --clean",
        ),
    ),
    (
        "pipenv",
        owner("pipenv", ("torch", "group dev")),
        Work((TORCH, Need("numpy<2"))),
        (
            "pipenv install --dev --index https://index.example/whl/cu126 torch==2.14.1+cu126",
            "pipenv run pip uninstall --yes torch",
            "pipenv sync --dev",
            "pipenv install 'numpy<2'",
        ),
    ),
    (
        "hatch",
        owner("hatch"),
        Work((TORCH,)),
        (
            "/p/hatch.toml: among its `dependencies`",
            '"torch==2.14.1+cu126",',
            "/p/hatch.toml: where its packages come from; the table is there once",
            "[envs.default.env-vars]",
            'PIP_EXTRA_INDEX_URL = "https://index.example/whl/cu126"',
            'UV_INDEX = "https://index.example/whl/cu126"',
            "hatch env prune",
            "hatch env create",
        ),
    ),
    (
        "pixi, by conda's packages",
        owner("pixi", ("pytorch", "feature gpu")),
        Work((Need("pytorch=2.7.1=cuda126*"),), conda=True, cuda="12.6"),
        (
            "/p/pixi.toml: the CUDA that the solver counts on",
            "[system-requirements]",
            'cuda = "12"',
            "pixi add --manifest-path /p/pixi.toml --feature gpu 'pytorch=2.7.1=cuda126*'",
        ),
    ),
    (
        "pixi, by packages of pip",
        owner("pixi"),
        Work((TORCH,)),
        (
            "/p/pixi.toml: packages with an index of their own",
            "[pypi-dependencies]",
            'torch = { version = "==2.14.1+cu126", index = "https://index.example/whl/cu126" }',
            "pixi install --manifest-path /p/pixi.toml",
        ),
    ),
    (
        "conda, whose file says the same; its command is the environment's",
        owner("conda"),
        Work((Need("pytorch=2.7.1=cuda126*"),), conda=True),
        ("/p/environment.yml: among its `dependencies`", "- pytorch=2.7.1=cuda126*"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_in_its_words(case: tuple[str, Owner, Work, Sequence[str]]) -> None:
    _, one, work, wanted = case
    assert tuple(told(one, work)) == tuple(wanted)


@pytest.mark.parametrize("one", [None, Owner("pip", "likely"), Owner("conda", "certain"), Owner(None, "no")])
def test_where_nothing_is_declared_the_environment_alone_is_changed(one: Owner | None) -> None:
    assert in_words_of(one, Work((TORCH,))) is None


def fix(tmp_path: Path, one: Owner | None) -> Fix:
    found = environment(tree(tmp_path / "e", torch("2.14.1+cpu", None), ("torch==2.14.1",)))
    report = diagnose(World(machine(), replace(found, owner=one), FACTS))
    assert report.owner == one
    cause = next(one for one in report.findings if one.id == "torch.cpu_wheel")
    assert bool(report.repair) == (one is None or one.manager == "uv")
    assert cause.fix
    assert cause.fix.automatic
    assert cause.fix.change
    return cause.fix


def test_doctor_says_it(tmp_path: Path) -> None:
    said = fix(tmp_path, owner("uv", ("torch", "dependencies")))
    assert [joined(command) for command in said.commands] == ["uv add --project /p torch==2.14.1+cu126"]
    assert "explicit = true" in said.edits[0].lines
    alone = fix(tmp_path, None)
    assert alone.commands[0][:3] == ("uv", "pip", "install")
    assert not alone.edits


def test_doctor_takes_no_side(tmp_path: Path) -> None:
    claims = tuple(Claim(name, "/p", None, None, ()) for name in ("uv", "poetry"))
    said = fix(tmp_path, Owner(None, "no", others=claims))
    assert said.text.endswith("; uv and poetry both claim the environment: say it to the one that you use")
    assert said.commands[0][:3] == ("uv", "pip", "install")
