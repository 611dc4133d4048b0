"""Pythons and conda installations, found without running any."""

from pathlib import Path

import pytest

from cudafit.machine.conda import read_conda
from cudafit.machine.environment import overrides, read_environment
from cudafit.machine.pythons import read_pythons, version_of
from cudafit.model.machine import Override
from tests.machine.trees import ELF_X86_64, Link, image, problems


def test_pythons_of_the_system_pyenv_and_uv(tmp_path: Path) -> None:
    context = image(
        tmp_path,
        {
            "/usr/bin/python3.11": ELF_X86_64,
            "/usr/bin/python3": Link("python3.11"),
            "/usr/bin/python3.11-config": ELF_X86_64,
            "/home/me/.pyenv/versions/3.12.1/bin/python3.12": ELF_X86_64,
            "/home/me/.pyenv/versions/3.12.1/bin/python": Link("python3.12"),
            "/home/me/.local/share/uv/python/cpython-3.13.2-linux-x86_64-gnu/bin/python3.13": ELF_X86_64,
        },
    )
    assert [(python.version, python.via) for python in read_pythons(context)] == [
        ("3.13.2", "uv folder"),
        ("3.12.1", "pyenv folder"),
        ("3.11", "file name"),
    ]


def test_shims_are_no_pythons_and_broken_links_are_named(tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/bin/python3.12": "#!/bin/sh\n", "/usr/bin/python3": Link("python3.9")})
    assert read_pythons(context) == ()
    assert problems(context) == ["pythons: /usr/bin/python3 is a broken link to python3.9"]


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/usr/bin/python3.11", "3.11"),
        ("/home/me/.pyenv/versions/3.12.1/bin/python3.12", "3.12.1"),
        ("/usr/bin/python", None),
        ("/usr/bin/python3.11d", None),
    ],
)
def test_version_from_where_it_lies(path: str, version: str | None) -> None:
    found = version_of(path)
    assert (found[0] if found else None) == version


def test_conda_roots(tmp_path: Path) -> None:
    context = image(
        tmp_path,
        {
            "/opt/miniforge3/conda-meta/conda-24.5.0-py312h7900ff3_0.json": "{}",
            "/opt/miniforge3/conda-meta/mamba-1.5.8-py312_0.json": "{}",
            "/home/me/micromamba/envs/x/conda-meta/history": "",
            "/opt/conda/readme": "",
        },
    )
    found = [(base.kind, base.path, base.version) for base in read_conda(context)]
    assert found == [("micromamba", "/home/me/micromamba", None), ("conda", "/opt/miniforge3", "24.5.0")]


def test_only_named_variables_are_kept() -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "", "HF_TOKEN": "secret", "LD_LIBRARY_PATH": "/x"}
    assert read_environment(environ) == {"CUDA_VISIBLE_DEVICES": "", "LD_LIBRARY_PATH": "/x"}


def test_overrides() -> None:
    assert overrides({"CONDA_OVERRIDE_CUDA": "", "UV_CUDA_DRIVER_VERSION": "550.54.15"}) == (
        Override("CONDA_OVERRIDE_CUDA", "driver.cuda", ""),
        Override("UV_CUDA_DRIVER_VERSION", "driver.version", "550.54.15"),
    )
