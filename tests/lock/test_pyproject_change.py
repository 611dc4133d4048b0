"""A requirement changed where it stands; all else of the file stays as it is."""

import pytest

from cudafit.errors import InputError
from cudafit.lock.pyproject_change import changed
from cudafit.model.requirement import Need

TORCH = Need("torch==2.14.1+cu126", "pytorch-cu126", "https://index.example/whl/cu126")
HEAD = '# mine\n[project]\nname = "p"\nversion = "0"\n'
CPU = '[[tool.uv.index]]\nname = "pytorch-cpu"\nurl = "https://index.example/whl/cpu"\nexplicit = true\n'
OURS = """
[[tool.uv.index]]
name = "pytorch-cu126"
url = "https://index.example/whl/cu126"
explicit = true
"""


def told(text: str, *needs: Need, **more: tuple[str, ...]) -> str:
    return changed(text, "pyproject.toml", needs or (TORCH,), **more)


def test_where_it_stands_with_its_comment_its_extras_and_its_marker() -> None:
    text = HEAD + 'dependencies = [\n  "rich",\n  "Torch[opt] >=2.4 ; sys_platform == \'linux\'",  # the net\n]\n'
    found = told(text)
    assert "  \"Torch[opt]==2.14.1+cu126 ; sys_platform == 'linux'\",  # the net\n" in found
    assert found.startswith(HEAD)
    assert OURS in found
    assert '[tool.uv.sources]\ntorch = { index = "pytorch-cu126" }\n' in found


def test_in_every_extra_and_group_that_names_it() -> None:
    text = HEAD + (
        "dependencies = []\n[project.optional-dependencies]\ngpu = ['torch']\n"
        "[dependency-groups]\ndev = [{include-group = 'x'}, 'torch>2', 'pytest']\nx = ['ruff']\n"
        "[tool.uv]\ndev-dependencies = ['torch==2.0']\n"
    )
    found = told(text)
    assert found.count('"torch==2.14.1+cu126"') == 3
    assert "dependencies = []\n" in found
    assert "{include-group = 'x'}" in found


def test_what_nothing_names_comes_among_the_dependencies() -> None:
    assert 'dependencies = ["torch==2.14.1+cu126"]\n' in told(HEAD)
    found = told(HEAD + "dependencies = ['ultralytics']\n")
    assert "    'ultralytics',\n" in found
    assert '    "torch==2.14.1+cu126",\n' in found


def test_another_index_goes_where_nothing_else_names_it() -> None:
    sources = '\n[tool.uv.sources]\ntorch = { index = "pytorch-cpu" }\n'
    found = told(HEAD + 'dependencies = ["torch"]\n\n' + CPU + sources)
    assert "pytorch-cpu" not in found
    assert OURS.strip() in found
    found = told(HEAD + 'dependencies = ["torch"]\n\n' + CPU + sources + 'torchvision = { index = "pytorch-cpu" }\n')
    assert 'torchvision = { index = "pytorch-cpu" }' in found
    assert CPU in found
    users = (CPU + sources).replace("pytorch-cpu", "wheels")
    assert 'name = "wheels"' in told(HEAD + 'dependencies = ["torch"]\n\n' + users)


def test_back_to_the_default_index() -> None:
    text = HEAD + 'dependencies = ["torch"]\n\n' + CPU + '\n[tool.uv.sources]\nTorch = [{ index = "pytorch-cpu" }]\n'
    assert told(text, Need("torch==2.15.0")).rstrip() == (HEAD + 'dependencies = ["torch==2.15.0"]').rstrip()


def test_an_index_that_is_there_keeps_its_name() -> None:
    text = HEAD + 'dependencies = ["torch"]\n' + OURS.replace("pytorch-cu126", "nvidia").replace("cu126", "cu126/")
    found = told(text)
    assert 'torch = { index = "nvidia" }' in found
    assert found.count("[[tool.uv.index]]") == 1


def test_a_name_that_is_taken() -> None:
    found = told(HEAD + OURS.replace("index.example", "mirror.example"))
    assert 'name = "pytorch-cu126-2"' in found
    assert 'torch = { index = "pytorch-cu126-2" }' in found


def test_bounds_and_what_goes() -> None:
    text = HEAD + "dependencies = ['onnxruntime>1', 'rich']\n[tool.uv]\nconstraint-dependencies = ['numpy<2']\n"
    found = told(text, Need("jax==0.5.0"), constraints=("nvidia-cudnn-cu12<9.11",), remove=("onnxruntime",))
    assert "onnxruntime" not in found
    assert 'constraint-dependencies = ["numpy<2", "nvidia-cudnn-cu12<9.11"]' in found


def test_no_login_is_written() -> None:
    need = Need("torch==2.14.1+cu126", "pytorch-cu126", "https://me:secret@index.example/whl/cu126")
    assert OURS in told(HEAD, need)


def test_line_ends_and_the_mark_of_an_editor_stay() -> None:
    text = "\ufeff" + (HEAD + 'dependencies = ["torch"]\n').replace("\n", "\r\n")
    found = told(text)
    assert found.startswith("\ufeff# mine\r\n")
    assert found.count("\n") == found.count("\r\n") > text.count("\n")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[tool.uv.sources]\ntorch = { git = 'https://x.example/t' }\n", "from a folder, a repository or an address"),
        ("[tool.uv.sources]\ntorch = [{ index = 'a', extra = 'cpu' }]\n", "from another index for each extra"),
        ("dependencies = ['torch @ https://x.example/torch-2.0-py3-none-any.whl']\n", "takes torch from an address"),
        ("dependencies = 'torch'\n", "must be a list of texts"),
        ("[tool.uv]\nindex = 1\n", "`tool.uv.index` must be a list of tables"),
        ("[", "is not TOML"),
    ],
)
def test_refused(more: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        told(HEAD + more)
