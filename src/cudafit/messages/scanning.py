"""A text of any length, piece by piece.

What is short is read whole; in what is long only the surroundings of lines that may say something are looked at
closely.
"""

import codecs
from collections.abc import Sequence

from cudafit.messages.lines import joined_where_wrapped
from cudafit.messages.matching import Matcher, by_key
from cudafit.messages.ranking import explained
from cudafit.messages.sieve import AFTER, BEFORE, Sieve
from cudafit.model.messages import Explanation, Rule

_SHORT = 1 << 18  # bytes that are read whole
_PIECE = 1 << 19
_LONGEST_LINE = 1 << 16


class Scanner:
    """Is fed with bytes, and gives what they mean."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._matcher = Matcher(rules)
        self._signs = by_key(rule for rule in rules if rule.meanings[0].role == "sign")
        self._sieve: Sieve | None = None
        self._buffer = b""
        self._number = 1
        self._long = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = False
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
        while len(self._buffer) >= (_PIECE if self._long else _SHORT):
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
        count = buffer.count(b"\n") + (not buffer.endswith(b"\n"))
        last = last or count <= BEFORE + 2 * AFTER  # lines so long that what follows on them is another matter
        if self._sieve is None:
            self._sieve = Sieve(self._matcher.rules, self._matcher.is_done)
        regions, ways = self._sieve.regions(buffer)
        if regions:
            some = by_key(rule for rule, _ in ways.values())
            needs = {name: words for name, (_, words) in ways.items()}
            lines = buffer.split(b"\n")
            for begin, end in regions:
                piece = [line.decode("utf-8", "replace").rstrip("\r") for line in lines[begin : min(end, count)]]
                hits = len(self._matcher.hits)
                self._matcher.read(enumerate(piece, self._number + begin), some, needs)
                if len(self._matcher.hits) > hits:
                    self._matcher.read(enumerate(piece, self._number + begin), self._signs)
        if last:
            self._number += count - (not buffer.endswith(b"\n"))
            self._buffer = rest
            return
        begin = len(buffer) - buffer.endswith(b"\n")
        for _ in range(BEFORE + AFTER):  # lines that what follows may belong to
            begin = buffer.rfind(b"\n", 0, begin)
        self._number += count - BEFORE - AFTER
        self._buffer = buffer[begin + 1 :] + rest


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
