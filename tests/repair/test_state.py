"""Where the state lies, and what is refused before anything is made."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cudafit.errors import CudafitError, InputError
from cudafit.repair import state as states
from cudafit.repair.checks import runs_here
from cudafit.repair.rollback import roll_back
from cudafit.repair.state import state_of
from cudafit.repair.transaction import transaction
from cudafit.system.mounts import parse_mounts_below
from tests.repair.chaos import silent
from tests.repair.mounts import immutable, mounted, read_only
from tests.repair.trees import beside, make_env, reading

NOBODY = 65534


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_env(tmp_path / "p" / "env")


def refused(env: Path) -> str:
    """The error, with the environment as it was and nothing left beside it."""
    old, listed = reading(env), sorted(os.listdir(env.parent))
    with pytest.raises(CudafitError) as raised, transaction(str(env), reason="repair"):
        pytest.fail("it was let in")
    assert (reading(env), sorted(os.listdir(env.parent))) == (old, listed)
    return str(raised.value).replace(str(env.parent), "/p")


def test_no_two_environments_share_a_folder() -> None:
    names = ["env", ".env", "venv", ".venv", "env.cudafi", "cudafit-env"]
    folders = {state_of(f"/p/{name}").folder for name in names}
    assert len(folders) == len(names)
    assert folders >= {"/p/.venv.cudafit", "/p/.cudafit-env"}
    assert all(os.path.basename(folder).startswith(".") for folder in folders)


@pytest.mark.parametrize("path", ["/p/env/", "/p/./env", "/p/x/../env"])
def test_however_it_is_written(path: str) -> None:
    assert state_of(path).env == "/p/env"


@pytest.mark.parametrize("path", ["/", "/p/.venv.cudafit", "/p/.cudafit-env", "a\0b"])
def test_what_no_environment_can_be_called(path: str) -> None:
    with pytest.raises(InputError):
        state_of(path)


def test_windows_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(InputError, match="cannot be changed safely on Windows") as caught:
        state_of("env")
    assert caught.value.hint
    assert "`cudafit create PATH`" in caught.value.hint  # which works there: tests/repair/test_making.py


def test_where_cudafit_itself_runs(env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs_here(sys.prefix)
    (tmp_path / "link").symlink_to(sys.prefix)
    assert runs_here(str(tmp_path / "link"))
    assert not runs_here(str(env))
    monkeypatch.setattr(sys, "prefix", str(env))
    assert "error: cudafit itself runs in `/p/env`" in refused(env)


def test_a_file_system_without_modes(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.mkdir

    def mkdir(path: str, _mode: int = 0o777, *, dir_fd: int) -> None:
        real(path, dir_fd=dir_fd)
        os.chmod(env.parent / path, 0o777)

    monkeypatch.setattr(os, "mkdir", mkdir)
    assert "cause: its file system keeps no permissions" in refused(env)


def test_another_users(env: Path) -> None:
    try:
        os.chown(env, NOBODY, NOBODY)
    except PermissionError:
        pytest.skip("only root can give a folder away")
    said = refused(env)
    assert said.startswith("error: `/p/env` belongs to another user\n  cause: its owner is `")
    assert "hint: run the same as `" in said


def test_another_users_folder_beside_it(env: Path) -> None:
    beside(env).mkdir(mode=0o700)
    try:
        os.chown(beside(env), NOBODY, NOBODY)
    except PermissionError:
        pytest.skip("only root can give a folder away")
    assert "nothing in `/p/.cudafit-env` can be trusted\n  cause: it belongs to" in refused(env)


@pytest.mark.parametrize("which", ["parent", "env"])
def test_mounted_read_only(env: Path, which: str) -> None:
    folder = env.parent if which == "parent" else env
    with read_only(folder):
        said = refused(env)
    name = "/p" if which == "parent" else "/p/env"
    assert f"cause: `{name}` is on a file system mounted read-only" in said


@pytest.mark.parametrize("which", ["parent", "env"])
def test_immutable(env: Path, which: str) -> None:
    with immutable(env.parent if which == "parent" else env):
        said = refused(env)
    assert said.startswith("error: `/p/env` cannot be changed\n")
    assert "may not be written by this user" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("which", ["parent", "env"])
def test_not_writable(env: Path, which: str) -> None:
    folder = env.parent if which == "parent" else env
    folder.chmod(0o555)
    try:
        assert "may not be written by this user" in refused(env)
    finally:
        folder.chmod(0o755)


@pytest.mark.slow
def test_without_root_what_may_not_be_written_is_refused() -> None:
    """The same as a user without rights, where the tests run as root."""
    if os.geteuid() != 0:
        pytest.skip("the test above does this")
    code = (
        "import concurrent.futures.thread, ctypes, fcntl, os, pwd, sys\n"
        "from cudafit.repair.transaction import transaction\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "try:\n"
        "    with transaction(sys.argv[1], reason='repair'): pass\n"
        "except Exception as error: print(error)\n"
    )
    with tempfile.TemporaryDirectory() as folder:  # which that user can look into; that of the other tests is root's
        Path(folder).chmod(0o755)
        refuse_without_root(make_env(Path(folder) / "p" / "env"), code)


def refuse_without_root(env: Path, code: str) -> None:
    for path in [env, *env.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    # A copy of the code, since the tests may lie where only root can look.
    library = env.parents[1] / "library"
    subprocess.run(
        ["cp", "-r", os.path.dirname(os.path.dirname(os.path.dirname(states.__file__))), library], check=True
    )

    def said() -> str:
        command = [sys.executable, "-c", code, str(env)]
        environ = {**os.environ, "PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False, cwd="/")
        if "Permission denied" in done.stderr or "ModuleNotFoundError" in done.stderr:
            pytest.skip("the interpreter lies where only root can look")
        assert done.stderr == ""
        return done.stdout.replace(str(env.parent), "/p")

    assert "cause: `/p` may not be written by this user" in said()
    os.chown(env.parent, NOBODY, NOBODY)
    env.chmod(0o555)
    assert "cause: `/p/env` may not be written by this user" in said()
    env.chmod(0o755)
    os.chown(env / "pyvenv.cfg", 0, 0)
    assert "cause: `pyvenv.cfg` belongs to `root`" in said()
    os.chown(env / "pyvenv.cfg", NOBODY, NOBODY)
    (env / "share/sealed").chmod(0)
    assert "cause: `share/sealed` cannot be read: Permission denied" in said()
    (env / "share/sealed").chmod(0o555)
    assert said() == ""


def test_an_environment_that_is_a_mount_point(env: Path) -> None:
    with mounted(env, "--bind", str(env)):
        said = refused(env)
    assert "it is a mount point, and those cannot be renamed" in said


def test_an_environment_on_another_file_system_than_its_parent(tmp_path: Path) -> None:
    with mounted(tmp_path / "p", "-t", "tmpfs", "-o", "size=8m", "tmpfs") as place:
        assert "mount point" in refused(make_env(place))


def test_an_environment_in_a_lower_layer(tmp_path: Path) -> None:
    """As in a container whose image brings the environment."""
    make_env(tmp_path / "lower/env")
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work,redirect_dir=off"
    with mounted(tmp_path / "p", "-t", "overlay", "-o", layers, "overlay") as place:
        said = refused(place / "env")
        assert "in a lower layer of a container's image" in said
        assert "hint: in a container, copy it once: cp -a /p/env" in said
        subprocess.run(["sh", "-c", said.partition("once: ")[2].replace("/p/", f"{place}/")], check=True)
        with transaction(str(place / "env"), reason="repair"):
            (place / "env/pyvenv.cfg").write_text("new")
        roll_back(str(place / "env"), say=silent)


def test_a_file_system_mounted_inside(env: Path) -> None:
    with mounted(env / "share/mine", "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        said = refused(env)
    assert said.startswith("error: another file system is mounted inside `/p/env`\n  cause: at `/p/env/share/mine`")


def test_the_kernels_table_of_mounts() -> None:
    text = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        "2 1 0:5 / /p/env/a\\040b rw,nosuid shared:1 - tmpfs tmpfs rw\n"
        "3 1 8:1 /x /p/env rw - ext4 /dev/sda rw\n"
        "4 1 8:1 /x /p/env-other/x rw - ext4 /dev/sda rw\n"
        "broken\n"
    )
    assert parse_mounts_below(text, "/p/env") == ("/p/env/a b",)
    assert parse_mounts_below("", "/p/env") == ()
