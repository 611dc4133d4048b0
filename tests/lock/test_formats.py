"""Which format a name means."""

import pytest

from cudafit.errors import InputError
from cudafit.lock.formats import FORMATS, NAMES, format_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("requirements.txt", "requirements"),
        ("deep/requirements-gpu.txt", "requirements"),
        ("gpu.lock.txt", "requirements"),
        ("pylock.toml", "pylock"),
        ("pylock.gpu.toml", "pylock"),
        ("pyproject.toml", "pyproject"),
        ("environment.yml", "environment"),
        ("gpu-environment.yaml", "environment"),
        ("conda-lock.yml", "conda-lock"),
        ("gpu.conda-lock.yml", "conda-lock"),
        ("explicit-linux-64.txt", "explicit"),
        ("pixi.toml", "pixi"),
        ("Dockerfile", "dockerfile"),
        ("gpu.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("compose.yaml", "compose"),
        ("docker-compose.gpu.yml", "compose"),
        (".devcontainer/devcontainer.json", "devcontainer"),
        (".devcontainer.json", "devcontainer"),
    ],
)
def test_by_name(path: str, name: str) -> None:
    assert format_of(path).name == name


@pytest.mark.parametrize("path", ["lock.txt", "pylock", "pylock.a.b.toml", "my.json", "requirements.in", ""])
def test_a_name_that_tells_nothing(path: str) -> None:
    with pytest.raises(InputError) as caught:
        format_of(path)
    assert "--format" in (caught.value.hint or "")
    assert "`requirements.txt`" in caught.value.cause[0]


def test_the_users_word_goes_before_the_name() -> None:
    assert format_of("anything", "pylock").name == "pylock"
    assert all(format_of("x", name).name == name for name in NAMES)
    assert all(format_of(one.example) is one for one in FORMATS)
