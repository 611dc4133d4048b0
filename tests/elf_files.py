"""Small libraries as bytes: what each needs, where it looks, which versions, symbols and kernels it has; and DLLs."""

import struct
from collections.abc import Mapping, Sequence


def gnu_hash(name: bytes) -> int:
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


def fatbin(*kernels: str) -> bytes:
    """One container with an entry for each kernel (`sm_80`, `sm_90a`, `compute_90`), without code; PTX is of 8.7."""
    entries = b""
    for kernel in kernels:
        kind = 1 if kernel.startswith("compute") else 2
        number = int("".join(letter for letter in kernel if letter.isdigit()))
        flags = 0x11 | {"a": 1 << 20, "f": 2 << 20}.get(kernel[-1], 0)
        minor, major = (7, 8) if kind == 1 else (8, 1)
        entry = struct.pack("<HHIQIIHHIIIQ", kind, 0x101, 64, 8, 0, 0, minor, major, number, 0, 0, flags)
        entries += entry.ljust(64, b"\0") + b"\0" * 8
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries


def library(
    needed: Sequence[str] = (),
    *,
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    needs: Mapping[str, Sequence[str]] | None = None,
    has: Sequence[str] = (),
    takes: Sequence[str] = (),
    gives: Sequence[str] = (),
    kernels: Sequence[str] = (),
    machine: int = 62,
    constants: Sequence[str] = (),
    more: Sequence[Sequence[str]] = (),
) -> bytes:
    """`kernels` are those of the first fat binary, `more` those of others; `constants` lie in .rodata; `needs` are
    versions by library (GLIBCXX_3.4.30 of libstdc++.so.6), `takes` and `gives` are symbols."""
    strings = bytearray(b"\0")

    def text(value: str) -> int:
        strings.extend(value.encode() + b"\0")
        return len(strings) - len(value.encode()) - 1

    tags = [(1, text(name)) for name in needed]
    tags += [(tag, text(value)) for tag, value in ((14, soname), (15, rpath), (29, runpath)) if value]
    symbols = b"\0" * 24
    for name in takes:
        symbols += struct.pack("<IBBHQQ", text(name), 0x12, 0, 0, 0, 0)
    first = 1 + len(takes)
    # One bucket: a chain of all that is given.
    chain = [gnu_hash(name.encode()) & ~1 for name in gives]
    if chain:
        chain[-1] |= 1
    for name in gives:
        symbols += struct.pack("<IBBHQQ", text(name), 0x12, 0, 1, 0, 0)
    table = struct.pack("<IIIIQI", 1, first, 1, 0, (1 << 64) - 1, first if gives else 0)
    table += b"".join(struct.pack("<I", value) for value in chain)
    wanted = b""
    for number, (name, versions) in enumerate(told := list((needs or {}).items())):
        size = 16 + 16 * len(versions)
        following = size if number + 1 < len(told) else 0
        wanted += struct.pack("<HHIII", 1, len(versions), text(name), 16, following)
        for place, version in enumerate(versions):
            step = 16 if place + 1 < len(versions) else 0
            wanted += struct.pack("<IHHII", 0, 0, 2, text(version), step)
    own = b""
    for number, version in enumerate(has):
        following = 28 if number + 1 < len(has) else 0
        own += struct.pack("<HHHHIII", 1, 0, number + 1, 1, 0, 20, following) + struct.pack("<II", text(version), 0)
    code = b"".join(fatbin(*each) for each in (kernels, *more) if each)
    data = b"\0".join(text.encode() for text in ("", *constants, "")) if constants else b""
    parts = (bytes(strings), symbols, table, (wanted, len(told)), (own, len(has)), code, data)
    return _laid_out(tags, *parts, machine)


def _laid_out(
    tags: list[tuple[int, int]],
    strings: bytes,
    symbols: bytes,
    table: bytes,
    wanted: tuple[bytes, int],
    own: tuple[bytes, int],
    code: bytes,
    constants: bytes,
    machine: int,
) -> bytes:
    """Every address is a place in the file."""
    names = b"\0.dynsym\0.nv_fatbin\0.shstrtab\0.dynstr\0.rodata\0"
    body = bytearray(b"\0" * (64 + 2 * 56))

    def put(data: bytes) -> int:
        body.extend(b"\0" * (-len(body) % 16))
        place = len(body)
        body.extend(data)
        return place

    at_strings, at_symbols, at_table = put(strings), put(symbols), put(table)
    tags = [*tags, (5, at_strings), (6, at_symbols), (0x6FFFFEF5, at_table)]
    if wanted[1]:
        tags += [(0x6FFFFFFE, put(wanted[0])), (0x6FFFFFFF, wanted[1])]
    if own[1]:
        tags += [(0x6FFFFFFC, put(own[0])), (0x6FFFFFFD, own[1])]
    dynamic = b"".join(struct.pack("<QQ", tag, value) for tag, value in [*tags, (0, 0)])
    at_dynamic = put(dynamic)
    at_code, at_constants, at_names = put(code), put(constants), put(names)
    sections = [
        (0, 0, 0, 0),
        (1, 11, at_symbols, len(symbols)),
        (9 if code else 0, 1, at_code, len(code)),
        (names.index(b".dynstr"), 3, at_strings, len(strings)),
        (names.index(b".rodata") if constants else 0, 1, at_constants, len(constants)),
        (names.index(b".shstrtab"), 3, at_names, len(names)),
    ]
    at_sections = put(b"".join(struct.pack("<IIQQQQIIQQ", n, k, 0, p, p, s, 0, 0, 1, 0) for n, k, p, s in sections))
    struct.pack_into("<16sHHIQQQIHHHHHH", body, 0, b"\x7fELF\x02\x01\x01", 3, machine, 1, 0, 64, at_sections, 0, 64,
                     56, 2, 64, len(sections), len(sections) - 1)  # fmt: skip
    struct.pack_into("<IIQQQQQQ", body, 64, 1, 5, 0, 0, 0, len(body), len(body), 4096)
    struct.pack_into("<IIQQQQQQ", body, 120, 2, 6, at_dynamic, at_dynamic, at_dynamic, len(dynamic), len(dynamic), 8)
    return bytes(body)


def dll(*names: str, kernels: Sequence[str] = ()) -> bytes:
    """A DLL of Windows that names others, with kernels."""
    parts = {b".rdata": b"\0".join(name.encode() for name in ("", *names, ""))}
    if kernels:
        parts[b".nv_fatb"] = fatbin(*kernels)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", 0x8664, len(parts), 0, 0, 0, 0, 0)
    start, table, body = len(head) + 40 * len(parts), b"", b""
    for name, data in parts.items():
        body += b"\0" * (-(start + len(body)) % 16)
        where = start + len(body)
        table += struct.pack("<8sIIIIIIHHI", name, len(data), 0, len(data), where, 0, 0, 0, 0, 0)
        body += data
    return head + table + body
