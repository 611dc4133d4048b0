"""Every kind of file in which people keep what a project needs: what is read of each, and where it stands."""

import re
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.model.declaration import Declaration
from cudafit.project.kinds import KINDS, kind_of, read_declaration
from tests import own_code

PYPROJECT = """\
[project]
name = "mine"
requires-python = ">=3.10,<3.13"
dependencies = [
    "torch>=2.5 ; sys_platform == 'linux'",
    "numpy",
]
[project.optional-dependencies]
gpu = ["cupy-cuda12x"]
all = ["mine[gpu]"]
[dependency-groups]
base = ["jax"]
dev = ["pytest", {include-group = "base"}, {include-group = "dev"}]
[tool.uv]
default-groups = ["dev"]
[tool.uv.sources]
torch = [{index = "cu118", extra = "gpu"}, {index = "cpu"}]
own = {path = "lib"}
[[tool.uv.index]]
name = "cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
"""
POETRY = """\
[tool.poetry]
name = "mine"
[tool.poetry.dependencies]
python = "^3.9"
torch = {version = "~2.4", source = "pt"}
numpy = "1.26.4"
opt = {version = "^1.2", optional = true}
far = "^1 || ^3"
tree = {git = "https://example.org/tree.git"}
[tool.poetry.extras]
more = ["opt"]
[tool.poetry.group.gpu.dependencies]
cupy-cuda12x = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
sphinx = "^7"
[tool.poetry.dev-dependencies]
tensorflow = "^2.8"
within = "^2.4.0+cu124"
near = "~2.4.0+cu124"
[[tool.poetry.source]]
name = "pt"
url = "https://download.pytorch.org/whl/cu121"
priority = "explicit"
"""
PIXI = """\
[workspace]
channels = ["conda-forge"]
[dependencies]
python = "3.11.*"
pytorch-gpu = ">=2.6,<3"
numpy = {version = "*"}
[pypi-dependencies]
transformers = {version = ">=4", extras = ["torch"]}
[target.linux-64.dependencies]
cuda-version = "12.6.*"
[target.win-64.dependencies]
tensorflow = "*"
[feature.jax.dependencies]
jax = "*"
[feature.main.dependencies]
cupy = ">=13"
[environments]
default = ["main"]
"""
PIPFILE = """\
[[source]]
url = "https://mirror.example/simple"
name = "main"
[[source]]
url = "https://download.pytorch.org/whl/cu113/"
name = "pt"
[packages]
torch = {version = "==1.11.0+cu113", index = "pt"}
numpy = "*"
[dev-packages]
pytest = "*"
[requires]
python_version = "3.8.12"
"""
CONDA = """\
name: mine
channels: [pytorch, conda-forge]
dependencies:
  - python=3.9
  - conda-forge::pytorch=2.0.*
  - torchvision ==0.15=py39_cu118
  - dgl-cuda11.1
  - pytorch-cuda=11.8
  - pip
  - pip:
      - bitsandbytes==0.40.0; sys_platform == 'linux'
      - git+https://github.com/pytorch/vision.git
      - -r more.txt
"""
SETUP_CFG = """\
[metadata]
name = mine
[options]
python_requires = >=3.9, <3.12
install_requires =
    torch>=2
    # not this
    numpy
[options.extras_require]
gpu = cupy-cuda12x; jax
"""
SETUP_PY = """\
import os, torch
from setuptools import setup, find_packages
raise SystemExit("it was run")
base = ["torch>=2", "numpy"]
extra = {"gpu": ["cupy-cuda12x"]}
setup(
    name="mine",
    install_requires=base + ["scipy"] + open("requirements.txt").read().splitlines(),
    extras_require={"gpu": extra["gpu"], "all": read()},
    python_requires=">=3.9",
)
"""
SCRIPT = """\
#!/usr/bin/env -S uv run
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "torch",
# ]
# [tool.uv.sources]
# torch = {index = "cpu"}
# [[tool.uv.index]]
# name = "cpu"
# url = "https://download.pytorch.org/whl/cpu"
# ///
import torch
"""
DOCKERFILE = """\
FROM python:3.10-slim AS build
RUN pip install tensorflow
FROM pytorch/pytorch:2.1.0-cuda11.8-cudnn8-runtime
ENV PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cu118
RUN pip3 install --no-cache-dir "torchvision>=0.16" jax \\
    && pip install -r requirements.txt -r nowhere.txt
RUN conda install -y -c conda-forge cupy=12
"""
NOTEBOOK = """{"cells": [{"cell_type": "markdown", "source": "%pip install nothing"},
 {"cell_type": "code", "source": ["%pip install -q torch==2.4.0 \\\\\\n", "  numpy\\n", "import torch"]},
 {"cell_type": "code", "source": "!uv pip install jax"}]}"""


def read(folder: Path, name: str, text: str) -> Declaration:
    (folder / name).write_text(text)
    (folder / "requirements.txt").write_text("scipy\n")
    (folder / "more.txt").write_text("--extra-index-url https://other.example/simple\nxformers\n")
    found = read_declaration(str(folder / name))
    assert found is not None
    return found


def said(found: Declaration) -> list[str]:
    """Each requirement with its line."""
    return [f"{one.text} @{re.sub(r'.*[/:]', '', one.origin)}" for one in found.wanted]


def test_a_pyproject_of_uv(tmp_path: Path) -> None:
    found = read(tmp_path, "pyproject.toml", PYPROJECT)
    assert found.kind == "uv"
    assert said(found) == ["torch>=2.5 ; sys_platform == 'linux' @5", "numpy @6"]
    assert {name: [one.text for one in wants] for name, wants in found.extras.items()} == {
        "gpu": ["cupy-cuda12x"],
        "all": ["mine[gpu]"],
    }
    assert [one.text for one in found.groups["dev"]] == ["pytest", "jax"]
    assert [(one.specifier, one.origin.rpartition(":")[2]) for one in found.python] == [(">=3.10,<3.13", "3")]
    assert [(one.package, one.index, one.extra, one.local) for one in found.sources] == [
        ("torch", "cu118", "gpu", None),
        ("torch", "cpu", None, None),
        ("own", None, None, "lib"),
    ]
    assert [(one.name, one.explicit) for one in found.indexes] == [("cpu", True)]
    assert [one.partition(": ")[2] for one in found.unread] == ["the group `dev` includes itself, by `dev`"]


def test_a_pyproject_of_poetry(tmp_path: Path) -> None:
    found = read(tmp_path, "pyproject.toml", POETRY)
    assert found.kind == "poetry"
    assert said(found) == [
        "torch>=2.4,<2.5 @5",
        "numpy==1.26.4 @6",
        "far @8",
        "tree @ git+https://example.org/tree.git @9",
        "cupy-cuda12x @13",
    ]
    assert [one.specifier for one in found.python] == [">=3.9,<4"]
    assert [one.text for one in found.extras["more"]] == ["opt>=1.2,<2"]
    assert [one.text for one in found.groups["docs"]] == ["sphinx>=7,<8"]
    assert [one.text for one in found.groups["dev"]] == ["tensorflow>=2.8,<3", "within>=2.4.0,<3", "near>=2.4.0,<2.5"]
    assert [(one.package, one.index) for one in found.sources] == [("torch", "pt")]
    assert "`far ^1 || ^3` is no range that is known here" in found.unread[0]


@pytest.mark.parametrize("name", ["pixi.toml", "pyproject.toml"])
def test_pixi(tmp_path: Path, name: str) -> None:
    text = PIXI if name == "pixi.toml" else re.sub(r"(?m)^\[", "[tool.pixi.", PIXI)
    found = read(tmp_path, name, text)
    assert found.kind == ("pixi" if name == "pixi.toml" else "pixi-pyproject")
    assert found.conda
    assert said(found) == ["torch>=2.6,<3 @5", "numpy @6", "transformers[torch]>=4 @8", "cupy>=13 @16"]
    assert [(one.variant, one.package) for one in found.chosen] == [("cu126", None)]
    assert [one.text for one in found.groups["jax"]] == ["jax"]
    assert [one.specifier for one in found.python] == ["==3.11.*"]


def test_a_pipfile(tmp_path: Path) -> None:
    found = read(tmp_path, "Pipfile", PIPFILE)
    assert said(found) == ["torch==1.11.0+cu113 @8", "numpy @9"]
    assert [one.text for one in found.groups["dev"]] == ["pytest"]
    assert [one.specifier for one in found.python] == ["==3.8.*"]
    assert [(one.name, one.default, one.explicit) for one in found.indexes] == [
        ("main", True, False),
        ("pt", False, True),
    ]


@pytest.mark.parametrize("name", ["environment.yml", "SE3nv.yaml"])
def test_an_environment_of_conda_whatever_its_name(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, name, CONDA)
    assert (found.kind, found.conda) == ("conda", True)
    assert said(found) == [
        "torch==2.0.* @5",
        "torchvision==0.15 @6",
        "dgl @7",
        "bitsandbytes==0.40.0; sys_platform == 'linux' @11",
        "xformers @2",
        "torchvision @ git+https://github.com/pytorch/vision.git @12",
    ]
    assert [(one.variant, one.package) for one in found.chosen] == [
        ("cu118", "torchvision"),
        ("cu111", "dgl"),
        ("cu118", None),
    ]
    assert [one.specifier for one in found.python] == ["==3.9.*"]
    assert [one.url for one in found.indexes] == ["https://other.example/simple"]
    [told] = [one for one in found.unread if "channel" in one]
    assert told.endswith(":2: the channel `pytorch` is not asked: what it had is taken from conda-forge")


def test_setup_cfg(tmp_path: Path) -> None:
    found = read(tmp_path, "setup.cfg", SETUP_CFG)
    assert said(found) == ["torch>=2 @6", "numpy @8"]
    assert [one.text for one in found.extras["gpu"]] == ["cupy-cuda12x", "jax"]
    assert [one.specifier for one in found.python] == [">=3.9,<3.12"]
    (tmp_path / "setup.cfg").write_text("[flake8]\nmax-line-length = 100\n")
    assert read_declaration(str(tmp_path / "setup.cfg")) is None


def test_setup_py_is_read_and_never_run(tmp_path: Path) -> None:
    found = read(tmp_path, "setup.py", SETUP_PY)
    assert [one.text for one in found.wanted] == ["torch>=2", "numpy", "scipy"]
    assert [one.text for one in found.extras["gpu"]] == ["cupy-cuda12x"]
    assert [one.specifier for one in found.python] == [">=3.9"]
    assert [re.sub(r".*setup\.py:", "", one) for one in found.unread] == [
        "8: a list of requirements is computed, and nothing is run to learn it",
        "9: a list of requirements is computed, and nothing is run to learn it",
    ]


def test_a_list_that_changes_later_is_not_believed(tmp_path: Path) -> None:
    text = "from setuptools import setup\nneeds = ['torch']\nneeds = []\nsetup(install_requires=needs)\n"
    assert read(tmp_path, "setup.py", text).unread
    text = "from setuptools import setup\nneeds = ['numpy']\nneeds.append('torch')\nsetup(install_requires=needs)\n"
    assert read(tmp_path, "setup.py", text).unread


def test_the_head_of_a_script(tmp_path: Path) -> None:
    found = read(tmp_path, "train.py", SCRIPT)
    assert found.kind == "pep723"
    assert said(found) == ["torch @5"]
    assert [(one.specifier, one.origin.rpartition(":")[2]) for one in found.python] == [(">=3.11", "3")]
    assert [(one.package, one.index) for one in found.sources] == [("torch", "cpu")]
    (tmp_path / "train.py").write_text("import torch\n")
    assert read_declaration(str(tmp_path / "train.py")) is None


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu", "train.Dockerfile"])
def test_a_dockerfile(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, name, DOCKERFILE)
    assert [one.text for one in found.wanted] == ["torch==2.1.0", "cupy==12.*", "torchvision>=0.16", "jax", "scipy"]
    assert [(one.variant, one.package) for one in found.chosen] == [("cu118", "torch")]
    assert {one.url for one in found.indexes} == {"https://download.pytorch.org/whl/cu118"}
    assert [re.sub(r".*:\d+: ", "", one) for one in found.unread] == ["`nowhere.txt` is not in this folder"]


def test_a_notebook(tmp_path: Path) -> None:
    found = read(tmp_path, "train.ipynb", NOTEBOOK)
    assert [one.text for one in found.wanted] == ["torch==2.4.0", "numpy", "jax"]
    assert found.wanted[0].origin.endswith("train.ipynb, cell 2")


def test_requirements_with_what_others_stop_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPY_VERSION", "1.26.4")
    monkeypatch.setenv("SECRET", "hunter2 is no version")
    (tmp_path / "pkg").mkdir()
    text = """\
numpy==${NUMPY_VERSION}
torch==${SECRET} ; sys_platform == 'linux'
tool @ https://${TOKEN}@example.org/tool-1-py3-none-any.whl
https://example.org/w/bitsandbytes-0.40.0-py3-none-win_amd64.whl ; sys_platform == 'win32'
torch@https://example.org/torch-1.13.1%2Bcu116-cp38-cp38-win_amd64.whl
git+https://example.org/x/peft.git@v1
-e ./pkg[gpu]
-e git+https://example.org/y.git#egg=why
--trusted-host example.org
"""
    found = read(tmp_path, "r.txt", text)
    assert [(one.name, one.marker is not None) for one in found.wanted] == [
        ("numpy", False),
        ("torch", True),
        ("tool", False),
        ("torch", False),
        ("bitsandbytes", True),
        ("peft", False),
        ("why", False),
    ]
    assert found.wanted[0].specifier == "==1.26.4"
    assert [(one.path, one.extras) for one in found.local] == [(str(tmp_path / "pkg"), ("gpu",))]
    assert found.lines == ("--trusted-host example.org",)
    assert [re.sub(r".*: ", "", one) for one in found.unread] == [
        "the variable SECRET holds no version here, so any will do"
    ]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("pyproject.toml", PYPROJECT + "[tool.broken\n", "is not TOML"),
        ("Pipfile", "[packages\n", "is not TOML"),
        ("environment.yml", "dependencies:\n  - [\n", "is not YAML"),
        ("environment.yml", "dependencies: torch\n", "must be a list"),
        ("setup.cfg", "[options\n", "is not INI"),
        ("setup.py", "print 'two'\n", "is not Python"),
        ("Dockerfile", "RUN pip install torch\n", "no FROM"),
        ("a.ipynb", "{}", "is not a notebook"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, text: str, error: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, name, text)
    assert error in str(caught.value)


def test_the_name_tells_the_kind_or_the_content() -> None:
    for kind in KINDS:
        assert kind_of(f"some/folder/{kind.example}", "") is kind
    assert kind_of("anything", "torch\n").name == "requirements"
    assert kind_of("requirements-cublas12.txt", "").name == "requirements"


def test_every_module_of_a_kind_is_in_the_table() -> None:
    modules = {one.name.rpartition("/")[2] for one in own_code.modules() if one.name.startswith("project/kinds/")}
    tables = {"poetry_tables.py", "pixi_tables.py", "__init__.py"}
    assert len(modules - tables) == len(KINDS)
