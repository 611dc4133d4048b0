"""Which programs are the system's own."""

import os
from pathlib import Path

import pytest

from cudafit.system import programs
from cudafit.system.programs import Found, system_program, why_not


def tool(folder: Path, mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tool"
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "system" / "bin"
    monkeypatch.setattr(programs, "FOLDERS", (f"{tmp_path}/first/bin", str(folder)))
    return folder


def path(*folders: object) -> dict[str, str]:
    return {"PATH": ":".join(map(str, folders))}


def test_the_systems_own_wins_over_what_path_names_first(tmp_path: Path, system: Path) -> None:
    tool(tmp_path / "env" / "bin")
    own = tool(system)
    assert system_program("tool", path(tmp_path / "env/bin", system), windows=False) == Found(str(own))
    assert system_program("tool", {}, windows=False) == Found(str(own)), "PATH need not name it"


def test_path_orders_the_folders_of_the_system(tmp_path: Path, system: Path) -> None:
    first, second = tool(tmp_path / "first/bin"), tool(system)
    assert system_program("tool", path(), windows=False).path == str(first)
    assert system_program("tool", path(f"{system}/", first.parent), windows=False).path == str(second)


def test_what_is_passed_over_is_told(tmp_path: Path, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path / "env/bin")
    monkeypatch.chdir(tmp_path)
    tool(tmp_path)
    found = system_program("tool", path("", ".", "env/bin", tmp_path / "env/bin", tmp_path / "none"), windows=False)
    assert found.path is None
    assert found.refused == (
        "./tool was not run: a relative folder of PATH is none of the system's",
        "env/bin/tool was not run: a relative folder of PATH is none of the system's",
        f"{tmp_path}/env/bin/tool was not run: {tmp_path}/env/bin is no folder of the system",
    )


def test_a_file_that_cannot_be_run_is_none(system: Path) -> None:
    tool(system, 0o644)
    assert system_program("tool", path(system), windows=False) == Found(None)


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta"])
def test_a_folder_of_the_system_that_is_an_environments(system: Path, mark: str) -> None:
    """As conda in /usr/local."""
    tool(system)
    (system.parent / mark).mkdir()
    assert system_program("tool", {}, windows=False).refused == (
        f"{system}/tool was not run: {system} belongs to an environment",
    )


def test_where_everybody_may_write(tmp_path: Path, system: Path) -> None:
    own = tool(system)
    for place in (own, system, system.parent):
        before = place.stat().st_mode
        place.chmod(before | 0o002)
        assert why_not(str(own), {}, windows=False) == f"everybody may write to {place}"
        place.chmod(before)
    system.parent.chmod(0o1777)  # as /tmp: others cannot replace what lies there
    assert why_not(str(own), {}, windows=False) is None
    system.chmod(0o1777)
    assert why_not(str(own), {}, windows=False) == f"everybody may write to {system}"


def test_where_a_link_leads(tmp_path: Path, system: Path) -> None:
    system.mkdir(parents=True)
    target = tool(tmp_path / "alternatives")
    (system / "tool").symlink_to(target)
    assert why_not(f"{system}/tool", {}, windows=False) is None
    target.parent.chmod(0o777)
    assert why_not(f"{system}/tool", {}, windows=False) == f"everybody may write to {target.parent}"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_who_owns_it(system: Path) -> None:
    own = tool(system)
    os.chown(own, 1234, -1)
    assert why_not(str(own), {}, windows=False) == f"{own} belongs to user 1234"
    os.chown(own, 65534, -1)
    assert why_not(str(own), {}, windows=False) is None, "the host's root, in a container without root"


@pytest.mark.parametrize(
    ("folder", "fits"),
    [
        ("/usr/local/cuda", True),
        ("/usr/local/cuda-12.4", True),
        ("/opt/cuda", True),
        ("/usr/local/cudax", False),
        ("/usr/local/cuda-12/../../home", False),
        ("/home/ada/cuda-12.4", False),
    ],
)
def test_toolkits_where_packages_put_them(folder: str, fits: bool) -> None:
    assert (f"{folder}/bin is no folder of the system" == why_not(f"{folder}/bin/nvcc", {}, windows=False)) is not fits


def test_windows() -> None:
    environ = {"SYSTEMROOT": r"C:\Windows", "PROGRAMFILES": r"C:\Program Files", "PATH": r"C:\env\Scripts"}
    assert system_program("nvidia-smi", environ, windows=True) == Found(None)
    folders = programs._windows_folders(environ)
    assert [folder.replace("/", "\\") for folder in folders] == [
        r"C:\Windows\System32",
        r"C:\Program Files\NVIDIA Corporation\NVSMI",
    ]
