"""A new environment where there are no transactions, as on Windows: whole, or gone again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cudafit.errors import CudafitError, InputError
from cudafit.repair import making
from cudafit.repair.making import is_left_over, made_plainly
from cudafit.repair.transaction import RolledBack
from tests.conftest import Run
from tests.repair.chaos import silent
from tests.repair.world import PYTHON, World, world


def fill(env: Path) -> None:
    (env / "Lib").mkdir(parents=True)
    (env / "pyvenv.cfg").write_text("")


def made(env: Path, error: BaseException) -> None:
    with made_plainly(str(env), silent):
        fill(env)
        raise error


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_made_stays_and_nothing_else(tmp_path: Path) -> None:
    env = tmp_path / "gpu"
    with made_plainly(str(env), silent) as change:
        fill(env)
        assert is_left_over(str(env))  # should this process be killed now
    assert (change.env, change.generation) == (str(env), None)
    assert names(tmp_path) == ["gpu"]
    assert not is_left_over(str(env))


def test_what_fails_is_removed_and_told(tmp_path: Path) -> None:
    env = tmp_path / "gpu"
    error = CudafitError("a file is not the one that the lock names", cause=["torch"], hint="try again")
    with pytest.raises(RolledBack) as caught:
        made(env, error)
    assert names(tmp_path) == []
    assert caught.value.what == f"create failed, and `{env}` was removed again"
    assert caught.value.cause == ("a file is not the one that the lock names", "torch")
    assert caught.value.hint == "try again"


def test_an_interrupted_one_is_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "gpu", KeyboardInterrupt())
    assert names(tmp_path) == []


def test_what_a_killed_one_left_is_made_anew(tmp_path: Path) -> None:
    env = tmp_path / "gpu"
    fill(env)
    (env / "half").write_text("")
    (tmp_path / ".cudafit-gpu.unfinished").write_text("")
    said: list[str] = []
    with made_plainly(str(env), said.append):
        assert not env.exists()
        fill(env)
    assert said == [f"removing what an earlier `create` left of `{env}`"]
    assert names(tmp_path) == ["gpu"]


def test_what_cannot_be_removed_stays_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / "gpu"
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    with pytest.raises(RolledBack, match="could not be removed"):
        made(env, OSError(13, "another program has it open"))
    assert is_left_over(str(env))


def test_an_environment_that_is_there_is_not_touched(tmp_path: Path) -> None:
    env = tmp_path / "gpu"
    fill(env)
    with pytest.raises(InputError, match="none is replaced"), made_plainly(str(env), silent):
        pass
    assert names(tmp_path) == ["gpu"]
    assert names(env) == ["Lib", "pyvenv.cfg"]


def test_two_do_not_make_the_same(tmp_path: Path) -> None:
    env = tmp_path / "gpu"
    with made_plainly(str(env), silent):
        fill(env)
        with pytest.raises(CudafitError, match="is being made by another cudafit"), made_plainly(str(env), silent):
            pass
        assert names(env) == ["Lib", "pyvenv.cfg"]
    assert names(tmp_path) == ["gpu"]


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(making, "plainly", lambda: True)
    with world(tmp_path) as made:
        yield made


def test_create_itself(cudafit: Run, windows: World, tmp_path: Path) -> None:
    env = tmp_path / "envs" / "gpu"
    env.parent.mkdir()
    words = ("torch", "rich<14", *windows.words)
    done = cudafit("create", str(env), *words, env=windows.env)
    assert done.returncode == 0, done.stderr
    assert (env / "pylock.cudafit.toml").exists()
    assert list(env.glob("lib/*/site-packages/torch/version.py"))
    assert names(env.parent) == ["gpu"]
    again = cudafit("create", str(env), *words, "--clear", env=windows.env)
    assert again.returncode == 2
    assert "on Windows none is replaced" in again.stderr
    assert names(env.parent) == ["gpu"]


def test_create_that_fails_leaves_nothing(cudafit: Run, windows: World, tmp_path: Path) -> None:
    env = tmp_path / "gpu"
    broken = tmp_path / "requirements.txt"
    digest = "0" * 64
    broken.write_text(f"rich==13.9.4 --hash=sha256:{digest}\n")
    done = cudafit("create", str(env), "--from", str(broken), "--python", PYTHON, *windows.words, env=windows.env)
    assert done.returncode == 4, done.stderr
    assert "was removed again" in done.stderr
    assert not env.exists()


def test_conda_environments_are_refused_with_a_way_that_works(cudafit: Run, windows: World) -> None:
    done = cudafit("create", "-n", "gpu", "torch", *windows.words, env=windows.env)
    assert done.returncode == 2
    assert "`cudafit resolve torch --conda -o environment.yml`" in done.stderr
