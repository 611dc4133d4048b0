"""The ways back: to an earlier state, and after a change that was cut off."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cudafit.errors import CudafitError, InputError
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import generations, recover, roll_back
from cudafit.repair.transaction import transaction
from tests.conftest import Run
from tests.repair.chaos import killed, silent
from tests.repair.trees import CHANGED_NS, LARGE, beside, change_env, make_env, reading

LIBRARY = "lib/python3.12/site-packages/lib2.so"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_env(tmp_path / "project" / ".venv")


def change(env: Path, act: Callable[[Path], None] = change_env, reason: str = "repair") -> None:
    with transaction(str(env), reason=reason):
        act(env)


def write(text: str) -> Callable[[Path], None]:
    def act(env: Path) -> None:
        (env / "pyvenv.cfg").write_text(text)

    return act


def cut_off(env: Path, act: Callable[[Path], None] = change_env) -> None:
    """A cudafit is killed when all is changed and nothing committed."""

    def die() -> None:
        with transaction(str(env), reason="the repair"):
            act(env)
            os.kill(os.getpid(), 9)

    assert killed(die)


def test_there_and_back_again(env: Path) -> None:
    old = reading(env)
    change(env)
    new = reading(env)
    goal = roll_back(str(env), say=silent)
    assert (goal.id, goal.reason, goal.files) == ("1", "repair", 18)
    assert reading(env) == old
    (kept,) = generations(str(env))
    assert (kept.id, kept.reason) == ("2", "rollback to generation 1")
    assert roll_back(str(env), say=silent).id == "2"
    assert reading(env) == new


def test_to_a_named_generation(env: Path) -> None:
    readings = [reading(env)]
    for number in range(3):
        change(env, write(f"home = {number}\n"), reason=f"repair {number}")
        readings.append(reading(env))
    assert [(one.id, one.reason) for one in generations(str(env))] == [
        ("3", "repair 2"),
        ("2", "repair 1"),
        ("1", "repair 0"),
    ]
    assert roll_back(str(env), "1", say=silent).id == "1"
    assert reading(env) == readings[0]
    assert [one.id for one in generations(str(env))] == ["4", "3", "2"]
    roll_back(str(env), "4", say=silent)
    assert reading(env) == readings[3]
    with pytest.raises(InputError, match="there is no generation `7`") as raised:
        roll_back(str(env), "7", say=silent)
    assert raised.value.cause == ("kept: 5, 3, 2",)


def test_an_environment_that_was_removed_comes_back(env: Path) -> None:
    old = reading(env)
    change(env)
    env.rename(env.parent / "away")
    roll_back(str(env), say=silent)
    assert reading(env) == old
    assert generations(str(env)) == ()


def test_where_nothing_is_kept(env: Path) -> None:
    assert generations(str(env)) == ()
    assert interrupted(str(env)) is None
    assert recover(str(env), say=silent) == f"no change of `{env}` was interrupted"
    with pytest.raises(CudafitError, match=r"no earlier state of `.*` is kept"):
        roll_back(str(env), say=silent)
    assert os.listdir(env.parent) == [".venv"]


def test_three_are_kept_and_old_ones_are_not(env: Path) -> None:
    for number in range(5):
        change(env, write(f"home = {number}\n"))
    assert [one.id for one in generations(str(env))] == ["5", "4", "3"]
    record = beside(env) / "generations/4/generation.json"
    value = json.loads(record.read_text())
    value["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 31 * 86400))
    record.write_text(json.dumps(value))
    change(env, write("home = 5\n"))
    assert [one.id for one in generations(str(env))] == ["6", "5"]
    assert os.listdir(beside(env) / "discarded") == ["README"]


def test_disk_use_is_what_removing_would_free(env: Path) -> None:
    change(env, lambda _: None)
    (kept,) = generations(str(env))
    assert kept.bytes > 3 * LARGE
    assert kept.disk_bytes < LARGE
    (env / LIBRARY).unlink()
    (kept,) = generations(str(env))
    assert LARGE <= kept.disk_bytes < 2 * LARGE


def test_a_change_that_was_cut_off_is_seen_and_undone(env: Path) -> None:
    old = reading(env)
    cut_off(env)
    seen = interrupted(str(env))
    assert seen is not None
    assert (seen.step, seen.reason, seen.running) == ("apply", "the repair", False)
    with pytest.raises(CudafitError, match=r"an earlier change of `.*` was interrupted") as raised:
        change(env)
    assert raised.value.hint == f"cudafit rollback {env}"
    said = recover(str(env), say=silent)
    assert said == f"the repair was interrupted ({seen.started}): `{env}` is as it was before"
    assert reading(env) == old
    assert interrupted(str(env)) is None
    assert os.listdir(env.parent) == [".venv"]


def test_rolling_back_after_a_cut_goes_no_further_than_before_it(env: Path) -> None:
    change(env, write("home = 1\n"))
    first = reading(env)
    cut_off(env)
    said = list[str]()
    assert roll_back(str(env), say=said.append).id == "2"
    assert "was interrupted" in said[0]
    assert reading(env) == first
    assert [one.id for one in generations(str(env))] == ["1"]
    cut_off(env)
    assert roll_back(str(env), "1", say=silent).id == "1"


def test_a_creation_that_was_cut_off_is_removed(tmp_path: Path) -> None:
    env = tmp_path / "env"

    def die() -> None:
        with transaction(str(env), reason="create", new=True):
            make_env(env)
            os.kill(os.getpid(), 9)

    assert killed(die)
    assert "what had been made of" in recover(str(env), say=silent)
    assert os.listdir(tmp_path) == []


def test_large_files_written_in_place_are_said(env: Path) -> None:
    old = reading(env)

    def act(env: Path) -> None:
        with (env / LIBRARY).open("r+b") as file:
            file.write(b"patched")
        os.utime(env / LIBRARY, ns=(CHANGED_NS, CHANGED_NS))

    change(env, act)
    said = list[str]()
    roll_back(str(env), say=said.append)
    assert said == [
        "1 file was written in place after the snapshot, so the old bytes are gone "
        "(it holds large files as hard links)",
        f"reinstall what they belong to in `{env}`:",
        f"`{LIBRARY}`",
    ]
    assert {**reading(env), LIBRARY: None} == {**old, LIBRARY: None}


def test_a_damaged_generation_is_not_gone_back_to(env: Path) -> None:
    change(env)
    new = reading(env)
    tree = beside(env) / "generations/1/tree"
    (tree / "bin/tool").unlink()
    (tree / "bin/more").write_text("")
    with pytest.raises(CudafitError, match=r"generation 1 of `.*` is damaged") as raised:
        roll_back(str(env), say=silent)
    assert raised.value.cause == (
        "another program changed what cudafit keeps",
        "`bin/more: missing, added or replaced`",
        "`bin/tool: missing, added or replaced`",
    )
    assert reading(env) == new
    assert interrupted(str(env)) is None


def test_paths_in_a_manifest_lead_nowhere(env: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("")
    target.chmod(0o600)
    change(env)
    manifest = beside(env) / "generations/1/manifest.json"
    value = json.loads(manifest.read_text())
    for path in (str(target), "../../../../../precious"):
        value["items"].append([path, "file", 0o777, 0, target.stat().st_mtime_ns, None])
    manifest.write_text(json.dumps(value))
    with pytest.raises(CudafitError, match="a path that leads out of the tree"):
        roll_back(str(env), say=silent)
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other", "items": []}', '{"schema": 1', "\xff"])
def test_a_broken_manifest_is_said(env: Path, text: str) -> None:
    change(env)
    (beside(env) / "generations/1/manifest.json").write_text(text)
    with pytest.raises(CudafitError, match=r"manifest `.*` is broken"):
        roll_back(str(env), say=silent)


@pytest.mark.parametrize(
    ("column", "value"),
    [(2, 10**30), (2, -1), (2, 0o10000), (3, -1), (3, 10**30), (4, 10**40), (4, -(10**40))],
)
def test_a_manifest_with_what_no_file_can_have_is_said_with_the_way_out(env: Path, column: int, value: int) -> None:
    change(env)
    new = reading(env)
    manifest = beside(env) / "generations/1/manifest.json"
    told = json.loads(manifest.read_text())
    told["items"][3][column] = value
    manifest.write_text(json.dumps(told))
    with pytest.raises(CudafitError, match="a mode, a size or a time that no file has") as raised:
        roll_back(str(env), say=silent)
    assert raised.value.hint == f"go back further (`cudafit rollback {env} --list`) or make it anew"
    assert reading(env) == new


def test_a_number_that_leaves_none_for_the_next_is_said(env: Path) -> None:
    change(env)
    (beside(env) / "generations/1").rename(beside(env) / "generations/999999999")
    with pytest.raises(CudafitError, match="no number is left for an earlier state"):
        change(env)
    with pytest.raises(CudafitError, match="no number is left for an earlier state"):
        roll_back(str(env), say=silent)
    assert interrupted(str(env)) is None


def test_an_environment_made_anew_meanwhile_is_not_thrown_away(env: Path) -> None:
    cut_off(env)
    os.rename(env, beside(env) / "discarded/1-changed")  # what a recovery does first; then it is killed
    env.mkdir()
    (env / "precious").write_text("")
    with pytest.raises(CudafitError, match="was made anew by another program"):
        recover(str(env), say=silent)
    assert (env / "precious").exists()


def test_what_only_a_newer_cudafit_can_read_is_left_alone(env: Path) -> None:
    change(env)
    (beside(env) / "generations/1/generation.json").write_text('{"schema": "cudafit.generation/9"}')
    (beside(env) / "generations/notes").mkdir()
    change(env, write("home = 2\n"))
    assert [one.id for one in generations(str(env))] == ["2"]
    assert sorted(os.listdir(beside(env) / "generations")) == ["1", "2", "notes"]


def test_what_is_kept_can_be_cleared_and_frees_its_disk(cudafit: Run, env: Path) -> None:
    for name in ("one", "two"):
        with transaction(str(env), reason="repair"):
            (env / name).write_text(name)
    listed = cudafit("rollback", str(env), "--list")
    assert "in all: " in listed.stdout
    assert "--clear` frees it" in listed.stdout
    asked = cudafit("rollback", str(env), "--clear")
    assert asked.returncode == 2
    assert "nothing was removed" in asked.stderr
    assert len(generations(str(env))) == 2
    now = reading(env)
    done = cudafit("rollback", str(env), "--clear", "--yes")
    assert done.returncode == 0, done.stderr
    assert "freed" in done.stdout
    assert generations(str(env)) == ()
    assert reading(env) == now
    assert cudafit("rollback", str(env), "--clear", "--yes").returncode == 1
    assert cudafit("rollback", str(env), "--clear", "--list").returncode == 2
