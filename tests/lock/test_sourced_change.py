"""Declarations of Poetry and PDM, changed where a requirement stands."""

import pytest

from cudafit.errors import InputError
from cudafit.lock.locked import installed_by, locked_in
from cudafit.lock.sourced_change import changed_for_pdm, changed_for_poetry
from cudafit.model.requirement import Need
from cudafit.system.toml import read_toml

TORCH = Need("torch==2.14.1+cu126", "pytorch-cu126", "https://download.pytorch.org/whl/cu126")
CPU = '\n[[tool.poetry.source]]\nname = "pytorch-cpu"\nurl = "https://x/cpu"\npriority = "explicit"\n'


def test_a_version_alone_gets_a_source() -> None:
    text = '[tool.poetry.dependencies]\npython = "^3.11"\ntorch = "^2.0.0,!=2.0.1"  # net\n'
    told = changed_for_poetry(text, "p", [TORCH])
    poetry = read_toml(told)["tool"]["poetry"]
    assert poetry["dependencies"]["torch"] == {"version": "2.14.1+cu126", "source": "pytorch-cu126"}
    assert poetry["source"] == [
        {"name": "pytorch-cu126", "url": "https://download.pytorch.org/whl/cu126", "priority": "explicit"}
    ]


def test_extras_and_markers_stay_and_the_old_source_goes() -> None:
    torch = (
        'torch = { version = "^2.2.0+cpu", source = "pytorch-cpu", optional = true, markers = "sys_platform==\'a\'" }'
    )
    told = read_toml(changed_for_poetry(f"[tool.poetry.dependencies]\n{torch}\n{CPU}", "p", [TORCH]))["tool"]["poetry"]
    assert told["dependencies"]["torch"] == {
        "version": "2.14.1+cu126",
        "source": "pytorch-cu126",
        "optional": True,
        "markers": "sys_platform=='a'",
    }
    assert [one["name"] for one in told["source"]] == ["pytorch-cu126"]


def test_a_source_that_another_package_uses_stays() -> None:
    text = (
        '[tool.poetry.dependencies]\ntorch = { version = "2", source = "pytorch-cpu" }\n'
        f'other = {{ version = "2", source = "pytorch-cpu" }}\n{CPU}'
    )
    told = read_toml(changed_for_poetry(text, "p", [TORCH]))["tool"]["poetry"]
    assert [one["name"] for one in told["source"]] == ["pytorch-cpu", "pytorch-cu126"]


@pytest.mark.parametrize(
    "torch",
    [
        'torch = [{ version = "2", platform = "linux" }, { version = "2", platform = "darwin" }]',
        'torch = { path = "../torch" }',
        'torch = { git = "https://x/torch.git" }',
    ],
)
def test_what_is_not_known_to_be_meant_is_refused(torch: str) -> None:
    with pytest.raises(InputError):
        changed_for_poetry(f"[tool.poetry.dependencies]\n{torch}\n", "p", [TORCH])


def test_what_is_nowhere_comes_among_the_dependencies_of_either_form() -> None:
    told = read_toml(changed_for_poetry("[tool.poetry.dependencies]\n", "p", [TORCH]))["tool"]["poetry"]
    assert told["dependencies"]["torch"]["version"] == "2.14.1+cu126"
    told = read_toml(changed_for_poetry('[project]\nname = "p"\ndependencies = ["rich (<14)"]\n', "p", [TORCH]))
    assert told["project"]["dependencies"] == ["rich (<14)", "torch==2.14.1+cu126"]
    assert told["tool"]["poetry"]["dependencies"] == {"torch": {"source": "pytorch-cu126"}}


def test_pdm_binds_the_package_to_its_new_source_alone() -> None:
    text = (
        '[project]\ndependencies = ["torch>=2"]\n[[tool.pdm.source]]\nname = "pytorch-cpu"\nurl = "https://x"\n'
        'include_packages = ["torch"]\nexclude_packages = ["*"]\n'
    )
    told = read_toml(changed_for_pdm(text, "p", [TORCH], constraints=["numpy<2"]))
    assert told["project"]["dependencies"] == ["torch==2.14.1+cu126", "numpy<2"]
    assert [(one["name"], one["include_packages"]) for one in told["tool"]["pdm"]["source"]] == [
        ("pytorch-cu126", ["torch"])
    ]


LOCK = """
[[package]]
name = "rich"
version = "1"
groups = ["main"]
[[package]]
name = "Torch"
version = "2+cpu"
groups = ["main", "dev"]
optional = true
markers = {main = 'extra == "gpu"', dev = 'sys_platform == "win32"'}
[[package]]
name = "mine"
version = "0"
groups = ["main"]
source = {type = "directory", url = "."}
"""


def test_what_a_lock_installs() -> None:
    rows = locked_in(LOCK)
    on = ("linux-x86_64", "3.11")
    assert installed_by(rows, {"main", "dev"}, (), *on) == {"rich": "1"}
    assert installed_by(rows, {"main"}, ("gpu",), *on) == {"rich": "1", "torch": "2+cpu"}
    assert installed_by(rows, {"dev"}, (), "windows-x86_64", "3.11") == {"torch": "2+cpu"}


@pytest.mark.parametrize("text", ['[[package]]\nname = "a"\nversion = "1"\n', "package = 1", "a = ["])
def test_a_lock_that_does_not_tell(text: str) -> None:
    with pytest.raises(InputError):
        locked_in(text)
