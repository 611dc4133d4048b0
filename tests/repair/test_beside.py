"""The files of a project that change with its environment: they come back with it, whatever ends the change."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cudafit.env.kept_elsewhere import hashed
from cudafit.errors import CudafitError, InputError
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import generations, recover, roll_back
from cudafit.repair.transaction import RolledBack, transaction
from tests.repair.chaos import killed, silent
from tests.repair.mounts import mounted
from tests.repair.trees import MTIME_NS, Reading, beside, reading

_STEP = 3  # of the calls that change something: each of them takes a minute
FILES = ("pyproject.toml", "uv.lock", "poetry.lock")  # the last is not there before


def project(folder: Path) -> Path:
    """A small one, so that it can be killed all along; returns its environment."""
    env = folder / ".venv"
    (env / "bin").mkdir(parents=True)
    (env / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (folder / "pyproject.toml").write_bytes(b"# mine\r\n[project]\r\n")
    (folder / "pyproject.toml").chmod(0o640)
    (folder / "uv.lock").write_text("version = 1\n")
    (folder / "train.py").write_text("x = 1\n")
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
    return env


def change(env: Path, *, fail: bool = False, of: str = "") -> None:
    with transaction(str(env), reason="repair", beside=FILES, project=of) as under:
        under.put("pyproject.toml", b"[project]\nnew = 1\n")
        (env / "pyvenv.cfg").unlink()
        (env / "pyvenv.cfg").write_text("new\n")
        under.put("uv.lock", b"version = 2\n")
        under.put("poetry.lock", b"more\n")
        if fail:
            raise OSError(5, "it broke")


def whole(env: Path) -> Reading:
    """All but cudafit's own folder, and the times of what the test itself changed."""
    mine = beside(env).name
    return {name: what for name, what in reading(env.parent).items() if name.partition("/")[0] not in (mine, ".")}


def content(env: Path) -> dict[str, object]:
    return {name: (what[0], what[-1]) if what[0] == "file" else what[0] for name, what in whole(env).items()}


def test_there_and_back_and_there_again(tmp_path: Path) -> None:
    env = project(tmp_path / "p")
    old = whole(env)
    change(env)
    new = whole(env)
    assert (env.parent / "uv.lock").read_text() == "version = 2\n"
    assert (env.parent / "pyproject.toml").stat().st_mode & 0o777 == 0o640
    (kept,) = generations(str(env))
    assert kept.beside == FILES
    roll_back(str(env), say=silent)
    assert whole(env) == old
    assert not (env.parent / "poetry.lock").exists()
    roll_back(str(env), say=silent)
    assert whole(env) == new


def test_a_change_that_fails(tmp_path: Path) -> None:
    env = project(tmp_path / "p")
    old = whole(env)
    with pytest.raises(RolledBack):
        change(env, fail=True)
    assert whole(env) == old
    assert not beside(env).exists()


@pytest.mark.slow
def test_killed_all_along(tmp_path: Path) -> None:
    """The change, and the way back after it."""
    first = project(tmp_path / "first")
    old = content(first)
    change(first)
    new, acts = content(first), (("change", change), ("back", lambda env: roll_back(str(env), say=silent)))
    for name, act in acts:
        for at in itertools.count(1, _STEP):
            env = project(tmp_path / name)
            if name == "back":
                change(env)
            if not killed(_of(act, env), at=at):
                break
            if interrupted(str(env)) is not None:
                recover(str(env), say=silent)
            assert content(env) in (old, new), f"{name}, before call {at}"
            assert interrupted(str(env)) is None
            shutil.rmtree(env.parent)
        assert at > _STEP


def _of(act: Callable[[Path], object], env: Path) -> Callable[[], object]:
    return lambda: act(env)


@pytest.mark.slow
def test_the_way_back_is_killed_too(tmp_path: Path) -> None:
    """A change is cut off, and so is what brings back what was, all along."""
    kept = project(tmp_path / "first")
    old = whole(kept)

    def cut_off(env: Path) -> None:
        with transaction(str(env), reason="repair", beside=FILES) as under:
            under.put("pyproject.toml", b"new")
            (env / "pyvenv.cfg").unlink()
            under.put("poetry.lock", b"new")
            os.kill(os.getpid(), 9)

    for at in itertools.count(1, _STEP):
        env = project(tmp_path / "p")
        assert killed(_of(cut_off, env))
        ended = not killed(lambda env=env: recover(str(env), say=silent), at=at)  # type: ignore[misc]
        if interrupted(str(env)) is not None:
            recover(str(env), say=silent)
        assert whole(env) == old, f"before call {at}"
        shutil.rmtree(env.parent)
        if ended:
            break


def test_what_changed_since_is_kept(tmp_path: Path) -> None:
    env = project(tmp_path / "p")
    change(env)
    (env.parent / "pyproject.toml").write_text("edited by hand\n")
    roll_back(str(env), say=silent)
    roll_back(str(env), say=silent)
    assert (env.parent / "pyproject.toml").read_text() == "edited by hand\n"


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    env = project(tmp_path / "p")
    (env.parent / "uv.lock").rename(tmp_path / "elsewhere")
    (env.parent / "uv.lock").symlink_to(tmp_path / "elsewhere")
    old = whole(env)
    with pytest.raises(InputError, match=r"uv\.lock` cannot be changed safely"):
        change(env)
    assert whole(env) == old


def test_a_copy_that_was_changed_is_not_brought_back(tmp_path: Path) -> None:
    env = project(tmp_path / "p")
    change(env)
    new = whole(env)
    (beside(env) / "generations/1/beside/uv.lock").write_text("other\n")
    with pytest.raises(CudafitError, match="is damaged"):
        roll_back(str(env), say=silent)
    assert whole(env) == new


def test_a_record_leads_to_no_other_file(tmp_path: Path) -> None:
    env = project(tmp_path / "p")
    change(env)
    record = beside(env) / "generations/1/generation.json"
    record.write_text(record.read_text().replace('"uv.lock"', '"train.py"'))
    roll_back(str(env), say=silent)
    assert (env.parent / "train.py").read_text() == "x = 1\n"


def poetrys(folder: Path, cache: Path) -> Path:
    """The same project with its environment in Poetry's own folder."""
    env = project(folder)
    place = cache / f"p-{hashed(str(folder))}-py3.12"
    cache.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(env, place))


def both(env: Path, folder: Path) -> tuple[Reading, Reading]:
    found = reading(folder)
    found.pop(".")
    return reading(env), found


@contextmanager
def on(disk: str, place: Path) -> Iterator[Path]:
    if disk == "other":
        with mounted(place, "-t", "tmpfs", "-o", "size=8m", "tmpfs"):
            yield place
    else:
        yield place


@pytest.mark.parametrize("disk", ["same", "other"])
def test_a_project_that_lies_elsewhere(tmp_path: Path, disk: str) -> None:
    """As with Poetry's cache, which may be on another disk than the project."""
    with on(disk, tmp_path / "disk") as top:
        folder = top / "p"
        env = poetrys(folder, tmp_path / "cache")
        old = both(env, folder)
        with pytest.raises(RolledBack):
            change(env, fail=True, of=str(folder))
        assert both(env, folder) == old
        change(env, of=str(folder))
        new = both(env, folder)
        assert (folder / "uv.lock").read_text() == "version = 2\n"
        roll_back(str(env), say=silent)
        assert both(env, folder) == old
        roll_back(str(env), say=silent)
        assert both(env, folder) == new


@pytest.mark.slow
@pytest.mark.parametrize("disk", ["same", "other"])
def test_killed_where_the_project_lies_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str) -> None:
    monkeypatch.setattr("tests.repair.chaos.CALLS", ("rename", "replace", "unlink", "mkdir"))
    with on(disk, tmp_path / "disk") as top:
        folder = top / "p"
        env = poetrys(folder, tmp_path / "cache")
        old = both(env, folder)
        undone = 0
        for at in itertools.count(1):
            if not killed(lambda: change(env, of=str(folder)), at=at):
                break
            if interrupted(str(env)):
                recover(str(env), say=silent)
                undone += 1
            elif both(env, folder) != old:
                roll_back(str(env), say=silent)
            assert both(env, folder) == old
        assert undone > 5
        for at in itertools.count(1):
            done = not killed(lambda: roll_back(str(env), say=silent), at=at)
            if interrupted(str(env)):
                recover(str(env), say=silent)
            assert (folder / "uv.lock").read_text() in ("version = 1\n", "version = 2\n")
            if done:
                break


def test_a_place_that_the_environment_is_not_called_after_is_not_believed(tmp_path: Path) -> None:
    folder, other = tmp_path / "disk" / "p", tmp_path / "other"
    env = poetrys(folder, tmp_path / "cache")
    change(env, of=str(folder))
    shutil.copytree(folder, other)
    record = next(beside(env).rglob("generation.json"))
    record.write_text(record.read_text().replace(str(folder), str(other)))
    before = reading(other)
    with pytest.raises(CudafitError, match="is not the environment of a project in"):
        roll_back(str(env), say=silent)
    assert reading(other) == before
