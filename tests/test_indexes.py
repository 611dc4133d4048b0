"""Where packages come from: pip's and uv's settings, and the user's mirrors."""

import os
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.indexes import Indexes, configured, default_index


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/none"}


def write(folder: Path, name: str, text: str) -> None:
    path = folder / ".config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_nothing_is_configured(own: dict[str, str]) -> None:
    found = configured(own)
    assert (found.pytorch, found.conda) == (None, None)
    assert found.of("pytorch-cu126", "https://e.org/cu126") == "https://e.org/cu126"
    assert found.of("conda-forge", "conda-forge") == "conda-forge"


def test_mirrors_by_variable_before_the_file(own: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, "cudafit/config.toml", '[indexes]\npytorch = "https://m.org/whl/"\nconda = "file:///channel"\n')
    found = configured(own)
    assert found.of("pytorch-cu126", "x") == "https://m.org/whl/cu126"
    assert found.of("conda-forge", "x") == "file:///channel"
    found = configured({**own, "CUDAFIT_PYTORCH_INDEX": "file:///wheels"})
    assert found.of("pytorch-cpu", "x") == "file:///wheels/cpu"
    assert Indexes().of("pypi", "pypi") == "pypi"


@pytest.mark.parametrize("text", ["[indexes", "indexes = 3\n", "[indexes]\npypi = 'x'\n", "[indexes]\nconda = 3\n"])
def test_a_configuration_that_cannot_be_meant(own: dict[str, str], tmp_path: Path, text: str) -> None:
    write(tmp_path, "cudafit/config.toml", text)
    with pytest.raises(InputError, match=r"config\.toml"):
        configured(own)


def test_the_default_index_is_pips_or_uvs(own: dict[str, str], tmp_path: Path) -> None:
    write(
        tmp_path,
        "uv/uv.toml",
        '[[index]]\nurl = "https://other.org"\n\n[[index]]\nurl = "https://u.org"\ndefault = true\n',
    )
    assert default_index(own) == "https://u.org"
    write(tmp_path, "pip/pip.conf", "[global]\nindex-url = https://p.org/simple\n")
    assert default_index(own) == "https://p.org/simple"
    assert default_index({**own, "UV_DEFAULT_INDEX": "https://v.org"}) == "https://v.org"
    write(tmp_path, "pip/pip.conf", "[global\n")
    write(tmp_path, "uv/uv.toml", "[")
    assert default_index(own) is None


@pytest.mark.parametrize(
    "text", ['index = "abc"', "index = [1]", "[[index]]\nurl = 3\ndefault = true", "index-url = 3"]
)
def test_settings_of_another_shape_name_no_index(own: dict[str, str], tmp_path: Path, text: str) -> None:
    write(tmp_path, "uv/uv.toml", text)
    assert default_index(own) is None


@pytest.mark.parametrize("name", ["uv/uv.toml", "pip/pip.conf", "cudafit/config.toml"])
def test_settings_that_cannot_be_read_are_not_taken_for_none(own: dict[str, str], tmp_path: Path, name: str) -> None:
    """The packages would come from another index than the one that is configured."""
    (tmp_path / ".config" / name).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / ".config" / name)
    with pytest.raises(InputError, match="it is not a regular file"):
        configured(own)


def test_pips_settings_may_be_said_to_be_none(own: dict[str, str]) -> None:
    assert default_index({**own, "PIP_CONFIG_FILE": os.devnull}) is None
