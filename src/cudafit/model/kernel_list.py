"""The list of kernels that torch was built for, as its library has it: one text such as `sm_75 sm_80 sm_86`."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cudafit.model.elf import section

if TYPE_CHECKING:
    import mmap

_LIST = re.compile(rb"(?:(?:sm|compute)_\d{2,3}[af]?)(?: (?:sm|compute)_\d{2,3}[af]?)+")
_SINGLE = re.compile(rb"\0((?:sm|compute)_\d{2,3}[af]?)\0")
_LONGEST = 1024


def kernel_list(data: "bytes | mmap.mmap") -> tuple[str, ...] | None:
    """The longest list in the bytes, or the only kernel of a build for one GPU; None when there is neither.

    Constants of a library lie in its .rodata, a small part of it; the rest is searched where they do not.
    """
    start, length = section(data, b".rodata") or (0, 0)
    return (_list(data, start, start + length) if length else None) or _list(data, 0, len(data))


def _list(data: "bytes | mmap.mmap", first: int, last: int) -> tuple[str, ...] | None:
    for mark in (b" sm_", b" compute_"):
        if found := max(_matches(data, mark, _LIST, first, last), key=len, default=None):
            return tuple(found.decode().split(" "))
    single = next(_matches(data, b"\0sm_", _SINGLE, first, last), None)
    return (single.strip(b"\0").decode(),) if single else None


def _matches(
    data: "bytes | mmap.mmap", mark: bytes, pattern: re.Pattern[bytes], first: int, last: int
) -> Iterator[bytes]:
    """Around each mark only: to search a hundred megabytes for a short text takes a tenth of the time of a pattern."""
    place = data.find(mark, first, last)
    while place >= 0:
        start = max(0, place - _LONGEST)
        end = place + len(mark)
        for match in pattern.finditer(data[start : place + _LONGEST]):
            yield match.group()
            end = max(end, start + match.end())
        place = data.find(mark, end, last)
