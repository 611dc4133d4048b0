"""A text of any length, piece by piece.

What is short is read whole; in what is long only the surroundings of lines that hold a key are looked at closely.
"""

import codecs
from collections.abc import Iterable, Sequence

from cudafit.messages.lines import joined_where_wrapped
from cudafit.messages.matching import Line, Matcher
from cudafit.messages.ranking import explained
from cudafit.model.messages import Explanation, Rule

_SHORT = 1 << 18  # bytes that are read whole
_PIECE = 1 << 20
_LONGEST_LINE = 1 << 16
_BEFORE, _AFTER = 6, 14
_SHAPES = 20_000
_DIGITS = b"0123456789"


class Scanner:
    """Is fed with bytes, and gives what they mean."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._matcher = Matcher(rules)
        self._signs = {key for rule in rules if rule.meanings[0].role == "sign" for key in rule.keys}
        self._telling = {key for rule in rules if rule.meanings[0].role != "sign" for key in rule.keys}
        self._buffer = b""
        self._number = 1
        self._long = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = False
        self._gates: dict[bytes, list[bytes]] = {}
        self._shapes: dict[bytes, tuple[bytes, ...]] = {}
        self.binary = False
        self.size = 0

    def feed(self, block: bytes) -> None:
        self.size += len(block)
        if not self._begun and block:
            self._begun = True
            self._decoder = _decoder(block)
            self.binary = self._decoder is None and block[:4096].count(0) > 8
        if self._decoder is not None:
            block = self._decoder.decode(block).encode("utf-8", "replace")
        self._buffer += block
        while len(self._buffer) >= (_PIECE if self._long else _SHORT + _PIECE):
            self._long = True
            self._scan(self._buffer[: _PIECE + _SHORT], last=False)

    def explanation(self) -> Explanation:
        if self._decoder is not None:
            self._buffer += self._decoder.decode(b"", True).encode("utf-8", "replace")
        if self._long:
            self._scan(self._buffer, last=True)
        else:
            lines = self._buffer.decode("utf-8", "replace").split("\n")
            self._number = len(lines)
            self._matcher.read(joined_where_wrapped([line.rstrip("\r") for line in lines]))
        return explained(self._matcher.hits, self._matcher.signs, self._number if self.size else 0)

    def _scan(self, buffer: bytes, *, last: bool) -> None:
        """Looks at a stretch, and keeps of it what may belong to what follows."""
        rest = self._buffer[len(buffer) :]
        if not last:
            end = buffer.rfind(b"\n") + 1
            if end < len(buffer) - _LONGEST_LINE:
                end = len(buffer)  # a line without an end is cut
            rest, buffer = buffer[end:] + rest, buffer[:end]
        places = self._hit_lines(buffer)
        stop = len(buffer)
        if not last:
            for _ in range(_AFTER):
                stop = max(0, buffer.rfind(b"\n", 0, max(0, stop - 1)) + 1)
            stop = stop or len(buffer)
        for begin, end, keys in _regions(buffer, [place for place in places if place[0] < stop]):
            number = self._number + buffer.count(b"\n", 0, begin)
            self._matcher.read(_lines(buffer[begin:end], number), [*keys, *self._signs])
        kept = stop if stop < len(buffer) else len(buffer)
        for _ in range(_BEFORE):
            kept = max(0, buffer.rfind(b"\n", 0, max(0, kept - 1)) + 1)
        if last or len(buffer) - kept > _PIECE // 2:
            kept = len(buffer)
        self._number += buffer.count(b"\n", 0, kept)
        self._buffer = buffer[kept:] + rest

    def _hit_lines(self, buffer: bytes) -> list[tuple[int, tuple[bytes, ...]]]:
        """The beginnings of lines that hold keys, with these."""
        lowered = buffer.lower()
        found: dict[int, set[bytes]] = {}
        for gate, keys in self._all_gates().items():
            at = lowered.find(gate)
            while at >= 0:
                begin = lowered.rfind(b"\n", 0, at) + 1
                end = lowered.find(b"\n", at)
                end = len(lowered) if end < 0 else end
                if held := self._held(gate, lowered[begin:end], keys):
                    found.setdefault(begin, set()).update(held)
                at = lowered.find(gate, end)
        return [(place, tuple(found[place])) for place in sorted(found)]

    def _held(self, gate: bytes, line: bytes, keys: Sequence[bytes]) -> tuple[bytes, ...]:
        """Lines that differ in their figures alone are looked at once."""
        shape = gate + line.translate(None, _DIGITS)
        if (held := self._shapes.get(shape)) is None:
            held = tuple(key for key in keys if key in line)
            if len(self._shapes) < _SHAPES and len(shape) < 400 and not held:
                self._shapes[shape] = held
        return held

    def _all_gates(self) -> dict[bytes, list[bytes]]:
        if not self._gates:
            self._gates = gates_of(word.encode() for word in self._telling)
        return self._gates


def gates_of(keys: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Few short words of which each key holds one, with the keys that do: the fewer, the faster a long text is read."""
    left = set(keys)
    made: dict[bytes, list[bytes]] = {}
    while left:
        counts: dict[bytes, set[bytes]] = {}
        for key in left:
            width = min(4, len(key))
            for at in range(len(key) - width + 1):
                part = key[at : at + width]
                if part.translate(None, _DIGITS + b".:/_-+"):
                    counts.setdefault(part, set()).add(key)
        if not counts:
            made.update({key: [key] for key in left})
            break
        part = max(sorted(counts), key=lambda one: len(counts[one]))
        made[part] = sorted(counts[part])
        left -= counts[part]
    return made


def _regions(buffer: bytes, places: Sequence[tuple[int, tuple[bytes, ...]]]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Stretches of lines around the places; those that touch are one."""
    made: list[tuple[int, int, set[bytes]]] = []
    for place, keys in places:
        begin, end = place, place
        for _ in range(_BEFORE):
            begin = max(0, buffer.rfind(b"\n", 0, max(0, begin - 1)) + 1)
        for _ in range(_AFTER):
            end = buffer.find(b"\n", end) + 1
            if not end:
                end = len(buffer)
                break
        if made and begin <= made[-1][1] and end - made[-1][0] < _PIECE // 4:
            made[-1] = made[-1][0], max(end, made[-1][1]), made[-1][2] | set(keys)
        else:
            made.append((begin, end, set(keys)))
    return [(begin, end, tuple(key.decode() for key in keys)) for begin, end, keys in made]


def _lines(piece: bytes, number: int) -> list[Line]:
    text = piece.decode("utf-8", "replace")
    return [(number + at, line.rstrip("\r")) for at, line in enumerate(text.removesuffix("\n").split("\n"))]


def _decoder(block: bytes) -> "codecs.IncrementalDecoder | None":
    """For what PowerShell's `>` writes: UTF-16, with its mark or without. UTF-8 needs none."""
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("replace")
    head = block[:4096]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 2 * 0.8 and head[::2].count(0) == 0:
        return codecs.getincrementaldecoder("utf-16-le")("replace")
    if len(head) >= 4 and head[::2].count(0) > len(head) // 2 * 0.8 and head[1::2].count(0) == 0:
        return codecs.getincrementaldecoder("utf-16-be")("replace")
    return None
