"""No parser takes time by the square of its text. `make fuzz` tries more texts, and larger ones."""

from functools import partial
from pathlib import Path

import pytest

from tests.fuzz.growth import growth, reading
from tests.fuzz.parser import Parser
from tests.fuzz.parsers import PARSERS
from tests.fuzz.pumps import own, pump

_SIZE = 16_000


@pytest.mark.slow
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_time_grows_with_the_text(parser: Parser, tmp_path: Path) -> None:
    read = reading(parser, tmp_path)
    for parts in own(parser):
        told = growth(read, partial(pump, *parts), _SIZE)
        assert not told, f"{parts[0][-40:]!r}, {parts[1][:60]!r} many times, {parts[2][:40]!r}: {told}"


@pytest.mark.slow
def test_what_grows_with_the_square_is_found() -> None:
    def slow(data: bytes) -> object:
        return [data.count(b"b", start) for start in range(len(data))]

    assert growth(slow, lambda size: b"a" * size, _SIZE)
    assert not growth(lambda data: slow(data[:100]), lambda size: b"a" * size, _SIZE)
