"""The list of kernels that torch was built for, as its library has it: one text such as `sm_75 sm_80 sm_86`."""

import mmap
import re

_LIST = re.compile(rb"(?:(?:sm|compute)_\d{2,3}[af]?)(?: (?:sm|compute)_\d{2,3}[af]?)+")
_SINGLE = re.compile(rb"\0((?:sm|compute)_\d{2,3}[af]?)\0")


def kernel_list(data: bytes | mmap.mmap) -> tuple[str, ...] | None:
    """The longest list in the bytes, or the only kernel of a build for one GPU; None when there is neither."""
    found = max((match.group() for match in _LIST.finditer(data)), key=len, default=None)
    if found is None:
        single = _SINGLE.search(data)
        return (single.group(1).decode(),) if single else None
    return tuple(found.decode().split(" "))
