"""Locks as what a project needs, where no declaration says more."""

import json
import re
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.lock.quoted.kinds import LOCKS
from cudafit.model.declaration import Declaration
from cudafit.project.kinds import read_declaration

UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "mine"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "torch", version = "2.9.0+cu126", marker = "sys_platform == 'linux'" },
    { name = "torch", version = "2.9.0", marker = "sys_platform != 'linux'" },
    { name = "tool", extra = ["gpu"] },
]
[package.optional-dependencies]
docs = [{ name = "sphinx" }]

[[package]]
name = "torch"
version = "2.9.0+cu126"
source = { registry = "https://download.pytorch.org/whl/cu126" }
dependencies = [{ name = "triton", marker = "platform_machine == 'x86_64'" }]

[[package]]
name = "torch"
version = "2.9.0"
source = { registry = "https://mirror.example/simple" }

[[package]]
name = "triton"
version = "3.5.0"
source = { registry = "https://download.pytorch.org/whl/cu126" }

[[package]]
name = "tool"
version = "3"
source = { registry = "https://mirror.example/simple" }
[package.optional-dependencies]
gpu = [{ name = "cupy-cuda12x" }]

[[package]]
name = "cupy-cuda12x"
version = "13.6.0"
source = { registry = "https://mirror.example/simple" }

[[package]]
name = "sphinx"
version = "8"
source = { registry = "https://mirror.example/simple" }
"""
POETRY = """\
[[package]]
name = "torch"
version = "2.4.0+cu121"
groups = ["main"]
markers = "sys_platform == 'linux'"
files = []
[package.source]
type = "legacy"
url = "https://download.pytorch.org/whl/cu121"
reference = "pt"

[[package]]
name = "pytest"
version = "8.0"
groups = ["dev"]
files = []

[metadata]
lock-version = "2.1"
python-versions = ">=3.10,<3.13"
"""
PDM = """\
[metadata]
groups = ["default", "gpu"]
[[metadata.targets]]
requires_python = ">=3.10"
[[package]]
name = "jax"
version = "0.6.2"
groups = ["default"]
[[package]]
name = "cupy-cuda12x"
version = "13.6.0"
groups = ["gpu"]
marker = "sys_platform == 'linux'"
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "x"
requires-python = ">=3.11"
[[packages]]
name = "torch"
version = "2.9.0"
marker = "sys_platform == 'linux'"
index = "https://download.pytorch.org/whl/cpu"
[[packages.wheels]]
name = "torch-2.9.0-cp311-cp311-linux_x86_64.whl"
url = "https://download.pytorch.org/whl/torch-2.9.0-cp311-cp311-linux_x86_64.whl"
hashes = { sha256 = "aa" }
"""
PIPFILE = json.dumps(
    {
        "_meta": {
            "requires": {"python_version": "3.10"},
            "sources": [{"name": "pt", "url": "https://download.pytorch.org/whl/cu118"}],
        },
        "default": {"torch": {"version": "==2.1.0", "index": "pt", "markers": "python_version >= '3.8'"}},
        "develop": {"pytest": {"version": "==8.0"}},
    }
)
PIXI = """\
version: 6
environments:
  default:
    channels: [{url: "https://channel.example/conda-forge/"}]
    packages: {linux-64: [{conda: "https://channel.example/conda-forge/linux-64/pytorch-2.9.1-cuda129_py312_0.conda"}]}
packages:
- conda: https://channel.example/conda-forge/linux-64/pytorch-2.9.1-cuda129_py312_0.conda
  sha256: aa
- conda: https://channel.example/conda-forge/win-64/jaxlib-0.6.2-cpu_0.conda
  sha256: aa
- pypi: https://mirror.example/transformers-5.0-py3-none-any.whl
  name: transformers
  version: '5.0'
"""
TEXTS = {
    "uv.lock": UV,
    "poetry.lock": POETRY,
    "pdm.lock": PDM,
    "pylock.toml": PYLOCK,
    "Pipfile.lock": PIPFILE,
    "pixi.lock": PIXI,
}


def held(folder: Path, name: str) -> Declaration:
    (folder / name).write_text(TEXTS[name])
    found = read_declaration(str(folder / name), kinds=LOCKS)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "wanted", "python", "indexes", "groups"),
    [
        (
            "uv.lock",
            {
                "torch==2.9.0+cu126 ; sys_platform == 'linux'",
                "torch==2.9.0 ; sys_platform != 'linux'",
                "triton==3.5.0 ; (sys_platform == 'linux') and (platform_machine == 'x86_64')",
                "tool==3",
                "cupy-cuda12x==13.6.0",
            },
            [">=3.11"],
            ["https://download.pytorch.org/whl/cu126", "https://mirror.example/simple"],
            [],
        ),
        (
            "poetry.lock",
            {"torch==2.4.0+cu121 ; sys_platform == 'linux'"},
            [">=3.10,<3.13"],
            ["https://download.pytorch.org/whl/cu121"],
            ["dev"],
        ),
        ("pdm.lock", {"jax==0.6.2"}, [">=3.10"], [], ["gpu"]),
        (
            "pylock.toml",
            {'torch==2.9.0 ; sys_platform == "linux"'},
            [">=3.11"],
            ["https://download.pytorch.org/whl/cpu"],
            [],
        ),
        (
            "Pipfile.lock",
            {"torch==2.1.0 ; python_version >= '3.8'"},
            ["==3.10.*"],
            ["https://download.pytorch.org/whl/cu118"],
            ["dev"],
        ),
        ("pixi.lock", {"torch==2.9.1", "transformers==5.0"}, [], [], []),
    ],
)
def test_what_a_lock_holds(
    tmp_path: Path, name: str, wanted: set[str], python: list[str], indexes: list[str], groups: list[str]
) -> None:
    found = held(tmp_path, name)
    assert {one.text for one in found.wanted} == wanted
    assert [one.specifier for one in found.python] == python
    assert sorted({one.index for one in found.sources if one.index}) == indexes
    assert sorted(found.groups) == groups


def test_the_line_of_a_package_and_the_build_of_conda(tmp_path: Path) -> None:
    found = held(tmp_path, "uv.lock")
    assert sorted(re.sub(r".*:", "", one.origin) for one in found.wanted) == ["17", "23", "28", "33", "40"]
    assert [(one.variant, one.package) for one in held(tmp_path, "pixi.lock").chosen] == [("cu129", "torch")]


@pytest.mark.parametrize("name", TEXTS)
def test_a_broken_lock_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(TEXTS[name][: len(TEXTS[name]) // 2] + "\n[[[")
    with pytest.raises(InputError, match="cannot be read as a lock"):
        read_declaration(str(path), kinds=LOCKS)
