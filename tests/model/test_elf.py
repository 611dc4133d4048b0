"""Shared libraries read from their bytes: against pyelftools on real ones, and broken ones within limits."""

import mmap
import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from cudafit.model.elf import defines, read_elf, section, undefined_symbols
from cudafit.model.fatbin import fatbin_kernels
from tests.elf_files import library


def real_libraries() -> list[Path]:
    """What every installation of Python on Linux has: compiled modules, and the system's own libraries."""
    folders = [Path(sysconfig.get_path("platlib")), Path(sysconfig.get_config_var("DESTSHARED") or "/nowhere")]
    found = [path for folder in folders for path in sorted(folder.rglob("*.so"))[:25]]
    system = [Path(folder) for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib/aarch64-linux-gnu")]
    return found + [path for folder in system for path in sorted(folder.glob("lib*.so.*"))[:60] if path.is_file()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="libraries of another format")
def test_as_pyelftools_reads_them() -> None:
    libraries = real_libraries()
    assert len(libraries) > 10
    for path in libraries:
        ours = read_elf(path.read_bytes())
        with path.open("rb") as file:
            theirs = ELFFile(file)
            if theirs.elfclass != 64 or not theirs.little_endian:
                assert ours is None
                continue
            segment = next((one for one in theirs.iter_segments() if isinstance(one, DynamicSegment)), None)
            tags: list[Any] = list(segment.iter_tags()) if segment else []
            assert ours is not None, path
            told = [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
            assert list(ours.needed) == told, path
            soname = next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), None)
            assert ours.soname == soname, path
            runpath = next((tag.runpath for tag in tags if tag.entry.d_tag == "DT_RUNPATH"), "")
            assert list(ours.runpath) == list(dict.fromkeys(part for part in runpath.split(":") if part)), path
            needs = [one for one in theirs.iter_sections() if isinstance(one, GNUVerNeedSection)]
            names = [inner.name for one in needs for _, inners in one.iter_versions() for inner in inners]
            assert list(ours.needs_versions) == names, path
            has = [one for one in theirs.iter_sections() if isinstance(one, GNUVerDefSection)]
            own = [next(iter(inners)).name for one in has for _, inners in one.iter_versions()]
            assert list(ours.has_versions) == own, path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="libraries of another format")
def test_symbols_as_pyelftools_reads_them() -> None:
    anything = re.compile(rb".")
    checked = 0
    for path in real_libraries()[:40]:
        data = path.read_bytes()
        with path.open("rb") as file:
            theirs = ELFFile(file)
            table = theirs.get_section_by_name(".dynsym")
            if not isinstance(table, SymbolTableSection):
                continue
            symbols = list(table.iter_symbols())
        lacking = [s.name for s in symbols if s["st_shndx"] == "SHN_UNDEF" and s["st_info"]["bind"] == "STB_GLOBAL"]
        assert list(undefined_symbols(data, anything)) == [name for name in lacking if name], path
        given_away = {s.name for s in symbols if s["st_shndx"] != "SHN_UNDEF" and s["st_info"]["bind"] == "STB_GLOBAL"}
        found = defines(data, [*sorted(given_away), "no_such_symbol"])
        if found is None:
            continue  # a table of the older form
        checked += 1
        assert "no_such_symbol" not in found
        assert found == {name for name in found if name in given_away}
        assert len(found) >= 0.9 * len(given_away), path
    assert checked > 5


def test_all_parts_of_a_made_library() -> None:
    data = library(
        ["libcudart.so.12", "libc10.so"],
        soname="libx.so.1",
        rpath="$ORIGIN/../lib:/opt/cuda",
        needs={"libstdc++.so.6": ["GLIBCXX_3.4", "GLIBCXX_3.4.30"], "libc.so.6": ["GLIBC_2.34"]},
        has=["libx.so.1", "X_1.0"],
        takes=["_ZN3c104warnEv", "malloc"],
        gives=["one", "two", "three"],
        kernels=["sm_80", "sm_90", "compute_90"],
    )
    elf = read_elf(data)
    assert elf is not None
    assert (elf.soname, elf.needed, elf.machine) == ("libx.so.1", ("libcudart.so.12", "libc10.so"), 62)
    assert (elf.rpath, elf.runpath) == (("$ORIGIN/../lib", "/opt/cuda"), ())
    assert elf.needs_versions == ("GLIBCXX_3.4", "GLIBCXX_3.4.30", "GLIBC_2.34")
    assert elf.has_versions == ("libx.so.1", "X_1.0")
    assert undefined_symbols(data, re.compile(rb"_ZN3c10")) == ("_ZN3c104warnEv",)
    assert defines(data, ["one", "three", "four", "malloc"]) == frozenset({"one", "three"})
    assert fatbin_kernels(data) == ("sm_80", "sm_90", "compute_90")
    assert section(data, b".nothing") is None


def test_a_library_without_code_for_a_gpu_has_no_kernels() -> None:
    assert fatbin_kernels(library()) == ()
    assert fatbin_kernels(b"no library") == ()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(some.tuples(some.integers(0, 2000), some.integers(0, 255)), max_size=30), some.integers(0, 2000))
def test_forged_headers_end_soon_and_quietly(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(library(["liba.so"], runpath="/x", has=["A"], takes=["_ZN3c10x"], gives=["b"], kernels=["sm_80"]))
    for place, value in changes:
        data[place % len(data)] = value
    for forged in (bytes(data), bytes(data[:length])):
        read_elf(forged)
        fatbin_kernels(forged)
        undefined_symbols(forged, re.compile(rb"_Z"))
        defines(forged, ["b", "c"])


def test_a_mapped_file_is_read_as_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "libx.so"
    path.write_bytes(library(["liba.so"], kernels=["sm_75", "compute_75"]))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert read_elf(data) == read_elf(path.read_bytes())
        assert fatbin_kernels(data) == ("sm_75", "compute_75")
