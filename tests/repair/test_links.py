"""Which links out of an environment a change would go through."""

import os
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.repair.engines.venv import reach_of_pip
from cudafit.repair.links import Reach, check_links
from cudafit.repair.walk import walk

SITE = "lib/python3.12/site-packages"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    made = tmp_path / "env"
    for name in ("torch", "rich"):
        info = made / SITE / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n{name}-1.0.dist-info/RECORD,,\n../../../bin/{name},,\n")
        (made / SITE / name).mkdir()
        (made / SITE / name / "__init__.py").write_text("")
    (made / "bin").mkdir()
    (made / "lib64").symlink_to("lib")  # leads to a folder of its own
    (made / "bin/python").symlink_to("/usr/bin/python3")  # a file
    (tmp_path / "elsewhere").mkdir()
    return made


def link(env: Path, path: str) -> None:
    place = env / path
    if place.exists():
        place.rename(env.parent / "elsewhere" / "moved")
        place.symlink_to(env.parent / "elsewhere" / "moved")
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(env.parent / "elsewhere")


def refused(env: Path, reach: Reach) -> list[str]:
    try:
        check_links(str(env), walk(str(env)), lambda: reach)
    except InputError as error:
        return [line.split("`")[1] for line in error.cause if "is a link to" in line]
    return []


@pytest.mark.parametrize(
    ("path", "changed", "adds", "stopped"),
    [
        (f"{SITE}/torch", {"torch"}, False, True),
        (f"{SITE}/torch", {"rich"}, False, False),
        (f"{SITE}/torch", {"rich"}, True, False),  # the folder of a package that stays
        (f"{SITE}/torch-1.0.dist-info", {"torch"}, False, True),
        (f"{SITE}/mine", {"torch"}, True, True),  # what comes may have a folder of that name
        (f"{SITE}/mine", {"torch"}, False, False),
        ("bin", {"torch"}, False, True),
        ("bin", set[str](), True, True),
        ("lib", {"torch"}, False, True),
        (SITE, set[str](), True, True),
        ("share", set[str](), True, True),
        ("share", {"torch"}, False, False),
    ],
)
def test_what_a_change_of_a_venv_would_go_through(
    path: str, changed: set[str], adds: bool, stopped: bool, env: Path
) -> None:
    link(env, path)
    assert refused(env, reach_of_pip(str(env), changed, adds=adds)) == ([path] if stopped else [])


def test_a_link_to_a_file_is_no_way_out(env: Path) -> None:
    """It is replaced, and what it leads to stays; so it is with Python itself."""
    (env.parent / "elsewhere/tool").write_text("mine")
    (env / "bin/torch").symlink_to(env.parent / "elsewhere/tool")
    assert refused(env, reach_of_pip(str(env), {"torch"}, adds=True)) == []


def test_what_is_in_reach_is_asked_only_where_there_is_such_a_link(env: Path) -> None:
    check_links(str(env), walk(str(env)), lambda: pytest.fail("it was asked"))


def test_a_link_by_a_detour_is_followed_to_its_end(env: Path) -> None:
    (env / SITE / "first").symlink_to("second")
    (env / SITE / "second").symlink_to(os.path.relpath(env.parent / "elsewhere", env / SITE))
    assert refused(env, Reach(frozenset(), frozenset(), adds=True)) == [f"{SITE}/first", f"{SITE}/second"]
