"""What words are taken for, as people type them on Windows, macOS and Linux."""

import pytest

from cudafit.model.words import is_path, is_windows_path, parted, word_kind


@pytest.mark.parametrize(
    "word",
    [
        ".",
        ".venv",
        "..\\shared\\gpu",
        "../shared/gpu",
        "~",
        "~/envs/gpu",
        "~\\envs\\gpu",
        "envs/gpu",
        "envs\\gpu",
        "gpu/",
        "gpu\\",
        "/opt/envs/gpu",
        "/c/Users/ana/envs/gpu",  # Git Bash
        "C:",
        "C:\\envs\\gpu",
        "c:/envs/gpu",
        "C:envs\\gpu",  # relative to the folder that is current on that drive
        "C:gpu",
        "C:\\Users\\Ana Lima\\My Envs\\gpu (2)",
        "/Users/ana/My Envs/gpu",
        "\\\\server\\share\\envs\\gpu",
        "\\\\?\\C:\\envs\\gpu",
        "envs [old]/gpu",
        "envs=old/gpu",
        "ümläut/gpu",
    ],
)
def test_a_path_is_one_on_every_system(word: str) -> None:
    assert word_kind(word) == "path"


@pytest.mark.parametrize(
    "word",
    [
        "torch==2.14.1+cu126",
        "torch>=2.10,<3",
        "torch ~= 2.14",
        "torch (>=2)",
        "jax[cuda12]",
        "jax[cuda12,k8s]==0.9",
        'torch; python_version < "3.13"',
        'torch>=2; platform_version != "a/b\\c"',
        "pytorch=2.10=*cuda*",
        "conda-forge::pytorch",
        "c::pytorch",
        "conda-forge/linux-64::pytorch",
        "https://conda.example.org/main::pytorch",
        "pytorch[channel=conda-forge/linux-64]",
    ],
)
def test_a_requirement_stays_one_though_it_may_hold_a_slash(word: str) -> None:
    assert word_kind(word) == "requirement"


@pytest.mark.parametrize(
    "word",
    [
        "https://example.org/torch-2.14.1-cp312-cp312-linux_x86_64.whl",
        "git+https://example.org/team/lib.git@main#egg=lib",
        "git+ssh://git@example.org/team/lib.git",
        "file:///C:/wheels/torch.whl",
        "torch @ https://example.org/torch.whl",
        "torch@file:///srv/torch.whl",
        "lib[extra] @ git+https://example.org/lib.git",
        "torch @ C:\\wheels\\torch.whl",  # none that an installer takes, but meant for one
    ],
)
def test_an_address_is_no_path(word: str) -> None:
    assert word_kind(word) == "address"


@pytest.mark.parametrize("word", ["gpu", "torch", "base", "scikit-learn", "ruamel.yaml", "my_env2", "3.12"])
def test_a_bare_word_may_be_a_requirement_or_a_name(word: str) -> None:
    assert word_kind(word) == "bare"


@pytest.mark.parametrize("word", ["", "my env", "gpu!", "-x"])
def test_what_is_nothing_is_left_to_the_parser_of_requirements_to_refuse(word: str) -> None:
    assert word_kind(word) == "requirement"


def test_behind_conda_stands_a_path_or_a_name() -> None:
    assert [is_path(word) for word in ("C:\\envs\\x", "envs\\x", "./x", "x", "base", "x.y")] == [True] * 3 + [False] * 3


def test_the_first_word_alone_can_be_the_place() -> None:
    assert parted(["C:\\envs\\gpu", "torch"]) == ("C:\\envs\\gpu", ("torch",))
    assert parted(["envs/gpu"]) == ("envs/gpu", ())
    assert parted(["torch", "envs/gpu"]) == (None, ("torch", "envs/gpu"))
    assert parted([]) == (None, ())


def test_elsewhere_a_path_of_windows_would_be_the_name_of_one_file() -> None:
    windows = ["C:\\envs", "C:/envs", "envs\\gpu", "\\\\server\\share", "~\\envs"]
    assert all(map(is_windows_path, windows))
    assert not any(map(is_windows_path, ["envs/gpu", "./a\\b", "/srv/a\\b", ".venv"]))


@pytest.mark.parametrize("part", [" ", "a", "[", "\\", "/", ":", "::", "@ ", "a@", "a[", ";", "=", "a:"])
def test_long_words_take_no_time(part: str) -> None:
    for before in ("", "a", "a[", "a "):
        word_kind(before + part * 100_000 + "\n!")
