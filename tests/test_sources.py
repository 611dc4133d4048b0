"""Files of code in the encoding that they name."""

import pytest

from cudafit.lint.check import UnreadableError
from cudafit.sources import decoded


def test_a_file_is_read_in_the_encoding_that_it_names() -> None:
    assert decoded("# coding: latin-1\nname = 'Zoë'\n".encode("latin-1")).endswith("name = 'Zoë'\n")


@pytest.mark.parametrize("encoding", ["punycode", "idna", "undefined", "hex", "no-such-encoding", "utf-7"])
def test_what_is_no_text_in_it_is_unreadable_and_no_bug(encoding: str) -> None:
    with pytest.raises(UnreadableError, match="encoding that it names"):
        decoded(f"# coding: {encoding}\nx = '+\x7f-zzzz'\n".encode() + b"\xff\xfe-a" * 3)
