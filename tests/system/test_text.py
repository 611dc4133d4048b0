"""What foreign text may do on its way out: show itself, and nothing else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cudafit.system.text import harmless, harmless_lines, is_plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("torch 2.13.0+cpu", "torch 2.13.0+cpu"),
        ("Zürich, 東京, 🐍, 👩‍🔬", "Zürich, 東京, 🐍, 👩‍🔬"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x9b31mb\x07", "a\\x9b31mb\\x07"),
        ("a\n::error ::b", "a\\n::error ::b"),
        ("a\rb\tc", "a\\rb\\tc"),
        ("evil\u202egpj.exe\u2066x", "evil\\u202egpj.exe\\u2066x"),
        ("a\u2028b", "a\\u2028b"),
        ("caf\udce9", "caf\\xe9"),
        ("a\ud800b", "a\\ud800b"),
        ("a\U000e0041", "a\\U000e0041"),
        ("a\uffff", "a\\uffff"),
        ("::error ::x", "\\x3a:error ::x"),
        (" \u00a0::error ::x", " \u00a0\\x3a:error ::x"),
        ("std::vector, fe80::1", "std::vector, fe80::1"),
        ("a ##[error]b", "a \\x23#[error]b"),
        ("##vso[task.setvariable]b", "\\x23#vso[task.setvariable]b"),
        ("### a", "### a"),
    ],
)
def test_what_would_do_something_is_spelled_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_what_a_line_may_hold() -> None:
    assert is_plain("torch==2.13.0+cpu")
    assert is_plain("::1, 👩‍🔬")
    assert not any(map(is_plain, ("a\nb", "a\x1bb", "a\u2028b", "a\u202eb", "caf\udce9")))


def test_lines_of_ours_stay_lines() -> None:
    assert harmless_lines("one\n\ttwo\x1b\r\nthree\n") == "one\n\ttwo\\x1b\\r\nthree\n"


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_commands_is_left(text: str) -> None:
    shown = harmless(text)
    left = {unicodedata.category(sign) for sign in shown} & {"Cc", "Cs", "Zl", "Zp"}
    turning = {sign for sign in shown if unicodedata.bidirectional(sign) in {"LRE", "RLE", "LRO", "RLO", "PDF"}}
    isolating = {sign for sign in shown if unicodedata.bidirectional(sign) in {"LRI", "RLI", "FSI", "PDI"}}
    assert not left | turning | isolating
    assert harmless(shown) == shown
    shown.encode()
