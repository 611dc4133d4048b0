"""`cudafit.pyz`: how it unpacks itself, and the real file with each Python that is here."""

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measures import Command, in_turns
from cudafit import __version__

TOP = Path(__file__).parent.parent
START = TOP / "packages" / "pyz" / "start.py"
FILES = {"cudafit/__init__.py": "__version__ = 'x'\n", "certifi/cacert.pem": "-----BEGIN\n"}


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """The module that the file starts, as if it lay in a file with two others in it."""
    spec = importlib.util.spec_from_file_location("pyz_start", START)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content = tmp_path / "content.zip"
    with zipfile.ZipFile(content, "w") as inner:
        for name, text in FILES.items():
            inner.writestr(name, text)
    with zipfile.ZipFile(tmp_path / "cudafit.pyz", "w") as outer:
        outer.write(content, "content.zip")
    module.__file__ = str(tmp_path / "cudafit.pyz" / "__main__.py")
    return module


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return folder


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What was registered for the end, done."""
    todo: list[tuple[Any, ...]] = []
    monkeypatch.setattr("atexit.register", lambda *call: todo.append(call))

    def end() -> None:
        for one, *words in todo:
            one(*words)

    return end


def test_it_is_unpacked_once(start: Any, home: Path) -> None:
    place = Path(start.folder())
    assert place == home / ".cache" / "cudafit" / "pyz" / start.KEY
    assert {name: (place / name).read_text() for name in FILES} == FILES
    before = (place / start.LIST).stat().st_mtime_ns
    start.unpack = None  # a second time would be an error
    assert Path(start.folder()) == place
    assert (place / start.LIST).stat().st_mtime_ns == before
    assert [one.name for one in place.parent.iterdir()] == [start.KEY]


@pytest.mark.parametrize("damage", ["removed", "cut", "no list", "a file in its place"])
def test_what_a_cleaner_left_is_made_anew(start: Any, home: Path, damage: str) -> None:
    place = Path(start.folder())
    if damage == "a file in its place":
        shutil.rmtree(place)
        place.write_text("")
    elif damage == "cut":
        (place / "certifi" / "cacert.pem").write_text("---")
    else:
        (place / (start.LIST if damage == "no list" else "certifi/cacert.pem")).unlink()
    assert Path(start.folder()) == place
    assert start.is_whole(str(place))
    assert [one.name for one in place.parent.iterdir()] == [start.KEY]


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@pytest.mark.parametrize("where", ["", ".cache", ".cache/cudafit/pyz", ".cache/cudafit/pyz/@KEY@"])
def test_what_others_may_write_is_not_used(start: Any, home: Path, ended: Callable[[], None], where: str) -> None:
    kept = Path(start.folder())
    (kept / "cudafit" / "__init__.py").write_text("__version__ = 'y'\n")  # of the same size
    (home / where).chmod(0o777)
    place = Path(start.folder())
    assert (place / "cudafit" / "__init__.py").read_text() == FILES["cudafit/__init__.py"]
    if where.endswith(start.KEY):
        assert place == kept, "what is made anew is this user's own again"
    else:
        assert place.parent == home.parent, "a temporary folder"
        ended()
        assert not place.exists()


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links")
def test_a_link_in_the_cache_leads_nowhere_that_others_may_write(start: Any, home: Path, tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (home / ".cache" / "cudafit").mkdir(parents=True)
    (home / ".cache" / "cudafit" / "pyz").symlink_to(open_to_all)
    place = Path(start.folder())
    assert place.parent == tmp_path
    assert not list(open_to_all.iterdir())


def test_without_a_cache_it_works_from_a_temporary_folder(
    start: Any, home: Path, ended: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    (home / "file").write_text("")
    place = Path(start.folder())
    assert place.parent == home.parent
    assert (place / "cudafit" / "__init__.py").is_file()
    ended()
    assert not place.exists()


def test_no_place_at_all_is_said_in_one_line(
    start: Any, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_words: object, **_others: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(start, "unpack", full)
    with pytest.raises(SystemExit) as left:
        start.start()
    assert left.value.code == 3
    said = capsys.readouterr().err
    assert said.startswith("error: there is no folder to unpack cudafit into: [Errno 28]")
    assert said.count("\n") == 1
    assert not list(home.parent.glob("cudafit-pyz-*"))
    assert not list((home / ".cache" / "cudafit" / "pyz").iterdir())


def test_what_is_old_goes(start: Any, home: Path) -> None:
    room = home / ".cache" / "cudafit" / "pyz"
    for name, age in (("old-version", 40), (".new-killed", 40), ("last-version", 3)):
        (room / name).mkdir(parents=True)
        when = os.stat(room).st_mtime - age * 24 * 3600
        os.utime(room / name, (when, when))
    start.folder()
    assert {one.name for one in room.iterdir()} == {start.KEY, "last-version"}


def test_an_old_python_is_told_so_in_one_line(start: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(start.sys, "version_info", (3, 6, 15))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start.too_old() == "error: cudafit needs Python 3.10 or newer; this is 3.6\n"
    (tmp_path / "python3.11").write_text("")
    (tmp_path / "python3.11").chmod(0o755)
    assert start.too_old() == "error: cudafit needs Python 3.10 or newer; this is 3.6; `python3.11` is on PATH\n"


def test_what_was_left_out_is_said_where_it_is_wanted(
    cudafit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    lock = str(tmp_path / "requirements.lock.txt")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = cudafit("resolve", "torch", "--gpu", "sm_90", "--driver", "580.65.06", "-o", lock)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: this copy of cudafit came without uv, which is needed here\n"), done.stderr
    assert "hint: `pip install cudafit` brings it" in done.stderr


# The real file.
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
OLD = ("2.7", "3.6", "3.9")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder with a space in its name, which nothing is to be written to."""
    folder = tmp_path_factory.mktemp("built") / "a place with spaces"
    command = [sys.executable, str(TOP / "packages" / "pyz" / "build.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    folder.chmod(0o555)
    return folder / "cudafit.pyz"


def python(version: str) -> str:
    """The program itself, on PATH or among pyenv's; a shim of pyenv's needs variables."""
    places = [shutil.which(f"python{version}")]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
        places += [str(path) for path in Path(root).glob(f"versions/{version}.*/bin/python{version}")]
    for place in filter(None, places):
        command = [place, "-c", "import sys; sys.stdout.write(sys.executable)"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            return done.stdout
    pytest.skip(f"there is no Python {version} here")


def cut_off() -> list[str]:
    """What starts a program without a network, where this user may."""
    command = ["unshare", "--user", "--map-root-user", "--net"]
    there = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if there and there.returncode == 0 else []


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
@pytest.mark.xdist_group("pyz")
@pytest.mark.parametrize("version", PYTHONS)
def test_the_file_runs_with_each_python_and_nothing_else(built: Path, tmp_path: Path, version: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    start = [*cut_off(), python(version), str(built)]

    def ran(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*start, *words], cwd=tmp_path, env={"HOME": str(home)}, capture_output=True, text=True, check=False
        )

    assert ran("--version").stdout == f"cudafit {__version__}\n"
    for words, schema, codes in (
        (["inspect", "--json"], "cudafit.machine/1", (0, 3)),
        (["doctor", "--json"], "cudafit.doctor/1", (0, 1, 3)),
        (["resolve", "torch", "--gpu", "sm_90", "--driver", "580.65.06", "--json"], "cudafit.resolve/1", (0,)),
    ):
        done = ran(*words)
        assert done.returncode in codes, done.stderr
        assert json.loads(done.stdout)["schema"] == schema
        assert "Traceback" not in done.stderr
    assert "torch" in ran("explain", "torch.cpu_wheel").stdout
    assert [one.name for one in built.parent.iterdir()] == ["cudafit.pyz"]
    (place,) = (home / ".cache" / "cudafit" / "pyz").iterdir()
    modules = ("requests", "yaml", "tomlkit", "click", "packaging.pylock", "remotezip", "charset_normalizer")
    tried = f"import {', '.join(modules)}"
    command = [start[-2], "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(place)!r}); {tried}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
@pytest.mark.xdist_group("pyz")
@pytest.mark.parametrize("version", OLD)
def test_an_old_python_can_read_what_it_is_told(built: Path, version: str) -> None:
    command = [python(version), str(built), "doctor", "--json"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: cudafit needs Python 3.10 or newer; this is {version}\n"


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
@pytest.mark.xdist_group("pyz")
def test_it_starts_almost_as_fast_as_what_is_installed(built: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    file = Command((sys.executable, "-S", str(built), "--help"), environ=environ)
    in_turns([file], 1)
    (place,) = (tmp_path / ".cache" / "cudafit" / "pyz").iterdir()
    code = f"import sys; sys.path.insert(0, {str(place)!r}); from cudafit.__main__ import main; main()"
    installed = Command((sys.executable, "-S", "-c", code, "--help"), environ=environ)
    mine, theirs = in_turns([file, installed], 15)
    ratio = statistics.median(one / other for one, other in zip(mine, theirs, strict=True))
    assert ratio < 1.5, f"{ratio:.2f} times what is installed"
