"""conda and its kin, by the records of what is installed."""

import os
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.conda import read_conda
from cudafit.machine.context import Context
from cudafit.model.machine import CondaInstallation
from tests.machine.trees import Folder, Link, Tree, image, plant, problems


def root(path: str, *records: str) -> Tree:
    return {f"{path}/conda-meta/history": "", **{f"{path}/conda-meta/{record}.json": "{}" for record in records}}


@pytest.mark.parametrize(
    ("tree", "environ", "found"),
    [
        pytest.param(
            root("/opt/miniconda3", "conda-24.5.0-py312_0", "conda-libmamba-solver-24.1.0-pyhd3eb1b0_0"),
            {},
            CondaInstallation("conda", "/opt/miniconda3", "24.5.0", "/opt"),
            id="miniconda",
        ),
        pytest.param(
            root("/root/miniforge3", "mamba-1.5.8-py310h51d5547_0", "conda-24.7.1-py310hff52083_0"),
            {},
            CondaInstallation("conda", "/root/miniforge3", "24.7.1", "home folder"),
            id="miniforge, with mamba beside conda",
        ),
        pytest.param(
            root("/home/ada/mambaforge", "mamba-2.0.5-h3b3ed47_0"),
            {},
            CondaInstallation("mamba", "/home/ada/mambaforge", "2.0.5", "home folder"),
            id="mamba alone",
        ),
        pytest.param(
            {"/home/ada/micromamba/envs": Folder()},
            {},
            CondaInstallation("micromamba", "/home/ada/micromamba", None, "home folder"),
            id="micromamba has no records of its own",
        ),
        pytest.param(
            root("/sw/conda", "conda-23.11.0-py311_0"),
            {"CONDA_EXE": "/sw/conda/bin/conda"},
            CondaInstallation("conda", "/sw/conda", "23.11.0", "CONDA_EXE"),
            id="CONDA_EXE",
        ),
        pytest.param(
            root("/sw/mamba"),
            {"MAMBA_ROOT_PREFIX": "/sw/mamba"},
            CondaInstallation("micromamba", "/sw/mamba", None, "MAMBA_ROOT_PREFIX"),
            id="MAMBA_ROOT_PREFIX",
        ),
    ],
)
def test_kinds(tree: Tree, environ: dict[str, str], found: CondaInstallation, tmp_path: Path) -> None:
    context = image(tmp_path, {"/home/ada/x": "", **tree}, environ)
    assert read_conda(context) == (found,)
    assert problems(context) == []


def test_an_installation_with_two_names_is_listed_once(tmp_path: Path) -> None:
    tree: Tree = {**root("/opt/miniconda3", "conda-24.5.0-py312_0"), "/opt/conda": Link("miniconda3")}
    assert [found.path for found in read_conda(image(tmp_path, tree))] == ["/opt/miniconda3"]


def test_a_folder_of_that_name_alone_is_none(tmp_path: Path) -> None:
    tree: Tree = {"/opt/conda": Folder(), "/root/miniconda3/pkgs": Folder(), "/root/anaconda3": Link("anaconda3")}
    context = image(tmp_path, tree, {"CONDA_EXE": "/gone/bin/conda", "MAMBA_ROOT_PREFIX": "/gone"})
    assert read_conda(context) == ()
    assert problems(context) == []


def test_programs_on_the_path_of_the_running_system(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {**root("/sw", "conda-24.5.0-py312_0"), "/sw/condabin/conda": "", "/bin/pixi": "", "/bin/micromamba": ""},
    )
    for program in ("sw/condabin/conda", "bin/pixi", "bin/micromamba"):
        (tmp_path / program).chmod(0o755)
    environ = {"HOME": str(tmp_path / "home"), "PATH": f"{tmp_path}/sw/condabin{os.pathsep}{tmp_path}/bin"}
    ours = [found for found in read_conda(Context("linux", Files(), environ)) if found.path.startswith(str(tmp_path))]
    assert ours == [
        CondaInstallation("conda", f"{tmp_path}/sw", "24.5.0", "PATH"),
        CondaInstallation("micromamba", f"{tmp_path}/bin/micromamba", None, "PATH"),
        CondaInstallation("pixi", f"{tmp_path}/bin/pixi", None, "PATH"),
    ]
