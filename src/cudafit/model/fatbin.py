"""The kernels in a CUDA library, by the headers of its fat binaries: nothing is unpacked.

A section `.nv_fatbin` is a row of containers, each with an entry for every architecture: a cubin (`sm_86`) or PTX
(`compute_90`). The layout is not published; it was read from the libraries of known builds and from what `fatbinary` of
CUDA 13.5 writes, and tests hold it to what `cuobjdump` reads and to the lists that torch and bitsandbytes tell.
"""

import struct
from collections import Counter
from typing import TYPE_CHECKING

from cudafit.model.frozen import frozen
from cudafit.model.sections import ForgedError, section_names, sections

if TYPE_CHECKING:
    import mmap

_MAGIC = 0xBA55ED50
_MAGIC_BYTES = struct.pack("<I", _MAGIC)
_PTX, _CUBIN = 1, 2
# Windows cuts the names of sections at eight letters.
_SECTIONS = (".nv_fatbin", "__nv_relfatbin", ".nv_fatb", "__nv_rel")
_SUFFIXES = {1: "a", 2: "f"}  # bits 20 and 21 of an entry's flags: for one GPU, for a family
# Every architecture is in nearly every container: for a quick answer a library is known long before its last one.
QUICK = 4000
ALL = 1 << 20
# The system maps sixteen pages around each that is read; letting go of them keeps the peak low, and costs nothing.
_OFTEN, _DONT_NEED = 64, 4

_Entry = tuple[int, int, str]  # kind, number, suffix


@frozen
class Fatbins:
    """The fat binaries of a library, or of several together."""

    count: int = 0
    kernels: tuple[str, ...] = ()  # cubins by number, then PTX
    held: tuple[int, ...] = ()  # in how many of the fat binaries each of them is
    ptx: tuple[int, int] = (0, 0)  # the newest version of PTX, which tells the CUDA that compiled it


def has_fatbins(data: "bytes | mmap.mmap") -> bool:
    """By the names of its sections alone: most libraries have none, and their table of names is a short text."""
    names = section_names(data)
    if names is not None and not any(name.encode() in names for name in _SECTIONS):
        return False
    try:
        return not sections(data).keys().isdisjoint(_SECTIONS)
    except ForgedError:
        return False


def fatbin_kernels(data: "bytes | mmap.mmap") -> tuple[str, ...] | None:
    """The kernels by name, oldest first; empty for a library without any; None where they could not be read."""
    found = read_fatbins(data, QUICK)
    return None if found is None else found.kernels


def read_fatbins(data: "bytes | mmap.mmap", most: int = ALL) -> Fatbins | None:
    """At most so many of each section; None where there are some that cannot be read."""
    try:
        places = sections(data)
        held: Counter[_Entry] = Counter()
        count, ptx = 0, (0, 0)
        for name in _SECTIONS:
            if name in places:
                start, length = places[name]
                number, newest = _section(data, start, start + length, held, most)
                count, ptx = count + number, max(ptx, newest)
    except (struct.error, ForgedError, OverflowError):
        return None
    if not held and any(name in places for name in _SECTIONS):
        return None
    ordered = sorted(held, key=lambda one: (one[0] != _CUBIN, one[1], one[2]))
    return Fatbins(count, tuple(_text(one) for one in ordered), tuple(held[one] for one in ordered), ptx)


def together(several: "list[Fatbins]") -> Fatbins:
    """Those of all libraries of a package."""
    held: Counter[str] = Counter()
    for one in several:
        held.update(dict(zip(one.kernels, one.held, strict=True)))
    ordered = sorted(held, key=lambda text: (text.startswith("compute"), int(text.strip("smcopute_af")), text))
    ptx = max((one.ptx for one in several), default=(0, 0))
    return Fatbins(sum(one.count for one in several), tuple(ordered), tuple(held[text] for text in ordered), ptx)


def _text(entry: _Entry) -> str:
    kind, number, suffix = entry
    return f"{'sm' if kind == _CUBIN else 'compute'}_{number}{suffix}"


def _section(
    data: "bytes | mmap.mmap", place: int, end: int, held: "Counter[_Entry]", most: int
) -> tuple[int, tuple[int, int]]:
    count, ptx = 0, (0, 0)
    forget = getattr(data, "madvise", None)
    while count < most:
        if forget and count % _OFTEN == 0:
            forget(_DONT_NEED)
        place += -place % 8
        if place + 16 > end:
            break
        magic, _, header, size = struct.unpack_from("<IHHQ", data, place)
        if magic != _MAGIC:
            # Between two containers the linker may have left zeros.
            place = data.find(_MAGIC_BYTES, place, min(end, place + (1 << 16)))
            if place < 0:
                break
            continue
        found, newest = _container(data, place + header, min(place + header + size, end))
        held.update(found)
        ptx = max(ptx, newest)
        count += bool(found)
        place = min(place + max(header + size, 16), end)
    return count, ptx


def _container(data: "bytes | mmap.mmap", entry: int, stop: int) -> tuple[set[_Entry], tuple[int, int]]:
    found: set[_Entry] = set()
    ptx = (0, 0)
    while entry + 48 <= stop:
        kind, _, header, size = struct.unpack_from("<HHIQ", data, entry)
        minor, major, number, _, _, flags = struct.unpack_from("<HHIIIQ", data, entry + 24)
        if kind in (_PTX, _CUBIN) and 10 <= number < 1000:
            found.add((kind, number, _SUFFIXES.get(flags >> 20 & 3, "")))
            if kind == _PTX:
                ptx = max(ptx, (major, minor))
        if header + size <= 0:
            break
        entry += header + size
    return found, ptx
