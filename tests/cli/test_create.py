"""Which Python `create` starts."""

from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.model.machine import Interpreter
from cudafit.repair.engines.venv_locks import interpreter_of


def python(folder: Path, *, venv: bool = False, to: Path | None = None) -> Interpreter:
    (folder / "bin").mkdir(parents=True)
    path = folder / "bin" / "python3.12"
    if to:
        path.symlink_to(to)
    else:
        path.write_bytes(b"\x7fELF")
    if venv:
        (folder / "pyvenv.cfg").write_text("")
    return Interpreter("3.12", str(path), "file name")


def test_a_venvs_python_is_not_started(tmp_path: Path) -> None:
    base = python(tmp_path / "usr")
    linked = python(tmp_path / "active", venv=True, to=Path(base.path))
    copied = python(tmp_path / "copied", venv=True)
    assert interpreter_of("3.12", (linked, base)) == base.path
    assert interpreter_of("3.12", (copied, base)) == base.path
    with pytest.raises(InputError, match="there is no Python"):
        interpreter_of("3.12", (copied,))
