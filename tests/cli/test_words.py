"""Words that name an environment, on Windows and elsewhere."""

import ntpath
from types import SimpleNamespace
from typing import cast

import pytest

from cudafit.app.place import parted
from cudafit.env import conda_places
from cudafit.env import locate as locate_module
from cudafit.env.conda_places import check_name, env_folders, named
from cudafit.env.locate import Asked, locate, required
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.environment import CONDA
from cudafit.model.located import Located


class WindowsFiles:
    """Folders by their Windows paths, as `Files` would see them there."""

    def __init__(self, *folders: str) -> None:
        self.folders = {ntpath.normcase(folder) for folder in folders}

    def is_dir(self, path: str) -> bool:
        return ntpath.normcase(ntpath.normpath(path)) in self.folders

    def exists(self, path: str) -> bool:
        return self.is_dir(path)

    def is_file(self, _path: str) -> bool:
        return False

    def link_target(self, _path: str) -> None:
        return None


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate_module, "os", SimpleNamespace(path=ntpath))


def found(word: str, *folders: str) -> Located:
    return required(locate(cast(Files, WindowsFiles(*folders)), Asked(conda=word, folder=r"C:\work")))


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("word", "place"),
    [
        (r"D:\envs\x", r"D:\envs\x"),
        ("D:/envs/x", r"D:\envs\x"),
        (r"envs\x", r"C:\work\envs\x"),
        (r".\envs\x", r"C:\work\envs\x"),
        (r"\\server\share\x", r"\\server\share\x"),
    ],
)
def test_behind_conda_a_path_of_windows_is_no_name(word: str, place: str) -> None:
    located = found(word, place, rf"{place}\conda-meta")
    assert (located.prefix, located.kind) == (place, CONDA)


@pytest.mark.usefixtures("windows")
def test_a_folder_that_is_not_there_is_not_looked_for_by_name() -> None:
    with pytest.raises(InputError, match="is not a conda environment") as caught:
        found(r"D:\envs\x")
    assert caught.value.cause == ("there is no such folder",)


@pytest.mark.parametrize("word", [r"C:\envs\gpu", "C:/envs/gpu", "envs/gpu", r"envs\gpu", r"\\server\share\gpu"])
def test_create_takes_the_paths_of_windows_there(word: str) -> None:
    assert parted((word, "torch"), windows=True) == (word, ("torch",))


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        (r"C:\envs\my gpu", "in WSL it is `/mnt/c/envs/my gpu`"),
        (r"envs\gpu", "here it is `envs/gpu`"),
        (r"\\server\share\gpu", "name a folder of this machine"),
        ("C:", "name a folder of this machine"),
    ],
)
def test_elsewhere_no_folder_is_made_that_is_called_like_a_path_of_windows(word: str, hint: str) -> None:
    with pytest.raises(InputError, match="is a path of Windows") as caught:
        parted((word, "torch"), windows=False)
    assert caught.value.hint == hint


def test_create_takes_slashes_everywhere() -> None:
    for windows in (True, False):
        assert parted(("envs/gpu", "torch"), windows=windows) == ("envs/gpu", ("torch",))
        assert parted(("torch", "numpy"), windows=windows) == (None, ("torch", "numpy"))
        assert parted(("torch @ https://example.org/t.whl",), windows=windows)[0] is None


@pytest.mark.parametrize("name", [r"C:\envs\gpu", r"envs\gpu", "envs/gpu"])
def test_no_environment_is_called_like_a_path(name: str) -> None:
    with pytest.raises(InputError, match="is not the name of a conda environment"):
        check_name(name)


def test_on_windows_environments_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        r"C:\Users\ana/.condarc": "envs_dirs:\n  - D:\\envs\n  - relative\n",
        r"C:\Users\ana/.conda/environments.txt": "E:\\elsewhere\\gpu\nnonsense\n",
    }

    class Kept:
        def read_text(self, path: str, _limit: int) -> str:
            if path not in texts:
                raise FileNotFoundError
            return texts[path]

    monkeypatch.setattr(conda_places, "os", SimpleNamespace(path=ntpath, pathsep=";"))
    environ = {"USERPROFILE": r"C:\Users\ana", "CONDA_ENVS_DIRS": r"F:\one;two"}
    files = cast(Files, Kept())
    assert env_folders(files, (), environ) == [r"F:\one", r"D:\envs", r"C:\Users\ana/.conda/envs"]
    assert r"E:\elsewhere\gpu" in list(named(files, "gpu", (), environ, r"C:\work"))
