"""One reader for any library: what it holds, what it opens, what it needs; and libraries that are forged."""

import struct
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cudafit.model.fatbin import fatbin_kernels, read_fatbins, together
from cudafit.model.library import read_library
from cudafit.model.sections import ForgedError, sections
from tests.elf_files import library

REAL = library(
    ["libcublas.so.12", "libc10.so", "libc.so.6"],
    soname="libx.so",
    needs={"libstdc++.so.6": ["GLIBCXX_3.4.9", "GLIBCXX_3.4.30"], "libc.so.6": ["GLIBC_2.4", "GLIBC_2.34"]},
    takes=["_ZN3c104warnEv"],
    kernels=["sm_80", "sm_90a", "compute_90"],
    more=[["sm_80"], ["sm_80", "sm_100f"]],
    constants=["libcudnn_graph.so.9", "dlopen of libcuda.so.1 failed", "libcudart.so.13", "libnccl.so"],
)


def test_all_that_a_library_tells() -> None:
    read = read_library(REAL)
    assert read is not None
    assert read.name == "libx.so"
    assert read.opens == ("libcublas.so.12", "libcudart.so.13", "libcudnn_graph.so.9")
    assert read.needs == ("GLIBC_2.34", "GLIBCXX_3.4.30")
    assert read.torch_abi == "c++"


def test_how_many_of_the_fat_binaries_hold_each_kernel() -> None:
    found = read_fatbins(REAL)
    assert found is not None
    assert found.count == 3
    assert dict(zip(found.kernels, found.held, strict=True)) == {
        "sm_80": 3,
        "sm_90a": 1,
        "sm_100f": 1,
        "compute_90": 1,
    }
    assert found.ptx == (8, 7)
    both = together([found, found])
    assert (both.count, both.kernels, both.held) == (6, found.kernels, (6, 2, 2, 2))


def test_kernels_for_one_gpu_or_a_family_are_told_apart() -> None:
    assert fatbin_kernels(library(kernels=["sm_90", "sm_90a", "sm_120f"])) == ("sm_90", "sm_90a", "sm_120f")


@pytest.mark.parametrize(
    ("symbols", "abi"), [(["_ZNK3c1010TensorImpl3devEv"], "c++"), (["aoti_torch_empty"], "stable"), (["malloc"], None)]
)
def test_the_abi_of_torch(symbols: list[str], abi: str | None) -> None:
    read = read_library(library(takes=symbols))
    assert read is not None
    assert read.torch_abi == abi


def test_names_of_torchs_that_it_gives_itself_are_no_need_of_torch() -> None:
    """ctranslate2 holds kernels of torch's under their own names."""
    read = read_library(library(constants=["x"], soname="_ZN2at6native9LayerNormEv"))  # a text among the names
    assert read is not None
    assert read.torch_abi is None


def windows(text: bytes) -> bytes:
    """A DLL of one section."""
    head = (
        b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 0, 0)
    )
    place = len(head) + 40
    return head + struct.pack("<8sIIIIIIHHI", b".rdata", len(text), 0, len(text), place, 0, 0, 0, 0, 0) + text


def test_a_library_of_windows() -> None:
    read = read_library(windows(b"\0cublas64_12.dll\0KERNEL32.dll\0cudart64_110.dll\0"))
    assert read is not None
    assert read.opens == ("cublas64_12.dll", "cudart64_110.dll")


def test_what_is_no_library() -> None:
    assert read_library(b"#!/bin/sh\n") is None
    assert read_library(b"") is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ((40, "<Q", 1 << 40), "its section headers lie outside of the file"),
        ((60, "<H", 0xFFFF), "its 65535 section headers of 64 bytes cannot be"),
        ((58, "<H", 8), "section headers of 8 bytes cannot be"),
    ],
)
def test_forged_section_headers_are_named(change: tuple[int, str, int], what: str) -> None:
    data = bytearray(REAL)
    place, form, value = change
    struct.pack_into(form, data, place, value)
    with pytest.raises(ForgedError, match=what):
        read_library(bytes(data))


def test_a_section_outside_of_the_file_is_named() -> None:
    data = bytearray(REAL)
    (start,) = struct.unpack_from("<Q", data, 40)
    struct.pack_into("<Q", data, start + 2 * 64 + 32, 1 << 50)  # the size of .nv_fatbin
    with pytest.raises(ForgedError, match=r"its section `\.nv_fatbin` lies outside of the file"):
        sections(bytes(data))
    assert fatbin_kernels(bytes(data)) is None


@settings(max_examples=300, deadline=None)
@given(some.lists(some.tuples(some.integers(0, 4000), some.integers(0, 255)), max_size=30), some.integers(0, 4000))
def test_whatever_is_forged_ends_soon(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(REAL)
    for place, value in changes:
        data[place % len(data)] = value
    for forged in (bytes(data), bytes(data[:length])):
        with suppress(ForgedError):
            read_library(forged)


@pytest.mark.slow
def test_two_hundred_libraries_are_read_in_a_third_of_a_second() -> None:
    large = library(["libcudart.so.12"], kernels=["sm_80"], more=[["sm_80", "sm_90"]] * 50, constants=["x" * 60] * 4000)
    begun = time.process_time()
    for _ in range(230):
        read_library(large)
    assert time.process_time() - begun < 0.3 * 2  # twice: other tests run beside it
