"""Requirement files as pip reads them."""

import os
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.project.requirement_files import read_requirement_file


def write(folder: Path, text: str | bytes, name: str = "r.txt") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_comments_continued_lines_and_hashes(tmp_path: Path) -> None:
    hashed = "numpy \\\n  ==1.26 \\\n  --hash=sha256:aa --hash=sha256:bb\r\n"
    path = write(tmp_path, f"# all\n\ntorch >= 2  # new\n{hashed}jax[cuda12]\nx==1 # a \\\ny")
    read = read_requirement_file(path)
    assert [(one.text, one.origin.rpartition(":")[2]) for one in read.wanted] == [
        ("torch >= 2", "3"),
        ("numpy ==1.26", "4"),
        ("jax[cuda12]", "7"),
        ("x==1", "8"),
        ("y", "9"),
    ]
    assert read.other == ()


def test_what_only_an_installer_understands_is_kept_as_it_is(tmp_path: Path) -> None:
    lines = [
        "--extra-index-url https://example.org/simple",
        "-e .",
        "./local",
        "git+https://example.org/x.git",
        "a-1.whl",
    ]
    read = read_requirement_file(write(tmp_path, "\n".join([*lines, "torch", "x @ file:///x.whl"])))
    assert read.other == tuple(lines)
    assert [one.name for one in read.wanted] == ["torch", "x"]


def test_files_within_files_are_relative_to_their_own(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "numpy\n-c ../limits.txt\n", "base.txt")
    write(tmp_path, "torch<2.9\n", "limits.txt")
    read = read_requirement_file(write(tmp_path, "-r deep/base.txt\n--requirement=deep/base.txt\ntorch\n"))
    assert [(one.text, one.constraint) for one in read.wanted] == [
        ("numpy", False),
        ("torch<2.9", True),
        ("numpy", False),
        ("torch<2.9", True),
        ("torch", False),
    ]


@pytest.mark.parametrize("data", [b"\xef\xbb\xbftorch\n", "torch\n".encode("utf-16"), b"torch\r\n", b"torch"])
def test_as_editors_write_them(tmp_path: Path, data: bytes) -> None:
    assert [one.name for one in read_requirement_file(write(tmp_path, data)).wanted] == ["torch"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"tor\0ch", "binary data"),
        (b"\xff\xfftorch", "not UTF-8"),
        (b"x" * (5 << 20), "larger than"),
        (b"-r r.txt", "names itself"),
        (b"-r nowhere.txt", "nowhere.txt"),
        (b"\n\ntorch=>1", "r.txt:3"),
    ],
)
def test_bad_files(tmp_path: Path, data: bytes, error: str) -> None:
    with pytest.raises(InputError) as caught:
        read_requirement_file(write(tmp_path, data))
    assert error in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_requirement_file(str(tmp_path))


def test_only_what_a_person_names_may_be_a_pipe(tmp_path: Path) -> None:
    end, start = os.pipe()
    os.write(start, b"torch\n")
    os.close(start)
    try:
        path = f"/proc/self/fd/{end}"
        (tmp_path / "a.txt").write_text(f"-r {path}\n")
        with pytest.raises(InputError, match="it is not a regular file"):
            read_requirement_file(str(tmp_path / "a.txt"), named=True)
        assert [one.name for one in read_requirement_file(path, named=True).wanted] == ["torch"]
    finally:
        os.close(end)


def test_files_that_name_each_other_come_to_an_end(tmp_path: Path) -> None:
    for number in range(15):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n" * 9)
    (tmp_path / "15.txt").write_text("torch\n")
    with pytest.raises(InputError, match="more than 500 files"):
        read_requirement_file(str(tmp_path / "0.txt"))


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("--find-links wheels", "--find-links {folder}/deep/wheels"),
        ("--find-links=../wheels", "--find-links {folder}/wheels"),
        ("-f./wheels", "-f {folder}/deep/wheels"),
        ("--find-links /srv/wheels", "--find-links /srv/wheels"),
        ("-f https://files.test/all", "-f https://files.test/all"),
    ],
)
def test_a_folder_of_files_is_one_beside_the_file_that_names_it(tmp_path: Path, line: str, kept: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "more.txt").write_text(f"{line}\n")
    (tmp_path / "requirements.txt").write_text("-r deep/more.txt\n")
    assert read_requirement_file(str(tmp_path / "requirements.txt")).other == (kept.format(folder=tmp_path),)
