"""The kernels in a CUDA library, by the headers of its fat binaries: nothing is unpacked.

A section `.nv_fatbin` is a row of containers, each with an entry for every architecture: a cubin (`sm_86`) or PTX
(`compute_90`). The layout is not published; it was read from the libraries of known builds, and a test holds it to
the list that torch and bitsandbytes tell of themselves.
"""

import struct
from typing import TYPE_CHECKING

from cudafit.model.elf import section

if TYPE_CHECKING:
    import mmap

_MAGIC = 0xBA55ED50
_PTX, _CUBIN = 1, 2
# Every architecture is in nearly every container: a library is known long before its last one.
_MOST_CONTAINERS = 4000
# The system maps sixteen pages around each that is read; letting go of them keeps the peak low, and costs nothing.
_OFTEN, _DONT_NEED = 64, 4


def fatbin_kernels(data: "bytes | mmap.mmap") -> tuple[str, ...] | None:
    """The kernels by name, oldest first; empty for a library without any; None where they could not be read."""
    found: set[tuple[int, int]] = set()
    sections = [place for name in (b".nv_fatbin", b"__nv_relfatbin") if (place := section(data, name))]
    for start, length in sections:
        try:
            found |= _section(data, start, start + length)
        except (struct.error, ValueError, OverflowError):
            return None
    if sections and not found:
        return None
    ordered = sorted(found, key=lambda one: (one[0] != _CUBIN, one[1]))
    return tuple(f"{'sm' if kind == _CUBIN else 'compute'}_{number}" for kind, number in ordered)


def _section(data: "bytes | mmap.mmap", place: int, end: int) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    forget = getattr(data, "madvise", None)
    for count in range(_MOST_CONTAINERS):
        if forget and count % _OFTEN == 0:
            forget(_DONT_NEED)
        place += -place % 8
        if place + 16 > end:
            break
        magic, _, header, size = struct.unpack_from("<IHHQ", data, place)
        if magic != _MAGIC:
            # Between two containers the linker may have left zeros.
            place = data.find(struct.pack("<I", _MAGIC), place, min(end, place + (1 << 16)))
            if place < 0:
                break
            continue
        entry, stop = place + header, min(place + header + size, end)
        while entry + 32 <= stop:
            kind, _, entry_header, entry_size = struct.unpack_from("<HHIQ", data, entry)
            (number,) = struct.unpack_from("<I", data, entry + 28)
            if kind in (_PTX, _CUBIN) and 10 <= number < 1000:
                found.add((kind, number))
            if entry_header + entry_size <= 0:
                break
            entry += entry_header + entry_size
        place = stop
    return found
