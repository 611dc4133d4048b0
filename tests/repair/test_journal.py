"""A journal that is broken or forged is an error that says so, and leads nowhere."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import CudafitError
from cudafit.repair import restore, transaction
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import recover, roll_back
from tests.repair.chaos import silent
from tests.repair.trees import beside, change_env, make_env, reading

GOOD = {
    "schema": "cudafit.journal/1",
    "step": "apply",
    "environment": "env",
    "new": False,
    "generation": "1",
    "replaced": None,
    "reason": "repair",
    "started": "2026-11-21T12:00:00Z",
    "pid": 1,
    "host": "here",
    "command": "cudafit repair",
}


@pytest.fixture
def env(tmp_path: Path) -> Path:
    env = make_env(tmp_path / "env")
    with transaction.transaction(str(env), reason="repair"):
        pass
    return env


def forge(env: Path, **changes: Any) -> None:
    (beside(env) / "journal.json").write_text(json.dumps({**GOOD, **changes}))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"schema": "cudafit.journal/2"}, "its schema is `cudafit.journal/2`"),
        ({"environment": "other"}, "it speaks of an environment named `other`"),
        ({"step": "delete"}, "it names a step `delete` that there is not"),
        ({"generation": "../../x"}, "it names a generation that cannot be one"),
        ({"generation": "1/tree"}, "it names a generation that cannot be one"),
        ({"generation": "1\n"}, "it names a generation that cannot be one"),
        ({"replaced": "."}, "it names a generation that cannot be one"),
        ({"generation": None}, "at `generation`: expected"),
        ({"pid": "1"}, "at `pid`: expected"),
        ({"new": True, "step": "snapshot"}, "it speaks of a new environment in the step `snapshot`"),
    ],
)
def test_forged(env: Path, changes: dict[str, Any], cause: str) -> None:
    old = reading(env)
    forge(env, **changes)
    for way in (interrupted, lambda env: recover(env, say=silent), lambda env: roll_back(env, say=silent)):
        with pytest.raises(CudafitError, match=r"journal `.*` is broken, or was not written by this cudafit") as raised:
            way(str(env))
        assert raised.value.cause[0].startswith(cause)
    assert reading(env) == old


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"apply"', "[" * 9999, "{}" + " " * 70000, "\udcff"])
def test_broken(env: Path, text: str) -> None:
    (beside(env) / "journal.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CudafitError, match="is broken"):
        interrupted(str(env))


def test_a_journal_that_is_no_plain_file(env: Path) -> None:
    journal = beside(env) / "journal.json"
    os.mkfifo(journal)
    with pytest.raises(CudafitError, match="is broken"):
        interrupted(str(env))
    journal.unlink()
    forge(env)
    journal.rename(env.parent / "elsewhere")
    journal.symlink_to(env.parent / "elsewhere")
    with pytest.raises(CudafitError, match="is broken"):
        interrupted(str(env))


def test_a_journal_of_a_generation_that_is_not_there(env: Path) -> None:
    old = reading(env)
    forge(env, generation="7")
    with pytest.raises(CudafitError, match=r"manifest `.*` is broken"):
        recover(str(env), say=silent)
    assert reading(env) == old


def test_a_generation_that_was_removed_is_not_taken_for_brought_back(env: Path) -> None:
    forge(env)
    (beside(env) / "generations/1/tree").rename(env.parent / "moved")
    change_env(env)
    with pytest.raises(CudafitError, match=r"generation 1 of `.*` is gone"):
        recover(str(env), say=silent)
    assert interrupted(str(env)) is not None


def test_a_tree_that_is_a_link_does_not_become_the_environment(env: Path) -> None:
    elsewhere = make_env(env.parent / "elsewhere")
    tree = beside(env) / "generations/1/tree"
    tree.rename(env.parent / "moved")
    tree.symlink_to(elsewhere)
    forge(env)
    recover(str(env), say=silent)
    assert env.is_dir()
    assert not env.is_symlink()
    assert reading(elsewhere) == reading(env)


@pytest.mark.parametrize(("mode", "cause"), [(0o755, "its mode is 0755"), (0o770, "its mode is 0770")])
def test_a_folder_that_others_could_have_written_is_not_believed(env: Path, mode: int, cause: str) -> None:
    beside(env).chmod(mode)
    with pytest.raises(CudafitError, match=r"nothing in `.*` can be trusted") as raised:
        interrupted(str(env))
    assert raised.value.cause[0].startswith(cause)


def test_a_link_in_place_of_the_folder_is_not_believed(env: Path) -> None:
    beside(env).rename(env.parent / "elsewhere")
    beside(env).symlink_to(env.parent / "elsewhere")
    with pytest.raises(CudafitError, match="can be trusted"):
        roll_back(str(env), say=silent)


def test_what_a_power_cut_could_lose_is_on_the_disk_before_it_is_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of syncs and names, as seen by the kernel."""
    env, seen = make_env(tmp_path / "env"), list[str]()

    def synced(descriptor: int) -> str:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return "fsync"
        return f"sync folder {os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}'))}"

    def note(module: Any, name: str, text: Any) -> None:
        real = getattr(module, name)

        def noted(*arguments: Any, **options: Any) -> Any:
            seen.append(text(*arguments))
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, noted)

    note(os, "replace", lambda _, target: f"name {Path(target).name}")
    note(restore, "remove_durably", lambda name, _: f"remove {name}")
    note(os, "fsync", synced)
    for module in ("transaction", "restore"):
        monkeypatch.setattr(f"cudafit.repair.{module}.sync_file_system", lambda _: seen.append("sync all"))
    with transaction.transaction(str(env), reason="repair"):
        seen.append("apply")
        change_env(env)
        seen.append("applied")
    folder = f"sync folder {beside(env).name}"
    journal = ["fsync", "name journal.json", folder]
    start = seen.index("name journal.json") - 1
    taken = seen[start : seen.index("apply") + 1]
    assert taken[:3] == journal
    assert taken[3:] == [
        "sync all",
        *("fsync", "name generation.json", "sync folder 1"),
        "sync folder generations",
        *journal,
        "apply",
    ]
    after = seen[seen.index("applied") + 1 :]
    assert after[:3] == ["sync all", "remove journal.json", folder]
