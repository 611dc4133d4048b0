"""Code that is broken, cut off or makes no sense is followed or refused: never an error, never without an end."""

import contextlib
import random
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from cudafit.lint.check import UnreadableError, lint_text

_TEXTS = [
    f"# expect:{part}"
    for file in sorted((Path(__file__).parent / "scripts").glob("*.txt"))
    for part in file.read_text(encoding="utf-8").split("# expect:")[1:]
]
_WORD = re.compile(r"[A-Za-z_]\w*|\"[^\"\n]*\"|\d+")
_STRANGE = ("None", "self", "[]", "{}", "()", "*x", "0", "-1", '"cpu"', "lambda: 0", "...", "(yield)", "x := 1", "b''")


def _changed(chance: random.Random) -> str:
    text = chance.choice(_TEXTS)
    way = chance.random()
    if way < 0.15:
        return text[: chance.randrange(len(text))]
    if way < 0.4:
        lines = text.split("\n")
        lines.insert(chance.randrange(len(lines)), lines[chance.randrange(len(lines))])
        del lines[chance.randrange(len(lines))]
        return "\n".join(lines)
    for _ in range(chance.randint(1, 6)):
        words = list(_WORD.finditer(text))
        word = chance.choice(words)
        other = chance.choice(_STRANGE) if chance.random() < 0.5 else chance.choice(words).group()
        text = text[: word.start()] + other + text[word.end() :]
    return text


def _some(count: int) -> Iterator[str]:
    chance = random.Random(20)  # the same changes each time
    for _ in range(count):
        yield _changed(chance)


def test_broken_code_is_read_or_refused_in_time() -> None:
    read = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's own, about what the changes make
        for text in _some(1_500):
            start = time.monotonic()
            with contextlib.suppress(UnreadableError):
                lint_text(text, "train.py")
                read += 1
            assert time.monotonic() - start < 5, text
    assert read > 300
