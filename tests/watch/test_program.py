"""Which Python a command line runs, and which code."""

import os
import shlex
from pathlib import Path

import pytest

from cudafit.watch.program import Code, asks_elsewhere, code_of, interpreter_of, source_of


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("python train.py --epochs 3", Code("train.py")),
        ("/venv/bin/python3.12 -u -X dev -W ignore train.py", Code("train.py")),
        ("python -Wignore -Xdev train.py", Code("train.py")),
        ("python -um pkg.train --lr 1", Code(module="pkg.train")),
        ("python -mpkg.train", Code(module="pkg.train")),
        ("python -Bc 'print(1)' a.py", Code(text="print(1)")),
        ("python3 --check-hash-based-pycs always train.py", Code("train.py")),
        ("python -- -odd.py", Code("-odd.py")),
        ("python /venv/bin/torchrun --nproc-per-node 2 train.py -x", Code("train.py", launcher=True)),
        ("python -m torch.distributed.run --standalone src/train.py", Code("src/train.py", launcher=True)),
        ("python /venv/bin/accelerate launch --cpu train.py", Code("train.py", launcher=True)),
        ("python -m coverage run train.py", Code("train.py", launcher=True)),
        ("python /venv/bin/jupyter nbconvert --execute nb.ipynb", Code("nb.ipynb", launcher=True)),
        ("python -m pytest tests", Code(launcher=True)),
        ("python -", None),
        ("python", None),
        ("python -V", None),
        ("pythonic train.py", None),
        ("bash train.py", None),
    ],
)
def test_code_of_a_command_line(line: str, code: Code | None) -> None:
    assert code_of(shlex.split(line)) == code


def test_the_file_of_a_module_lies_in_the_folder_or_on_pythonpath(tmp_path: Path) -> None:
    for name in ("a/train.py", "lib/b/__main__.py", "app/__main__.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    folder = str(tmp_path)
    assert source_of(Code(module="a.train"), folder, {}, os.path.isfile) == f"{folder}/a/train.py"
    assert source_of(Code(module="b"), folder, {}, os.path.isfile) is None
    assert source_of(Code(module="b"), folder, {"PYTHONPATH": "lib"}, os.path.isfile) == f"{folder}/lib/b/__main__.py"
    assert source_of(Code("app"), folder, {}, os.path.isfile) == f"{folder}/app/__main__.py"
    assert source_of(Code("nowhere.py"), folder, {}, os.path.isfile) is None


def test_the_interpreter_is_the_one_of_the_environment_not_the_one_below_it(tmp_path: Path) -> None:
    base = tmp_path / "usr/python3.12"
    base.parent.mkdir()
    base.touch()
    for name in ("venv", "other"):
        (tmp_path / name / "bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to(base)
    (tmp_path / "other/bin/python").write_text("another program")
    path = f"{tmp_path}/other/bin{os.pathsep}{tmp_path}/venv/bin"

    def found(word: str) -> str | None:
        return interpreter_of([word], str(base), str(tmp_path), {"PATH": path}, os.path.isfile, os.path.realpath)

    assert found("python") == f"{tmp_path}/venv/bin/python"
    assert found("venv/bin/python") == f"{tmp_path}/venv/bin/python"
    assert found("/gone/python") == str(base)
    assert found("bash") is None


@pytest.mark.parametrize(
    ("line", "client"),
    [
        ("docker run image", "docker"),
        ("/usr/bin/srun -n 1 python train.py", "srun"),
        ("/usr/bin/python3 /usr/bin/gcloud run", "gcloud"),
        ("python docker.py", None),
        ("python train.py ssh", None),
        ("echo docker", None),
        ("podman run image", None),  # what it starts is below it
    ],
)
def test_clients_of_others(line: str, client: str | None) -> None:
    assert asks_elsewhere(shlex.split(line)) == client
