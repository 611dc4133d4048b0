"""Compilers by files: the order of Triton, and the parts of the C library beside them."""

from pathlib import Path

from cudafit.machine.compilers import read_compilers
from cudafit.model.machine import Compiler
from tests.machine.trees import Link, Tree, image

DEBIAN = "/usr/lib/x86_64-linux-gnu"
PARTS: Tree = {f"{DEBIAN}/crt1.o": "", f"{DEBIAN}/libc_nonshared.a": ""}
FOUND = (f"{DEBIAN}/crt1.o", f"{DEBIAN}/libc_nonshared.a")


def test_gcc_before_clang_each_once(tmp_path: Path) -> None:
    tree = {**PARTS, "/usr/bin/gcc-13": "", "/usr/bin/gcc": Link("gcc-13"), "/usr/bin/clang": "", "/opt/bin/gcc": ""}
    context = image(tmp_path, tree, {"PATH": "/usr/bin:/opt/bin:relative"})
    assert read_compilers(context) == (
        Compiler("gcc", "/usr/bin/gcc", "PATH", FOUND),
        Compiler("clang", "/usr/bin/clang", "PATH", FOUND),
    )


def test_the_variable_comes_first_and_a_compiler_of_its_own_brings_its_own(tmp_path: Path) -> None:
    tree = {"/opt/conda/bin/x86_64-conda-linux-gnu-cc": "", "/usr/bin/gcc": "", "/usr/lib64/crt1.o": ""}
    context = image(tmp_path, tree, {"CC": "/opt/conda/bin/x86_64-conda-linux-gnu-cc -O2", "PATH": "/usr/bin"})
    assert read_compilers(context) == (
        Compiler("CC", "/opt/conda/bin/x86_64-conda-linux-gnu-cc", "CC", None),
        Compiler("gcc", "/usr/bin/gcc", "PATH", ("/usr/lib64/crt1.o",)),
    )


def test_a_slim_image_has_none(tmp_path: Path) -> None:
    assert read_compilers(image(tmp_path, {"/usr/bin/python3": "", "/usr/bin/gcc": Link("gone")})) == ()


def test_cc_alone_is_not_looked_for_by_triton(tmp_path: Path) -> None:
    assert read_compilers(image(tmp_path, {"/usr/bin/cc": "", "/usr/bin/tcc": ""})) == ()
