"""Which Python `create` starts."""

from pathlib import Path

import pytest

from cudafit.app.place import refuse_unclear
from cudafit.errors import InputError
from cudafit.matrix.load import open_matrix
from cudafit.model.machine import Interpreter
from cudafit.repair.engines.venv_locks import interpreter_of
from cudafit.resolve.names import knows
from tests.conftest import Run


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


@pytest.mark.parametrize(
    ("words", "hints"),
    [
        (["env", "torch"], ["cudafit create ./env torch", "cudafit create .venv env torch"]),
        (["gpu"], ["cudafit create ./gpu torch"]),
        (["myproject"], ["cudafit create ./myproject torch"]),
        (["there"], ["cudafit create ./there torch"]),
        (["requests", "torch"], ["cudafit create ./requests torch", "cudafit create .venv requests torch"]),
        (["torch", "env2"], ["cudafit create ./env2 torch"]),
        (["e", "-r", "r.txt"], ["cudafit create ./e -r r.txt"]),
        (["--yes", "env", "torch"], ["cudafit create ./env torch"]),
        (["pytroch"], ["cudafit create torch"]),
        (["./e", "torchvison"], ["cudafit create ./e torchvision"]),
        (["./e", "torch", "pytorch-cuda"], ["cudafit create ./e torch"]),
    ],
)
def test_a_word_that_may_be_a_folder_or_a_slip_is_never_fetched(
    cudafit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], hints: list[str]
) -> None:
    (tmp_path / "here" / "there").mkdir(parents=True)
    (tmp_path / "here" / "r.txt").write_text("torch\n")
    monkeypatch.chdir(tmp_path / "here")
    nowhere = "http://127.0.0.1:9/simple"
    done = cudafit("create", *words, "--cpu", env={"PIP_INDEX_URL": nowhere, "UV_DEFAULT_INDEX": nowhere})
    assert (done.returncode, done.stdout) == (2, "")
    for hint in hints:
        assert f"hint: `{hint}`" in done.stderr
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["r.txt", "there"]


@pytest.mark.parametrize("words", [("torch",), ("torch", "requests"), ("pytorch",), ("ultralytics",), ("jax[cuda12]",)])
def test_packages_are_no_folders(words: tuple[str, ...]) -> None:
    refuse_unclear(words, (), knows(open_matrix()))
