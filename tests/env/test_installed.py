"""What an environment holds, by the names in its folders: over real environments and made ones."""

import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

from cudafit.env.installed import installed_versions, python_of
from cudafit.model.requirement import normalised


def test_the_environment_of_these_tests() -> None:
    found = installed_versions(sys.prefix)
    here = {normalised(one.metadata["Name"]): one.version for one in distributions()}
    assert found["pytest"] == here["pytest"]
    assert found["hypothesis"] == here["hypothesis"]


@pytest.mark.slow
def test_a_fresh_environment(tmp_path: Path) -> None:
    venv.create(tmp_path / "e", with_pip=True)
    found = installed_versions(str(tmp_path / "e"))
    assert "pip" in found
    assert python_of(str(tmp_path / "e")) == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_names_are_normalised_and_what_is_no_distribution_is_left_out(tmp_path: Path) -> None:
    place = tmp_path / "lib" / "python3.12" / "site-packages"
    for name in ("Py_Torch.X-1.0+cu126.dist-info", "torch", "broken.dist-info", "x-2.dist-info.tmp"):
        (place / name).mkdir(parents=True)
    (tmp_path / "Lib" / "site-packages" / "win_lib-3.dist-info").mkdir(parents=True)
    assert installed_versions(str(tmp_path)) == {"py-torch-x": "1.0+cu126", "win-lib": "3"}
    assert installed_versions(str(tmp_path / "nowhere")) == {}


def test_the_python_of_uv_virtualenv_and_conda(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr\nversion_info = 3.13.0\nuv = 0.9\n")
    assert python_of(str(tmp_path)) == "3.13"
    conda = tmp_path / "conda"
    (conda / "conda-meta").mkdir(parents=True)
    assert python_of(str(conda)) is None
    (conda / "conda-meta" / "python-3.11.9-h955ad1f_0.json").write_text("{}")
    (conda / "conda-meta" / "python-dateutil-2.9.0-py_0.json").write_text("{}")
    assert python_of(str(conda)) == "3.11"
