"""What a library holds and what it needs, read from the library itself; one reader for wheels and for environments.

Constants lie in `.rodata` (Windows: `.rdata`), a small part of a CUDA library: names of libraries that a program opens
by itself are searched there alone, so that a gigabyte of kernels is never looked at.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cudafit.model.elf import Elf, read_elf, undefined_symbols
from cudafit.model.fatbin import ALL, Fatbins, read_fatbins
from cudafit.model.frozen import frozen
from cudafit.model.sections import sections
from cudafit.model.versions import numbers

if TYPE_CHECKING:
    import mmap

# CUDA's own libraries by their names (libcublas.so.12, libcudnn_graph.so.9, cudart64_12.dll), and torch's for CUDA.
_LINUX = re.compile(
    rb"lib(?:cublas(?:Lt)?|cudart|cudnn(?:_\w+)?|cufft|cufile|cupti|curand|cusolver|cusparse(?:Lt)?|nccl|npp\w+|nvjpeg"
    rb"|nvrtc|nvJitLink|nvinfer)\.so\.\d{1,3}(?![\w.])|lib(?:c10|torch)_cuda\.so(?![\w.])"
)
_WINDOWS = re.compile(
    rb"(?:(?:cublas(?:Lt)?|cudart|cudnn(?:_\w+)?|cufft|curand|cusolver|cusparse|npp\w+|nvrtc)64_\d{1,3}(?:_0)?"
    rb"|(?:c10|torch)_cuda)\.dll",
    re.I,
)
_AROUND = 40
_VERSIONED = re.compile(r"(GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)")
# C++ names of torch change with its releases; those of its stable ABI do not.
_CPP, _STABLE = (b"_ZN3c10", b"_ZNK3c10", b"_ZN2at"), (b"aoti_torch_", b"torch_call_dispatcher")
_OF_TORCH = re.compile(rb"_ZN(K?3c10|2at)")
CPP, STABLE = "c++", "stable"


@frozen
class Library:
    """`opens` are CUDA's libraries, linked or opened by name; `needs` the newest GLIBC and GLIBCXX."""

    name: str | None
    opens: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    torch_abi: str | None = None
    fatbins: Fatbins | None = None  # None: there are some that cannot be read


def read_library(data: "bytes | mmap.mmap", most: int = ALL) -> Library | None:
    """None for what is no library of Linux (64 bit) or Windows; raises ForgedError."""
    places = sections(data)
    elf = read_elf(data)
    if elf is None and not places:
        return None
    constants = places.get(".rodata") or places.get(".rdata") or (0, 0)
    linked = {name for name in (elf.needed if elf else ()) if _LINUX.fullmatch(name.encode("utf-8", "replace"))}
    return Library(
        name=elf.soname if elf else None,
        opens=tuple(sorted(linked | set(_opened(data, *constants)))),
        needs=_needs(elf),
        torch_abi=_torch_abi(data, elf, places),
        fatbins=read_fatbins(data, most),
    )


def opened(data: "bytes | mmap.mmap") -> tuple[str, ...]:
    """The CUDA libraries whose names are among its constants. Raises ForgedError."""
    places = sections(data)
    return tuple(dict.fromkeys(_opened(data, *(places.get(".rodata") or places.get(".rdata") or (0, 0)))))


def _opened(data: "bytes | mmap.mmap", start: int, length: int) -> Iterator[str]:
    """Around each mark only: to find a short text takes a tenth of the time of a pattern."""
    for mark, pattern in ((b".so.", _LINUX), (b".dll\0", _WINDOWS)):
        place = data.find(mark, start, start + length)
        while place >= 0:
            around = data[max(start, place - _AROUND) : place + _AROUND]
            for match in pattern.finditer(around):
                yield match[0].decode("ascii")
            place = data.find(mark, place + len(mark), start + length)


def _needs(elf: Elf | None) -> tuple[str, ...]:
    newest: dict[str, str] = {}
    for text in elf.needs_versions if elf else ():
        match = _VERSIONED.fullmatch(text)
        if match and numbers(match[2]) > numbers(newest.get(match[1], "0")):
            newest[match[1]] = match[2]
    return tuple(f"{name}_{version}" for name, version in sorted(newest.items()))


def _torch_abi(data: "bytes | mmap.mmap", elf: Elf | None, places: Mapping[str, tuple[int, int]]) -> str | None:
    """By the names that it takes: torch's C++, or the functions of its stable ABI alone."""
    start, length = places.get(".dynstr", (0, 0)) if elf else (0, 0)

    def has(*names: bytes) -> bool:
        return any(data.find(name, start, start + length) >= 0 for name in names)

    if length and has(*_CPP) and undefined_symbols(data, _OF_TORCH):  # ctranslate2 has kernels of torch's as its own
        return CPP
    if length:
        return STABLE if has(*_STABLE) else None
    start, length = places.get(".rdata", (0, 0))  # Windows: names of functions are decorated otherwise
    if length and has(b"@c10@@", b"@at@@") and has(b"c10.dll", b"torch_cpu.dll", b"torch.dll"):
        return CPP
    return STABLE if length and has(*_STABLE) else None
