"""What an environment is, by its files: whole ones, broken ones, hostile ones."""

import json
import os
import site
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

from cudafit.env.inventory import read_inventory
from cudafit.env.prefixes import at
from cudafit.files import Files
from cudafit.model.environment import CONDA, VENV
from cudafit.model.requirement import normalised
from tests.doctor.worlds import CU126, CUDA_LIBRARIES, environment, tensorflow, torch, tree


def test_the_environment_of_these_tests_as_importlib_reads_it() -> None:
    found = environment(Path(sys.prefix))
    assert found.kind == VENV
    # Only those of the environment: setuptools, once imported, puts the packages that it brings on the path.
    here = {normalised(one.metadata["Name"]): one.version for one in distributions(path=site.getsitepackages())}
    assert {one.name: one.version for one in found.distributions if one.name in here} == here
    pytest_ = found.distribution("pytest")
    assert pytest_
    assert pytest_.installer in ("pip", "uv")
    assert any(text.startswith("pluggy") for text in pytest_.requires)


def test_a_venv_of_its_own(tmp_path: Path) -> None:
    venv.create(tmp_path / "e", with_pip=False)
    found = environment(tmp_path / "e")
    assert (found.kind, found.distributions, found.problems) == (VENV, (), ())
    assert found.python == f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    assert found.interpreter == f"{tmp_path}/e/bin/python"


def test_headers_and_compiler(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "bin").mkdir(parents=True)
    (base / "bin" / "python3.12").write_text("")
    env = tree(tmp_path / "e", {})
    (env / "bin").mkdir()
    (env / "bin" / "python").symlink_to(base / "bin" / "python3.12")
    found = environment(env)
    assert (found.program, found.header, found.compiler) == (f"{base}/bin/python3.12", False, None)
    (base / "include/python3.12").mkdir(parents=True)
    (base / "include/python3.12/Python.h").write_text("")
    assert environment(env).header is True
    (env / "bin" / "python").unlink()
    assert environment(env).header is None  # without an interpreter nothing is known
    conda = tree(tmp_path / "c", {"bin/x86_64-conda-linux-gnu-cc": "", "conda-meta/history": ""})
    (conda / "pyvenv.cfg").unlink()
    assert environment(conda).compiler == f"{conda}/bin/x86_64-conda-linux-gnu-cc"


def test_torch_is_what_its_own_files_say(tmp_path: Path) -> None:
    found = environment(tree(tmp_path, torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"])).torch
    assert found
    assert (found.version, found.cuda, found.has_cuda) == ("2.14.1+cu126", "12.6", True)
    assert found.kernels == tuple(CU126.split())
    cpu = environment(tree(tmp_path / "cpu", torch("2.13.0+cpu", None), ["torch==2.13.0"])).torch
    assert cpu
    assert (cpu.has_cuda, cpu.cuda, cpu.kernels, cpu.cuda_library) == (False, None, None, False)


def test_tensorflow_and_libraries(tmp_path: Path) -> None:
    found = environment(tree(tmp_path, {**tensorflow("12.5.1"), **CUDA_LIBRARIES}, ["tensorflow==2.21.0"]))
    assert found.tensorflow
    assert (found.tensorflow.version, found.tensorflow.cuda, found.tensorflow.has_cuda) == ("2.21.0", "12.5.1", True)
    assert "libcudnn.so.9" in [one.soname for one in found.libraries]


@pytest.mark.parametrize("shares", [False, True])
def test_the_folders_are_those_of_sys_path_in_their_order(tmp_path: Path, shares: bool) -> None:
    venv.create(tmp_path / "e", with_pip=False, system_site_packages=shares)
    site = tmp_path / f"e/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    home, extra = tmp_path / "home", tmp_path / "extra"
    user = home / f".local/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for folder in (user, extra, tmp_path / "linked" / "src", site / "inside", user / "deep"):
        folder.mkdir(parents=True)
    (site / "a.pth").write_text(f"# a comment\n\n{tmp_path}/linked/src\n{tmp_path}/nowhere\ninside\n")
    (site / "b.pth").write_text("import sys; sys.path.append('/x')\n")
    (user / "c.pth").write_text("deep\n./deep\n")
    (extra / "d.pth").write_text(f"{tmp_path}/home\n")
    environ = {"HOME": str(home), "PYTHONPATH": f"{extra}:{tmp_path}/nowhere"}
    told = "import sys, os; print('\\n'.join(one for one in sys.path if os.path.isdir(one)))"
    python = str(tmp_path / "e/bin/python")
    done = subprocess.run([python, "-c", told], capture_output=True, text=True, env=environ, check=True)
    library = os.path.dirname(os.__file__)
    wanted = [one for one in done.stdout.split() if not one.startswith(library) or one.endswith("-packages")]
    files = Files()
    located = at(files, str(tmp_path / "e"), "named")
    assert located
    found = read_inventory(files, located, environ, ())
    assert [os.path.realpath(one) for one in found.places] == [os.path.realpath(one) for one in wanted if one != "/x"]
    assert str(tmp_path / "linked/src") in found.places


def test_a_venv_that_was_made_from_a_venv_shares_with_the_python_behind_both(tmp_path: Path) -> None:
    """As the module venv of 3.10 writes it; two that name each other end the look."""
    shares = "include-system-site-packages = true\n"
    for name, home in (("first", "base"), ("second", "first"), ("round", "back"), ("back", "round")):
        files: dict[str, str | bytes] = {"pyvenv.cfg": f"home = {tmp_path}/{home}/bin\n{shares}"}
        tree(tmp_path / name, files, [f"{name}==1.0"], python="3.10")
    tree(tmp_path / "base", {}, ["rich==13.0"], python="3.10")
    (tmp_path / "base" / "pyvenv.cfg").unlink()
    found = environment(tmp_path / "second")
    assert [one.name for one in found.distributions] == ["second", "rich"]
    assert {one.name for one in environment(tmp_path / "round").distributions} <= {"round", "back"}


def test_a_conda_prefix(tmp_path: Path) -> None:
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    for name in ("python-3.12.7-h0_cpython", "pytorch-2.13.0-cuda129_mkl_h0_200", "py-opencv-4.1-h0", "history"):
        (meta / f"{name}.json").write_text("{}")
    found = environment(tmp_path)
    assert (found.kind, found.python) == (CONDA, "3.12.7")
    assert {(one.name, one.build) for one in found.conda} >= {("pytorch", "cuda129_mkl_h0_200"), ("py-opencv", "h0")}
    assert [problem.error for problem in found.problems] == [
        f"{meta}/history.json is not called after a package",
        f"{meta}/pytorch-2.13.0-cuda129_mkl_h0_200.json cannot be read: 'name'",
    ]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge"),
        ("https://conda.anaconda.org/t/tk-secret/mine/noarch", "mine"),
        ("https://me:secret@host.example/conda/nvidia", "nvidia"),
        ("conda-forge", "conda-forge"),
        ("", None),
    ],
)
def test_a_channel_is_named_without_its_secrets(tmp_path: Path, told: str, name: str | None) -> None:
    (tmp_path / "conda-meta").mkdir()
    path = tmp_path / "conda-meta" / "pytorch-2.13.0-cuda129_h0_200.json"
    path.write_text(json.dumps({"build": "x", "channel": told, "files": ["a"] * 9999}))
    assert [one.channel for one in environment(tmp_path).conda] == [name]


# Broken: described, not refused.


def test_broken_parts_are_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    prefix = tree(tmp_path / "e", torch("2.14.1", "12.6", CU126), ["torch==2.14.1", "numpy==2.1.0"])
    site = prefix / "lib" / "python3.12" / "site-packages"
    (site / "half-1.0.dist-info").mkdir()
    (site / "numpy-2.1.0.dist-info" / "direct_url.json").write_text("{")
    (site / "torch" / "version.py").write_text("def (")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to("/nowhere/python3.12")
    found = environment(prefix)
    assert {"torch", "numpy", "half"} == {one.name for one in found.distributions}
    assert found.torch
    assert (found.torch.has_cuda, found.torch.version) == (True, None)
    told = " ".join(problem.error for problem in found.problems)
    for part in ("half-1.0.dist-info has no METADATA", "direct_url.json", "broken link to /nowhere/python3.12"):
        assert part in told


def test_a_secret_in_an_origin_is_not_kept(tmp_path: Path) -> None:
    files = {
        "SITE/x-1.dist-info/direct_url.json": '{"url": "https://me:hunter2@example.org/x.whl", "archive_info": {}}'
    }
    found = environment(tree(tmp_path, files, ["x==1"])).distribution("x")
    assert found
    assert found.origin == "https://***@example.org/x.whl"


def test_a_hostile_environment_is_bounded(tmp_path: Path) -> None:
    prefix = tree(tmp_path / "e", torch("2.14.1", "12.6", CU126), ["torch==2.14.1"])
    site = prefix / "lib" / "python3.12" / "site-packages"
    huge = site / "huge-1.0.dist-info"
    huge.mkdir()
    with open(huge / "METADATA", "wb") as file:
        file.write(b"Name: huge\nVersion: 1.0\n\n")
        file.truncate(1 << 30)  # a gigabyte, of which nothing is on the disk
    (site / "loop-1.0.dist-info").symlink_to("loop-1.0.dist-info")
    (site / "..evil-1.0.dist-info").mkdir()
    os.mkfifo(site / "pipe-1.0.dist-info")
    (site / "torch" / "lib" / "libtorch_python.so").unlink()
    os.mkfifo(site / "torch" / "lib" / "libtorch_python.so")
    (site / "nvidia").symlink_to("nvidia")
    found = environment(prefix)
    assert found.version("huge") == "1.0"
    assert found.torch
    assert found.torch.kernels is None


def test_a_folder_with_nested_source_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    source = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n__version__ = '9'\ncuda = None\n"
    files = {
        "SITE/torch/version.py": source,
        "SITE/sitecustomize.py": source,
        "SITE/x.pth": f"import os; open({str(mark)!r}, 'w')",
    }
    assert environment(tree(tmp_path / "e", files)).torch
    assert not mark.exists()
