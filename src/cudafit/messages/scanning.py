"""A text of any length, piece by piece.

What is short is read whole; in what is long only the surroundings of lines that hold a key are looked at closely.
"""

import codecs
from collections.abc import Iterable, Sequence

from cudafit.messages.lines import joined_where_wrapped
from cudafit.messages.matching import Matcher
from cudafit.messages.ranking import explained
from cudafit.model.messages import Explanation, Rule

_SHORT = 1 << 18  # bytes that are read whole
_PIECE = 1 << 20
_LONGEST_LINE = 1 << 16
_BEFORE, _AFTER = 6, 14
_MOST_LINES = 2000
_SHAPES, _LONGEST_SHAPE = 20_000, 400
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
        self._named: dict[bytes, list[str]] = {}
        self._dull: set[bytes] = set()
        self._telling_shapes: dict[bytes, tuple[str, ...]] = {}
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
            self._number = len(lines) - (not lines[-1])
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
        shapes = buffer.translate(None, _DIGITS).lower().split(b"\n")
        count = len(shapes) - 1 if buffer.endswith(b"\n") else len(shapes)
        last = last or count <= _BEFORE + 2 * _AFTER  # lines so long that what follows on them is another matter
        stop = count if last else count - _AFTER
        if (held := self._held(set(shapes))) and (places := [at for at in range(stop) if shapes[at] in held]):
            lines = buffer.split(b"\n")
            keys = {key for at in places for key in held[shapes[at]]} | self._signs
            for begin, end in _regions(places, count):
                piece = [line.decode("utf-8", "replace").rstrip("\r") for line in lines[begin:end]]
                self._matcher.read(zip(range(self._number + begin, self._number + end), piece, strict=True), keys)
        kept = count if last else max(stop - _BEFORE, 0)
        self._number += kept if buffer.endswith(b"\n") or kept < count else kept - 1
        self._buffer = (buffer.split(b"\n", kept)[kept] if kept < count else b"") + rest

    def _held(self, shapes: set[bytes]) -> dict[bytes, tuple[str, ...]]:
        """Of lines without figures, those that hold keys: lines that differ in figures alone are looked at once."""
        fresh = shapes - self._dull - self._telling_shapes.keys()
        whole = b"\n".join(fresh)
        keys = [key for gate, some in self._all_gates().items() if gate in whole for key in some if key in whole]
        if len(self._telling_shapes) > _SHAPES:
            self._telling_shapes = {
                shape: self._telling_shapes[shape] for shape in shapes & self._telling_shapes.keys()
            }
        for shape in fresh:
            if held := tuple(name for key in keys if key in shape for name in self._named[key]):
                self._telling_shapes[shape] = held
            elif len(self._dull) < _SHAPES and len(shape) < _LONGEST_SHAPE:
                self._dull.add(shape)
        return {shape: held for shape, held in self._telling_shapes.items() if shape in shapes}

    def _all_gates(self) -> dict[bytes, list[bytes]]:
        if not self._gates:
            for key in self._telling:
                self._named.setdefault(key.encode().translate(None, _DIGITS), []).append(key)
            self._gates = gates_of(self._named)
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


def _regions(places: Sequence[int], count: int) -> list[tuple[int, int]]:
    """Stretches of lines around the places; those that touch are one."""
    made: list[tuple[int, int]] = []
    for place in places:
        begin, end = max(0, place - _BEFORE), min(count, place + _AFTER)
        if made and begin <= made[-1][1] and end - made[-1][0] < _MOST_LINES:
            made[-1] = made[-1][0], end
        else:
            made.append((begin, end))
    return made


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
