"""The one way to read what others may have prepared."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.system import reading
from cudafit.system.reading import read_bytes, read_named, read_text

READERS: list[Callable[[str, int], object]] = [
    read_bytes,
    read_named,
    read_text,
    reading.head,
    reading.tail,
    reading.read_named_text,
]
FIFO = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
LINUX = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs Linux")


def told(read: Callable[[str, int], object], path: str | Path, limit: int = 100) -> str:
    with pytest.raises(OSError, match=r"^\[Errno") as caught:
        read(str(path), limit)
    assert caught.value.strerror
    return caught.value.strerror


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abcde")
    assert read_bytes(str(path), 5) == b"abcde"
    assert told(read_bytes, path, 4) == "it is larger than 4 bytes"
    assert told(read_text, path, 4) == "it is larger than 4 bytes"
    assert told(read_named, path, 4) == "it is larger than 4 bytes"
    assert reading.head(str(path), 4) == b"abcd"
    assert reading.tail(str(path), 4) == b"bcde"
    assert b"".join(reading.blocks(str(path))) == b"abcde"
    path.write_bytes(b"")
    assert read_bytes(str(path), 0) == b""


@pytest.mark.parametrize(
    ("limit", "text"), [(2 << 20, "2 MiB"), (3 << 10, "3 KiB"), (1 << 20, "1 MiB"), (1023, "1023 bytes")]
)
def test_a_file_of_terabytes_is_refused_by_its_size(limit: int, text: str, tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    for read in (read_bytes, read_named, read_text):
        began = time.monotonic()
        assert told(read, path, limit) == f"it is larger than {text}"
        assert time.monotonic() - began < 1


@LINUX
def test_a_file_without_a_size_is_read_to_the_limit_and_no_further() -> None:
    assert os.stat("/proc/self/maps").st_size == 0
    assert len(read_bytes("/proc/self/maps", 1 << 24)) > 100
    assert told(read_bytes, "/proc/self/maps", 100) == "it is larger than 100 bytes"


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_file_is_refused(read: Callable[[str, int], object], tmp_path: Path) -> None:
    assert told(read, tmp_path) == "it is a folder"
    for name in ("/dev/zero", "/dev/full", "/dev/null", "/dev/tty", "/dev/random"):
        if os.path.exists(name):
            assert told(read, name) == "it is not a regular file"
    for name in ("no/such", "a\0b", "a\ud800b"):
        with pytest.raises(FileNotFoundError):
            read(name, 9)
    (tmp_path / "loop").symlink_to("loop")
    assert "symbolic links" in told(read, tmp_path / "loop")


@pytest.mark.slow
@FIFO
@pytest.mark.parametrize("read", READERS)
def test_a_pipe_without_a_writer_keeps_nobody_waiting(read: Callable[[str, int], object], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    began = time.monotonic()
    for path in (tmp_path / "pipe", tmp_path / "link"):
        assert told(read, path) in ("it is not a regular file", "nothing comes out of this pipe")
    assert time.monotonic() - began < 20


@FIFO
def test_a_pipe_that_a_person_names_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb") as file:
            file.write(b"one ")
            file.flush()
            time.sleep(0.3)
            file.write(b"two")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert read_named(str(path), 100) == b"one two"
    finally:
        writer.join()


@LINUX
def test_a_substituted_process_may_have_ended_already() -> None:
    end, start = os.pipe()
    os.write(start, b"\xef\xbb\xbfall of it\r\n")
    os.close(start)
    try:
        assert reading.read_named_text(f"/proc/self/fd/{end}", 100) == "all of it\n"
        assert told(read_bytes, f"/proc/self/fd/{end}") == "it is not a regular file", "what is found is no pipe"
    finally:
        os.close(end)


@LINUX
def test_a_pipe_without_an_end_stops_at_the_limit() -> None:
    end, start = os.pipe()
    os.write(start, bytes(200))
    try:
        assert told(read_named, f"/proc/self/fd/{end}") == "it is larger than 100 bytes"
    finally:
        os.close(start)
        os.close(end)


@LINUX
def test_a_writer_that_says_nothing_is_waited_for_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SILENCE_S", 0.1)
    end, start = os.pipe()
    try:
        assert told(read_named, f"/proc/self/fd/{end}") == "its writer said nothing for 0.1 s"
    finally:
        os.close(start)
        os.close(end)


def test_no_program_inherits_what_is_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with reading.opened(str(tmp_path / "a")) as descriptor:
        assert not os.get_inheritable(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\xef\xbb\xbfa", "a"), (b"a\r\nb\rc\n", "a\nb\nc\n"), (b"", ""), (b"\xc3\xa4\0", "\xe4\0")],
)
def test_text(data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert read_text(str(tmp_path / "a"), 99) == text


@pytest.mark.parametrize("data", [b"\xff\xfea\0", b"\xff", b"a\xed\xa0\x80"])
def test_what_is_no_text(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert told(read_text, tmp_path / "a") == "it is not UTF-8 text"
    assert "\ufffd" in read_text(str(tmp_path / "a"), 99, errors="replace")
    assert os.fsencode(read_text(str(tmp_path / "a"), 99, errors="surrogateescape")) == data


def test_stdin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcde")
    with (tmp_path / "a").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert reading.standard_input(5) == b"abcde"
    with (tmp_path / "a").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(OSError, match="it is larger than 4 bytes"):
            reading.standard_input(4)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(OSError, match="it is closed"):
        reading.standard_input(4)


def test_no_file_has_a_name_of_thousands_of_folders() -> None:
    assert reading.is_possible("a/" * 2000)
    assert not reading.is_possible("a/" * 3000)
    for root in ("/", "/nonexistent"):
        with pytest.raises(FileNotFoundError):
            Files(root).real("/" + "a/" * 3000)
        with pytest.raises(FileNotFoundError):
            Files(root).locate("/" + "a/" * 3000)
