"""Texts made from real ones. A text is a seed and a list of edits, each of three numbers: so a few numbers tell it."""

import json
import random
from collections.abc import Sequence
from typing import Any

LARGEST = 200_000
Edit = tuple[int, int, int]  # which kind, where, what
WORDS: tuple[bytes, ...] = (
    *(
        b"",
        b" ",
        b"\t",
        b"\n",
        b"\r",
        b"\r\n",
        b"\0",
        b"\x1b[2J",
        b"\x7f",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xc3",
    ),
    *("\u2028".encode(), "\u202e".encode(), "\ud800".encode("utf-8", "surrogatepass"), "é".encode(), "٣²".encode()),
    *(
        b"0",
        b"-1",
        b"1e999",
        b"NaN",
        b"1.",
        b"4294967296",
        b"9" * 30,
        b"9" * 5000,
        b"0x",
        b"1_0",
        b"true",
        b"null",
        b"~",
    ),
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b"(",
        b")",
        b"<",
        b">",
        b'"',
        b"'",
        b"`",
        b"\\",
        b"/",
        b"//",
        b"../",
        b"..",
        b"*",
        b"**",
        b"|",
    ),
    *(
        b"&",
        b"&a",
        b"*a",
        b"<<: *a",
        b"!!python/object:os.system x",
        b"$",
        b"${",
        b"${A:-",
        b"$(x)",
        b"%",
        b"%s",
        b"%(a)s",
    ),
    *(
        b"=",
        b"==",
        b"===",
        b"~=",
        b"!=",
        b":",
        b"::",
        b": ",
        b"- ",
        b"#",
        b" #",
        b";",
        b",",
        b"@",
        b" @ ",
        b"://",
        b"?",
    ),
    *(
        b"[[",
        b"]]",
        b'"""',
        b"'''",
        b"---",
        b"...",
        b"\n\n",
        b"\\\n",
        b"a.b",
        b"A" * 300,
        b"a/" * 200,
        b"-r x",
        b"file:",
    ),
)
_ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1 << 70,
        1.5,
        float("nan"),
        float("inf"),
        "",
        " ",
        "\0",
        "\ud800",
        "../../etc",
        "a" * 3000,
    ),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": []}}, "1" * 5000, "\x1b[31m", "\n"),
)


def edits_from(chance: random.Random) -> list[Edit]:
    """Mostly a few, now and then many."""
    count = chance.choice((1, 1, 1, 2, 2, 3, 4, 6, 12))
    return [(chance.getrandbits(16), chance.getrandbits(32), chance.getrandbits(32)) for _ in range(count)]


def mutated(seeds: Sequence[bytes], which: int, edits: Sequence[Edit], words: Sequence[bytes]) -> bytes:
    data = seeds[which % len(seeds)] if seeds else b""
    for kind, where, what in edits:
        data = _KINDS[kind % len(_KINDS)](data, where, what, words, seeds)[:LARGEST]
    return data


def _span(data: bytes, where: int, what: int) -> tuple[int, int]:
    """A part: mostly a short one, at times one of any length."""
    start = where % (len(data) + 1)
    length = what % 16 if what & 1 << 20 else what % (len(data) - start + 1)
    return start, min(len(data), start + length)


def _word(words: Sequence[bytes], what: int) -> bytes:
    if words and what % 2:
        return words[what // 2 % len(words)]
    return WORDS[what // 2 % len(WORDS)]


def _flip(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = where % len(data)
    return data[:at] + bytes([data[at] ^ 1 << what % 8]) + data[at + 1 :]


def _insert(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = where % (len(data) + 1)
    return data[:at] + _word(words, what) + data[at:]


def _instead(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    start, end = _span(data, where, what)
    return data[:start] + _word(words, what >> 4) + data[end:]


def _without(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    start, end = _span(data, where, what)
    return data[:start] + data[end:]


def _cut(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    return data[: where % (len(data) + 1)]


def _again(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    """A part many times over."""
    start, end = _span(data, where, what)
    part = data[start:end] or _word(words, what)
    times = (2, 3, 10, 100, 1000, 5000)[what % 6]
    return data[:start] + part * min(times, LARGEST // max(1, len(part))) + data[end:]


def _deep(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    """Brackets within brackets."""
    at, times = where % (len(data) + 1), (3, 100, 1000, 20_000)[what % 4]
    opening, closing = ((b"[", b"]"), (b"{", b"}"), (b"(", b")"), (b'{"a":', b"}"), (b"a: {", b"}"), (b"- ", b""))[
        what // 4 % 6
    ]
    return data[:at] + opening * times + closing * (times if what & 1 << 8 else 0) + data[at:]


def _spliced(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    other = seeds[what % len(seeds)] if seeds else b""
    return data[: where % (len(data) + 1)] + other[where // 7 % (len(other) + 1) :]


def _lines(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    """A line elsewhere, twice, or not at all."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one = lines.pop(where % len(lines))
    for _ in range(what % 3):
        lines.insert(what // 3 % (len(lines) + 1), one)
    return b"".join(lines)


def _value(data: bytes, where: int, what: int, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    """Of JSON one value, somewhere in it, is another; of anything else one word is."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _instead(data, where, what, words, seeds)
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        inner = list(one.items()) if isinstance(one, dict) else list(enumerate(one)) if isinstance(one, list) else []
        places += [(one, key) for key, _ in inner]
        waiting += [below for _, below in inner]
    if not places:
        return json.dumps(_ODD[what % len(_ODD)]).encode()
    owner, key = places[where % len(places)]
    if what & 1 << 16 and isinstance(owner, dict):
        del owner[key]
    else:
        owner[key] = _ODD[what % len(_ODD)]
    return json.dumps(value).encode()


# What is as likely as anything else stands once, what finds more stands several times.
_KINDS = (
    *(_flip, _insert, _insert, _instead, _instead, _without, _cut, _again, _deep, _spliced, _lines),
    *(_value, _value, _value),
)
