"""The C library, from its own banner or the package database."""

import sys
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.libc import read_libc
from tests.machine.trees import Link, Tree, image, problems

DEBIAN_12 = b"\x7fELF\0\0GNU C Library (Debian GLIBC 2.36-9+deb12u4) stable release version 2.36.\nCopyright (C) 2022\0"
ROCKY_9 = b"\x7fELF\0\0GNU C Library (GNU libc) stable release version 2.34.\n\0"
FEDORA = b"\x7fELF\0\0GNU C Library (GNU libc) development release version 2.40.9000.\n\0"
ALPINE = """\
C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:alpine-baselayout
V:3.6.5-r0

C:Q1MDlvGNzYGCZDG2LYsB7LHHHgJrY=
P:musl
V:1.2.5-r0
A:x86_64
"""


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        pytest.param(
            {"/usr/lib/x86_64-linux-gnu/libc.so.6": DEBIAN_12, "/lib": Link("usr/lib")},
            ("glibc 2.36", "/lib/x86_64-linux-gnu/libc.so.6"),
            id="debian, merged /usr",
        ),
        pytest.param({"/lib64/libc.so.6": ROCKY_9}, ("glibc 2.34", "/lib64/libc.so.6"), id="rocky"),
        pytest.param(
            {"/usr/lib64/libc.so.6": FEDORA}, ("glibc 2.40", "/usr/lib64/libc.so.6"), id="development release"
        ),
        pytest.param(
            {"/lib/aarch64-linux-gnu/libc.so.6": DEBIAN_12},
            ("glibc 2.36", "/lib/aarch64-linux-gnu/libc.so.6"),
            id="aarch64",
        ),
        pytest.param(
            {"/lib/ld-musl-x86_64.so.1": b"\x7fELF", "/lib/apk/db/installed": ALPINE},
            ("musl 1.2.5", "/lib/apk/db/installed"),
            id="alpine",
        ),
        pytest.param({"/lib/ld-musl-aarch64.so.1": b"\x7fELF"}, ("musl", "/lib/ld-musl-aarch64.so.1"), id="other musl"),
        pytest.param(
            {"/lib64/libc.so.6": b"\x7fELF without a banner", "/lib/libc.so.6": ROCKY_9},
            ("glibc 2.34", "/lib/libc.so.6"),
            id="the next file is tried",
        ),
        pytest.param({"/lib64/libc.so.6": b"GNU C Library\nversion 2.34"}, None, id="no version in the line"),
        pytest.param({"/lib/apk/db/installed": ALPINE}, None, id="a database without the loader"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_library_below_another_root(tree: Tree, told: tuple[str, str] | None, tmp_path: Path) -> None:
    context = image(tmp_path, tree)
    assert read_libc(context) == told
    assert problems(context) == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks the running Linux")
def test_the_running_systems_library() -> None:
    told = read_libc(Context("linux", Files(), {}))
    assert told is not None
    assert told[0].split(" ")[0] in ("glibc", "musl")
