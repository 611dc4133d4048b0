"""The sections of a library: of an ELF file (Linux), or a PE file (Windows). All counts and places may be forged.

Sources: System V gABI, "Section Header Table"; Microsoft's PE format, "Section Table (Section Headers)".
"""

import struct
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

ELF, PE = b"\x7fELF\x02\x01", b"MZ"
_NO_BITS = 8  # .bss and its like take no room in the file
_MOST_SECTIONS = 4096
_LONGEST_NAME = 64


class ForgedError(ValueError):
    """The headers of a library point where nothing can be."""


def sections(data: "bytes | mmap.mmap") -> Mapping[str, tuple[int, int]]:
    """Name -> place and size within the file, of those that lie in it; empty for what is no library, or has none.

    Raises ForgedError.
    """
    try:
        if data[:6] == ELF:
            return dict(_elf(data))
        return dict(_pe(data)) if data[:2] == PE else {}
    except (struct.error, OverflowError):
        raise ForgedError("its headers lie outside of the file") from None


def section_names(data: "bytes | mmap.mmap") -> bytes | None:
    """An ELF file's table of the names of its sections, as it lies there; None where it is none, or cannot be read."""
    if data[:6] != ELF:
        return None
    try:
        (start,) = struct.unpack_from("<Q", data, 40)
        size, _, names = struct.unpack_from("<HHH", data, 58)
        place, length = struct.unpack_from("<QQ", data, start + names * size + 24)
    except (struct.error, OverflowError):
        return None
    return bytes(data[place : place + min(length, _MOST_SECTIONS * _LONGEST_NAME)]) if length else None


def _elf(data: "bytes | mmap.mmap") -> Iterator[tuple[str, tuple[int, int]]]:
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    if not count:
        return  # they may be stripped, as mxnet's are
    if size < 64 or count > _MOST_SECTIONS or names >= count:
        raise ForgedError(f"its {count} section headers of {size} bytes cannot be")
    if start + size * count > len(data):
        raise ForgedError("its section headers lie outside of the file")
    headers = [struct.unpack_from("<IIQQQQ", data, start + number * size) for number in range(count)]
    _, _, _, _, table, table_size = headers[names]
    if table + table_size > len(data):
        raise ForgedError("the names of its sections lie outside of the file")
    texts = bytes(data[table : table + min(table_size, _MOST_SECTIONS * _LONGEST_NAME)])
    for name, kind, _, _, offset, length in headers:
        if kind == _NO_BITS:
            continue
        text = texts[name : name + _LONGEST_NAME].partition(b"\0")[0].decode("ascii", errors="replace")
        if offset + length > len(data):
            raise ForgedError(f"its section `{text}` lies outside of the file")
        if length:
            yield text, (offset, length)


def _pe(data: "bytes | mmap.mmap") -> Iterator[tuple[str, tuple[int, int]]]:
    (start,) = struct.unpack_from("<I", data, 60)
    if data[start : start + 4] != b"PE\0\0":
        return
    (count,) = struct.unpack_from("<H", data, start + 6)
    (optional,) = struct.unpack_from("<H", data, start + 20)
    for number in range(count):
        place = start + 24 + optional + number * 40
        name, virtual, _, length, offset = struct.unpack_from("<8sIIII", data, place)
        text = name.rstrip(b"\0").decode("ascii", errors="replace")
        if offset + length > len(data):
            raise ForgedError(f"its section `{text}` lies outside of the file")
        if length:
            yield text, (offset, min(length, virtual) if virtual else length)
