"""What an environment holds, by the names in its folders: over real environments and made ones."""

import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

import pytest

from cudafit.env.distributions import read_distributions
from cudafit.env.installed import installed_versions, python_of
from cudafit.env.places import own_places
from cudafit.env.reader import Reader
from cudafit.files import Files
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


def test_the_folders_of_debian_and_of_colab(tmp_path: Path) -> None:
    """Packages of pip's lie in /usr/local, and go before the system's own."""
    for place, name in (
        ("local/lib/python3.12/dist-packages", "torch-2.14.1"),
        ("local/lib/python3.12/dist-packages", "numpy-2.1.0"),
        ("lib/python3/dist-packages", "numpy-1.26.4"),
        ("lib/python3/dist-packages", "six-1.16"),
    ):
        (tmp_path / "usr" / place / f"{name}.dist-info").mkdir(parents=True)
    reader = Reader(Files(str(tmp_path)))
    places = list(own_places(reader, "/usr"))
    assert places == ["/usr/local/lib/python3.12/dist-packages", "/usr/lib/python3/dist-packages"]
    numpy = next(one for one in read_distributions(reader, places) if one.name == "numpy")
    assert numpy.version == "2.1.0", "the one that is imported"
    assert installed_versions(str(tmp_path / "usr")) == {"numpy": "1.26.4", "six": "1.16"}, "no system's prefix"
