"""Files of a Python's packages are exchanged one by one: killed at any moment, what was there is there again."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cudafit.errors import CudafitError, InputError
from cudafit.repair.distributions import files_of
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import generations, recover, roll_back
from cudafit.repair.transaction import RolledBack, Underway, transaction
from tests.repair.chaos import killed, silent
from tests.repair.mounts import mounted
from tests.repair.trees import Reading, reading

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="changes are refused on Windows")
SITE = "lib/python3.12/site-packages"
OLD_NS = 1_600_000_000_123_456_789


def written(top: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def package(name: str, version: str, *more: str) -> dict[str, str]:
    """Its files, below the prefix."""
    info = f"{SITE}/{name}-{version}.dist-info"
    files = {f"{SITE}/{name}/__init__.py": f"version = {version!r}\n", f"{info}/METADATA": version}
    files |= dict.fromkeys(more, f"{name} {version}")
    listed = "".join(f"{os.path.relpath(path, SITE)},,\n" for path in files)
    return {**files, f"{info}/RECORD": listed}


OLD = {
    **package("torch", "1", "bin/torchrun", "share/man/man1/old.1", f"{SITE}/torch/old/deep.py"),
    **package("numpy", "1", f"{SITE}/shared.py"),
    f"{SITE}/torch/__pycache__/__init__.cpython-312.pyc": "compiled",
    f"{SITE}/torch/mine.txt": "of the user",
    "bin/other": "another program's",
    "bin/new-tool": "somebody else's, of the same name",
}
NEW = package("torch", "2", "bin/torchrun", "bin/new-tool", "share/jupyter/new.json", f"{SITE}/torch/new/more.py")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    top = tmp_path / "usr"
    written(top, OLD)
    for path in [*top.rglob("*"), top]:
        os.utime(path, ns=(OLD_NS, OLD_NS))
    (top / SITE / "torch").chmod(0o750)
    return top


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process is killed here, and no power is cut."""
    for module in ("restore", "rollback", "transaction"):
        monkeypatch.setattr(f"cudafit.repair.{module}.sync_file_system", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    # Between two of these nothing on the disk differs that is looked at afterwards.
    monkeypatch.setattr("tests.repair.chaos.CALLS", ("rename", "replace", "mkdir", "rmdir", "unlink", "utime"))


def seen(prefix: Path) -> Reading:
    """All but cudafit's own folder, and the time of the folder in which that is made."""
    found = reading(prefix)
    found.pop("lib/python3.12")
    return {path: one for path, one in found.items() if ".cudafit-" not in path}


def contents(prefix: Path) -> dict[str, str]:
    return {
        str(one.relative_to(prefix)): one.read_text()
        for one in prefix.rglob("*")
        if one.is_file() and ".cudafit-" not in str(one)
    }


def change(prefix: Path, new: dict[str, str] = NEW, then: Callable[[Underway], object] = lambda _: None) -> None:
    site = prefix / SITE
    with transaction(str(site), reason="repair: torch", say=silent) as underway:
        written(Path(underway.stage), new)
        underway.exchange(files_of(str(site), {"torch"}))
        then(underway)


def test_what_a_package_has_anywhere_is_exchanged_and_comes_back(prefix: Path) -> None:
    before = seen(prefix)
    change(prefix)
    after = contents(prefix)
    gone = {path for path in OLD if "torch" in path} - {f"{SITE}/torch/mine.txt"} | {"share/man/man1/old.1"}
    assert after == {path: text for path, text in OLD.items() if path not in gone} | NEW
    assert not (prefix / "share/man/man1").exists(), "a folder that is left empty goes"
    [kept] = generations(str(prefix / SITE))
    roll_back(str(prefix / SITE), kept.id, say=silent)
    assert seen(prefix) == before
    roll_back(str(prefix / SITE), say=silent)
    assert contents(prefix) == after, "going back can be undone"


def test_a_change_that_fails_leaves_all_as_it_was(prefix: Path) -> None:
    before = seen(prefix)

    def fail(_: Underway) -> None:
        raise CudafitError("doctor finds an error")

    with pytest.raises(RolledBack):
        change(prefix, then=fail)
    assert seen(prefix) == before
    assert not list(prefix.rglob(".cudafit-*"))


def test_several_changes_are_taken_back_one_after_the_other(prefix: Path) -> None:
    before = seen(prefix)
    change(prefix)
    change(prefix, package("torch", "3", "bin/three"))
    first = generations(str(prefix / SITE))[-1].id
    roll_back(str(prefix / SITE), first, say=silent)
    assert seen(prefix) == before


def test_what_another_program_changed_since_is_not_mixed(prefix: Path) -> None:
    change(prefix)
    (prefix / SITE / "torch/__init__.py").write_text("version = '2.1'\n")
    after = contents(prefix)
    with pytest.raises(CudafitError, match="mix two versions"):
        roll_back(str(prefix / SITE), say=silent)
    assert contents(prefix) == after


def test_nothing_is_moved_through_a_link_or_onto_a_folder(prefix: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(prefix / "bin", elsewhere)
    (prefix / "bin").symlink_to(elsewhere)
    before = seen(prefix)
    with pytest.raises(RolledBack, match="is as it was") as caught:
        change(prefix)
    assert any("a link to one elsewhere" in line for line in caught.value.cause)
    assert seen(prefix) == before
    (prefix / "bin").unlink()
    (prefix / "bin/new-tool/inside").mkdir(parents=True)
    with pytest.raises(RolledBack) as caught:
        change(prefix)
    assert any("is a folder where a package has a file" in line for line in caught.value.cause)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a//b", "bin/../../x"])
def test_moves_lead_nowhere_else(prefix: Path, path: str) -> None:
    change(prefix)
    folder = next(prefix.rglob("moves.json"))
    folder.write_text(folder.read_text().replace('"bin/torchrun"', f'"{path}"'))
    after = contents(prefix)
    with pytest.raises(CudafitError, match=r"is broken, or was not written by this cudafit"):
        roll_back(str(prefix / SITE), say=silent)
    assert contents(prefix) == after


def test_another_user_may_not(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cudafit.repair.checks.posix.geteuid", lambda: 12345)
    with pytest.raises(InputError, match="belongs to another user"):
        change(prefix)


@pytest.mark.slow
def test_killed_at_any_moment_it_comes_back(prefix: Path, tmp_path: Path) -> None:
    """`kill -9` before each call that changes the file system."""
    place, before = str(prefix / SITE), seen(prefix)
    at, old, new = 0, 0, 0
    while True:
        at += 1
        if not killed(lambda: change(prefix), at=at):
            break
        if interrupted(place):
            recover(place, say=silent)
        found = seen(prefix)
        if found == before:
            old += 1
            continue
        new += 1  # it was complete
        assert contents(prefix)[f"{SITE}/torch/__init__.py"] == NEW[f"{SITE}/torch/__init__.py"]
        roll_back(place, say=silent)
        assert seen(prefix) == before
        shutil.rmtree(prefix / "lib/python3.12/.cudafit-site-packages")
    assert old > 30, "it was killed in the middle, many times"
    assert new > 0


@pytest.mark.slow
def test_a_way_back_that_is_killed_is_carried_on(prefix: Path, tmp_path: Path) -> None:
    before = seen(prefix)
    change(prefix)
    whole = tmp_path / "whole"
    shutil.copytree(prefix, whole, symlinks=True)
    at, carried = 1, 0
    while True:
        at += 2
        shutil.rmtree(prefix)
        shutil.copytree(whole, prefix, symlinks=True)
        place = str(prefix / SITE)
        if not killed(lambda: roll_back(str(prefix / SITE), say=silent), at=at):
            break
        if interrupted(place):
            recover(place, say=silent)
            carried += 1
            assert contents(prefix) == OLD
    assert carried > 10
    assert {path: one[:2] for path, one in seen(prefix).items()} == {path: one[:2] for path, one in before.items()}


def test_in_a_lower_layer_of_an_image(prefix: Path, tmp_path: Path) -> None:
    """Where a folder of packages cannot be renamed: the kernel says EXDEV."""
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={prefix},upperdir={tmp_path}/upper,workdir={tmp_path}/work,redirect_dir=off"
    with mounted(tmp_path / "merged", "-t", "overlay", "-o", layers, "overlay") as merged:
        before = contents(merged)
        with pytest.raises(OSError, match="cross-device"):
            os.rename(merged / SITE, merged / "elsewhere")
        change(merged)
        assert contents(merged)[f"{SITE}/torch/__init__.py"] == NEW[f"{SITE}/torch/__init__.py"]
        roll_back(str(merged / SITE), say=silent)
        assert contents(merged) == before
    assert contents(prefix) == OLD, "the layer of the image stays as it is"
