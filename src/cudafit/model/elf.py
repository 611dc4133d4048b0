"""What the dynamic linker reads of a shared library: the names that it needs, where it looks for them, and versions.

Written by hand, over the mapped file, because headers may be forged: every count and every length has a limit here,
nothing is followed out of the file, and a file of a gigabyte costs a few pages. 64-bit little-endian only, which is
what CUDA runs on. Source: System V gABI, "Dynamic Section", and the LSB's "Symbol Versioning".
"""

import struct
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from cudafit.model.frozen import frozen

if TYPE_CHECKING:
    import mmap
    import re

_MAGIC = b"\x7fELF\x02\x01"
_LOAD, _DYNAMIC = 1, 2
_NULL, _NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 0, 1, 5, 14, 15, 29
_SYMTAB, _GNU_HASH = 6, 0x6FFFFEF5
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_MOST_SEGMENTS = 256
_MOST_TAGS = 4096
_MOST_SECTIONS = 4096
_MOST_VERSIONS = 1024
_MOST_SYMBOLS = 200_000
_MOST_STEPS = 10_000
_LONGEST_TEXT = 1 << 18  # TensorFlow's RUNPATH has 24,000 characters


@frozen
class Elf:
    """A shared library as the linker sees it."""

    machine: int  # 62 x86-64, 183 AArch64
    soname: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    needs_versions: tuple[str, ...] = ()  # GLIBCXX_3.4.30 and the like, of all libraries
    has_versions: tuple[str, ...] = ()


def read_elf(data: "bytes | mmap.mmap") -> Elf | None:
    """None for what is no such library, or a broken one."""
    try:
        return _read(data)
    except (struct.error, ValueError, OverflowError):
        return None


def section(data: "bytes | mmap.mmap", name: bytes) -> tuple[int, int] | None:
    """Place and size of a section within the file."""
    try:
        if data[:6] != _MAGIC:
            return None
        (start,) = struct.unpack_from("<Q", data, 40)
        size, count, names = struct.unpack_from("<HHH", data, 58)
        if size < 64 or count > _MOST_SECTIONS or names >= count:
            return None
        (table,) = struct.unpack_from("<Q", data, start + names * size + 24)
        for number in range(count):
            text, _, _, _, offset, length = struct.unpack_from("<IIQQQQ", data, start + number * size)
            if data[table + text : table + text + len(name) + 1] == name + b"\0":
                return (offset, length) if offset + length <= len(data) else None
    except (struct.error, ValueError, OverflowError):
        return None
    return None


def undefined_symbols(data: "bytes | mmap.mmap", pattern: "re.Pattern[bytes]") -> tuple[str, ...]:
    """The symbols that a library takes from others and cannot do without, by their raw names."""
    try:
        found = []
        loads, tags = _layout(data)
        strings = _offset(loads, dict(tags).get(_STRTAB, 0))
        start, length = section(data, b".dynsym") or (0, 0)
        for number in range(min(length // 24, _MOST_SYMBOLS)):
            name, info, _, place = struct.unpack_from("<IBBH", data, start + number * 24)
            if place == 0 and info >> 4 == 1 and name and strings:
                text = data[strings + name : strings + name + 512].partition(b"\0")[0]
                if pattern.match(text):
                    found.append(text.decode("ascii", errors="replace"))
        return tuple(found)
    except (struct.error, ValueError, OverflowError):
        return ()


def defines(data: "bytes | mmap.mmap", names: Collection[str]) -> frozenset[str] | None:
    """Which of these a library gives to others, by its hash table; None where it has none that can be read."""
    try:
        loads, tags = _layout(data)
        values = dict(tags)
        head, symbols = _offset(loads, values.get(_GNU_HASH, 0)), _offset(loads, values.get(_SYMTAB, 0))
        strings = _offset(loads, values.get(_STRTAB, 0))
        if not (head and symbols and strings):
            return None
        buckets, first, words, _ = struct.unpack_from("<IIII", data, head)
        place = head + 16 + 8 * words
        if not buckets:
            return None
        return frozenset(
            name for name in names if _hashed(data, name.encode(), place, buckets, first, symbols, strings)
        )
    except (struct.error, ValueError, OverflowError):
        return None


def _hashed(
    data: "bytes | mmap.mmap", name: bytes, place: int, buckets: int, first: int, symbols: int, strings: int
) -> bool:
    """A walk along one chain of a DT_GNU_HASH table."""
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    (number,) = struct.unpack_from("<I", data, place + 4 * (value % buckets))
    if number < first:
        return False
    chains = place + 4 * buckets
    for step in range(number, number + _MOST_STEPS):
        (told,) = struct.unpack_from("<I", data, chains + 4 * (step - first))
        if told | 1 == value | 1:
            text, _, _, index = struct.unpack_from("<IBBH", data, symbols + 24 * step)
            if index and data[strings + text : strings + text + len(name) + 1] == name + b"\0":
                return True
        if told & 1:
            return False
    return False


def _layout(data: "bytes | mmap.mmap") -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """What is loaded where (address, size, offset), and the dynamic section."""
    if data[:6] != _MAGIC:
        raise ValueError("not a 64-bit little-endian ELF file")
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    loads: list[tuple[int, int, int]] = []
    tags: list[tuple[int, int]] = []
    for number in range(min(count, _MOST_SEGMENTS)):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, start + number * size)
        if kind == _LOAD:
            loads.append((address, length, offset))
        elif kind == _DYNAMIC:
            tags = list(_tags(data, offset, length))
    return loads, tags


def _read(data: "bytes | mmap.mmap") -> Elf:
    loads, tags = _layout(data)
    (machine,) = struct.unpack_from("<H", data, 18)
    values = dict(tags)
    strings = _offset(loads, values.get(_STRTAB, 0))

    def text(place: int) -> str:
        return _text(data, strings + place) if strings else ""

    def folders(tag: int) -> tuple[str, ...]:
        found = text(values[tag]) if tag in values else ""
        return tuple(dict.fromkeys(part for part in found.split(":") if part))

    def versions(tag: int, count: int) -> tuple[str, ...]:
        at = _offset(loads, values.get(tag, 0))
        if not at:
            return ()
        number = min(values.get(count, 0), _MOST_VERSIONS)
        places = _needed_versions(data, at, number) if tag == _VERNEED else _own_versions(data, at, number)
        return tuple(text(place) for place in places)

    return Elf(
        machine=machine,
        soname=text(values[_SONAME]) if _SONAME in values else None,
        needed=tuple(text(value) for tag, value in tags if tag == _NEEDED),
        rpath=folders(_RPATH),
        runpath=folders(_RUNPATH),
        needs_versions=versions(_VERNEED, _VERNEEDNUM),
        has_versions=versions(_VERDEF, _VERDEFNUM),
    )


def _tags(data: "bytes | mmap.mmap", offset: int, length: int) -> Iterator[tuple[int, int]]:
    for number in range(min(length // 16, _MOST_TAGS)):
        tag, value = struct.unpack_from("<QQ", data, offset + number * 16)
        if tag == _NULL:
            return
        yield tag, value


def _offset(loads: list[tuple[int, int, int]], address: int) -> int:
    """Where in the file lies what the program has at an address; 0 for nowhere."""
    return next((offset + address - start for start, size, offset in loads if start <= address < start + size), 0)


def _text(data: "bytes | mmap.mmap", place: int) -> str:
    end = data.find(b"\0", place, place + _LONGEST_TEXT)
    return bytes(data[place:end]).decode("utf-8", errors="replace") if end >= 0 else ""


def _needed_versions(data: "bytes | mmap.mmap", at: int, number: int) -> Iterator[int]:
    left = _MOST_VERSIONS
    for _ in range(number):
        _, count, _, first, following = struct.unpack_from("<HHIII", data, at)
        inner = at + first
        for _ in range(min(count, left)):
            _, _, _, name, inner_following = struct.unpack_from("<IHHII", data, inner)
            yield name
            inner += inner_following
        left -= min(count, left)
        if not following:
            return
        at += following


def _own_versions(data: "bytes | mmap.mmap", at: int, number: int) -> Iterator[int]:
    for _ in range(number):
        _, _, _, _, _, first, following = struct.unpack_from("<HHHHIII", data, at)
        (name,) = struct.unpack_from("<I", data, at + first)
        yield name
        if not following:
            return
        at += following
