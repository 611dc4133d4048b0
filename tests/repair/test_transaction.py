"""A change that stays, a change that never was, and what is refused before anything is changed."""

import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cudafit.errors import CudafitError, InputError
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import generations, roll_back
from cudafit.repair.transaction import RolledBack, transaction
from tests.repair.trees import beside, change_env, make_env, reading


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_env(tmp_path / "project" / ".venv")


def attempt(env: Path, act: Callable[[], None], *, new: bool = False, said: list[str] | None = None) -> None:
    """A transaction in which something happens."""
    with transaction(str(env), reason="the repair", new=new, say=(said if said is not None else []).append):
        act()


def change_and_fail(env: Path, error: BaseException) -> Callable[[], None]:
    def act() -> None:
        change_env(env)
        raise error

    return act


def test_a_change_stays(env: Path) -> None:
    with transaction(str(env), reason="repair") as change:
        assert (change.env, change.generation, change.reason, change.waited) == (str(env), "1", "repair", False)
        change_env(env)
        new = reading(env)
    assert reading(env) == new
    assert interrupted(str(env)) is None
    (kept,) = generations(str(env))
    assert (kept.id, kept.reason, kept.files) == ("1", "repair", 18)


def test_what_was_is_kept_byte_for_byte_and_apart(env: Path) -> None:
    old = reading(env)
    with transaction(str(env), reason="repair"):
        change_env(env)
    kept = reading(beside(env) / "generations/1/tree")
    library = "lib/python3.12/site-packages/lib2.so"
    assert old[library][1] == 0o644  # its mode is one with the environment's; going back sets it right
    assert {**kept, library: old[library]} == old


def test_large_files_are_linked_and_small_ones_copied(env: Path) -> None:
    with transaction(str(env), reason="repair"):
        pass
    tree, packages = beside(env) / "generations/1/tree", "lib/python3.12/site-packages"
    assert (tree / packages / "lib1.so").samefile(env / packages / "lib1.so")
    assert not (tree / packages / "small1.py").samefile(env / packages / "small1.py")
    assert (tree / packages / "small0.py").samefile(tree / packages / "same0.py")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (CudafitError("the index is gone", cause=["503"], hint="later"), ("the index is gone", "503")),
        (OSError(5, "Input/output error", "/x"), ("Input/output error: `/x`",)),
        (ZeroDivisionError("division by zero"), ("ZeroDivisionError: division by zero",)),
    ],
)
def test_a_failed_change_never_was(env: Path, error: Exception, cause: tuple[str, ...]) -> None:
    old = reading(env)
    with pytest.raises(RolledBack) as raised:
        attempt(env, change_and_fail(env, error))
    assert raised.value.__cause__ is error
    assert raised.value.exit_code == 4
    assert raised.value.what == f"the repair failed, and `{env}` is as it was before"
    assert raised.value.cause == cause
    assert raised.value.hint == getattr(error, "hint", None)
    assert reading(env) == old
    assert os.listdir(env.parent) == [".venv"]


def test_the_change_may_remove_the_environment_itself(env: Path) -> None:
    old = reading(env)

    def act() -> None:
        env.rename(env.parent / "away")
        raise OSError

    with pytest.raises(RolledBack):
        attempt(env, act)
    assert reading(env) == old


@pytest.mark.parametrize("new", [False, True])
def test_ctrl_c_stays_ctrl_c(env: Path, new: bool) -> None:
    old = reading(env)
    target = env.parent / "other" if new else env

    def act() -> None:
        if new:
            make_env(target)
        change_env(target)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        attempt(target, act, new=new)
    assert reading(env) == old
    assert os.listdir(env.parent) == [".venv"]


def test_ctrl_c_while_it_is_written_to_the_disk_comes_after_the_change(
    env: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()

    def act() -> None:
        change_env(env)
        monkeypatch.setattr("cudafit.repair.restore.sync_file_system", lambda _: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        attempt(env, act, said=said)
    assert said == ["the change is complete, and stays"]
    assert (env / "lib/python3.12/site-packages/new").is_dir()
    assert interrupted(str(env)) is None


def test_ctrl_c_while_rolling_back_comes_after_it(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, said = reading(env), list[str]()

    def act() -> None:
        change_env(env)
        monkeypatch.setattr("cudafit.repair.restore.sync_file_system", lambda _: os.kill(os.getpid(), signal.SIGINT))
        raise OSError

    with pytest.raises(KeyboardInterrupt):
        attempt(env, act, said=said)
    assert said == ["bringing back what was: one moment"]
    assert reading(env) == old


def test_a_new_environment_stays(tmp_path: Path) -> None:
    env = tmp_path / "env"
    with transaction(str(env), reason="create", new=True) as change:
        assert change.generation is None
        make_env(env)
        made = reading(env)
    assert reading(env) == made
    assert os.listdir(tmp_path) == ["env"]
    assert generations(str(env)) == ()


@pytest.mark.parametrize("makes", [True, False])
def test_a_new_environment_that_fails_is_removed(tmp_path: Path, makes: bool) -> None:
    env = tmp_path / "env"

    def act() -> None:
        if makes:
            make_env(env)
        raise OSError

    with pytest.raises(RolledBack, match=r"the repair failed, and `.*` was removed again"):
        attempt(env, act, new=True)
    assert os.listdir(tmp_path) == []


def test_the_folder_beside_it_is_for_this_user_and_not_for_git(env: Path) -> None:
    with transaction(str(env), reason="repair"):
        assert stat.S_IMODE(beside(env).lstat().st_mode) == 0o700
    assert (beside(env) / ".gitignore").read_text() == "*\n"


def test_a_folder_whose_name_is_not_text(tmp_path: Path) -> None:
    env = make_env(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n")))
    old = reading(env)
    with pytest.raises(RolledBack):
        attempt(env, change_and_fail(env, OSError()))
    assert reading(env) == old
    attempt(env, lambda: change_env(env))
    roll_back(str(env), say=lambda _: None)
    assert reading(env) == old


def test_a_link_is_resolved_and_the_real_folder_changed(env: Path) -> None:
    link, said = env.parent / "link", list[str]()
    link.symlink_to(env)
    old = reading(env)
    with pytest.raises(RolledBack):
        attempt(link, change_and_fail(env, OSError()), said=said)
    assert link.is_symlink()
    assert reading(env) == old
    assert said == [f"`{link}` is a link; the environment that is changed is `{env}`"]


def refused(env: Path, *, new: bool = False) -> str:
    """The error, with nothing left beside the environment."""
    before = sorted(os.listdir(env.parent)) if env.parent.is_dir() else []
    with pytest.raises(InputError) as raised, transaction(str(env), reason="repair", new=new):
        pytest.fail("it was let in")
    assert before == (sorted(os.listdir(env.parent)) if env.parent.is_dir() else [])
    return str(raised.value).replace(str(env.parent), "/p")


def test_what_is_no_environment(env: Path) -> None:
    file, folder = env.parent / "file", env.parent / "folder"
    file.write_text("")
    folder.mkdir()
    assert refused(file) == "error: `/p/file` is not a folder, so no environment"
    assert refused(folder) == (
        "error: `/p/folder` is not an environment\n  cause: it has neither a `pyvenv.cfg` nor a folder `conda-meta`"
    )
    assert refused(env.parent / "gone") == "error: there is no environment at `/p/gone`\n\nhint: cudafit create PATH"
    assert "root of the file system" in refused(Path("/"))
    with transaction(str(env), reason="repair"):
        pass
    assert "keeps earlier states" in refused(beside(env))


def test_a_new_one_where_there_is_something(env: Path) -> None:
    (env.parent / "link").symlink_to("nowhere")
    assert refused(env, new=True).startswith("error: `/p/.venv` exists already")
    assert refused(env.parent / "link", new=True).startswith("error: `/p/link` exists already")
    assert "hint: mkdir -p" in refused(env.parent / "a/b", new=True)
