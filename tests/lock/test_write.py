"""Files are written whole, all or none, and never over somebody else's."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.lock.header import header, is_ours
from cudafit.lock.order import Order
from cudafit.lock.requirements_txt import offline_text
from cudafit.lock.write import Document, difference, refuse_foreign, write_all
from cudafit.model.fit import MatrixVersion, Resolution, Target


def order(machine: str = "A100") -> Order:
    targets = (Target("linux-x86_64", None, "13.0"),)
    resolution = Resolution("fit", "3.12", (), (), (), MatrixVersion("1"), machines=(machine,), targets=targets)
    return Order(resolution, (), command=("cudafit", "resolve", "torch"), cudafit="9.9")


def test_the_header_says_who_what_and_how() -> None:
    assert header(order()) == (
        "# Written by cudafit 9.9, matrix 1. Edit the request, not this file:\n"
        "#   cudafit resolve torch\n"
        "# machine: A100\n"
        "# for: linux-x86_64, libc not told, CUDA up to 13.0, Python 3.12\n"
    )


def test_a_name_from_a_snapshot_cannot_end_the_comment() -> None:
    for evil in ("A100\nRUN rm -rf /", "A100\r\nx", "A100\x0bx", "A100\u2028x"):
        text = header(order(evil))
        assert all(line.startswith("#") for line in text.splitlines()), evil
    assert r"# machine: A100\x1b[31m\u202e" in header(order("A100\x1b[31m\u202e"))


def test_a_word_of_the_command_cannot_end_the_comment() -> None:
    text = header(replace(order(), command=("cudafit", "resolve", "torch", "-o", "a\n--pre")))
    assert text.splitlines()[1] == r"#   cudafit resolve torch -o $'a\n--pre'"


@pytest.mark.parametrize("evil", ["x==1\n--pre", "x==1\x1b[2K", "x==1\u2028--pre", "x==1\r"])
def test_a_line_of_a_lock_stays_one(evil: str) -> None:
    with pytest.raises(InputError, match="cannot stand in a lock"):
        offline_text(replace(order(), lines=(evil,)))
    assert offline_text(replace(order(), lines=("-f ./wheels",))).endswith("-f ./wheels\n")


def test_many_kinds_of_machines_are_cut_short() -> None:
    resolution = Resolution("fit", "3.12", (), (), (), MatrixVersion("1"), machines=tuple(f"m{n}" for n in range(20)))
    text = header(Order(resolution, (), cudafit="9"))
    assert "machine: and 12 more kinds" in text


def test_whose_file_it_is(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    refuse_foreign([str(path)], force=False)
    path.write_text("\n")
    refuse_foreign([str(path)], force=False)
    path.write_text(header(order()) + "x\n")
    assert is_ours(path.read_text())
    refuse_foreign([str(path)], force=False)
    path.write_text("numpy\n# Written by cudafit? no\n" * 2 + "x\n")
    path.write_text("numpy\nscipy\n# Written by cudafit\n")
    with pytest.raises(InputError, match="cudafit did not write it"):
        refuse_foreign([str(path)], force=False)
    refuse_foreign([str(path)], force=True)


def test_places_that_take_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        refuse_foreign([str(tmp_path / "nowhere" / "x")], force=False)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="it is a folder"):
        refuse_foreign([str(tmp_path / "folder")], force=False)
    (tmp_path / "folder").chmod(0o555)
    if not os.access(tmp_path / "folder", os.W_OK):
        with pytest.raises(InputError, match="read-only"):
            refuse_foreign([str(tmp_path / "folder" / "x")], force=False)


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_text("old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(InputError, match="No space left on device"):
        write_all([Document(str(path), "requirements", "new")])
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a\nb\n")
    assert "".join(difference(Document(str(path), "x", "a\nc\n"))).splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        " a",
        "-b",
        "+c",
    ]


def test_the_difference_of_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "a\nb"
    path.write_text("a")
    lines = "".join(difference(Document(str(path), "x", "b\n"))).splitlines()
    assert lines[0].endswith('a\\nb"')
    assert lines[2:] == ["@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+b"]
