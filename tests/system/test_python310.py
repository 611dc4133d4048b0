"""What stands in for what Python 3.10 lacks does the same; tried on every Python that can compare."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cudafit.process import own_python
from cudafit.system.python310 import safe_words_before_311, without_possessive
from tests import own_code
from tests.fuzz.patterns import uses

pytestmark = own_code.TOGETHER

KNOWN = sys.version_info >= (3, 11)
needs_them = pytest.mark.skipif(not KNOWN, reason="this Python does not know possessive repetitions to compare with")
_POSSESSIVE = re.compile(r"[^\\][*+?}]\+")


@functools.cache
def possessive_patterns() -> list[tuple[str, int]]:
    """Those of the product."""
    return [
        (use.pattern, use.flags)
        for use in uses()
        if isinstance(use.pattern, str) and without_possessive(use.pattern) != use.pattern
    ]


# What the patterns of the product are about.
TEXTS = st.lists(
    st.sampled_from(
        [
            *"a0A_.-,\t\"'=:/[]@#\n;<>(){}\\~+x1é \n$%&?",
            '"""',
            "'''",
            "torch",
            "-r",
            "--token",
            "ENV",
            "://",
            "eyJ",
            "a" * 9,
        ]
    ),
    max_size=30,
).map("".join)


def found(pattern: str, flags: int, text: str) -> list[tuple[tuple[int, int], ...]]:
    compiled = re.compile(pattern, flags)
    return [
        tuple(one.span(group) for group in range(compiled.groups + 1))
        for one in [*compiled.finditer(text), *filter(None, [compiled.fullmatch(text), compiled.match(text)])]
    ]


@needs_them
def test_there_are_some() -> None:
    assert len(possessive_patterns()) >= 15


@needs_them
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_the_products_patterns_find_the_same_without_them(text: str) -> None:
    for pattern, flags in possessive_patterns():
        assert found(without_possessive(pattern), flags, text) == found(pattern, flags, text), pattern


@needs_them
@pytest.mark.parametrize(
    "pattern",
    [
        r"a*+",
        r"a++b",
        r"(a)?+(b)",
        r"(?:a|b)*+c",
        r"((?P<n>x)|\(y\))?+x",
        r"[^\]a]++\]",
        r"[]a]*+b",
        r"a{0,3}+b",
        r"a{2}+a",
        r"a{2,}+b",
        r"(?:[ab]{1,2}+x)*+b",
        r"(?<=a)b?+(?P=q)?" if not KNOWN else r"(?P<q>a)(?P=q)*+b",
        r"a\*+b|a+?b",
        r"(?i:A*+)b",
    ],
)
def test_every_form_finds_the_same(pattern: str) -> None:
    rewritten = without_possessive(pattern)
    for text in (
        "",
        "a",
        "aa",
        "aaa",
        "aaaa",
        "aaab",
        "ab",
        "abc",
        "abab",
        "x",
        "xx",
        "(y)x",
        "]",
        "a]",
        "aab]",
        "a**b",
        "axbxb",
    ):
        assert found(rewritten, 0, text) == found(pattern, 0, text), (rewritten, text)


def test_a_pattern_without_them_stays_as_it_is() -> None:
    for pattern in (r"a+b*?c{2}?", r"[*+]+", r"\+*", r"\\++"[:-1], r"(?P<a>x)(?P=a)|(?i:y)", r"[\]+*+]"):
        assert without_possessive(pattern) == pattern


def test_each_possessive_pattern_of_the_product_is_one_for_every_python() -> None:
    """A pattern of 3.11 alone would make cudafit fail on 3.10 when its module is imported."""
    missing = []
    for module in own_code.modules():
        for call in module.calls():
            if getattr(getattr(call.func, "value", None), "id", "") != "re" or not call.args:
                continue
            texts = [
                one.value
                for one in ast.walk(call.args[0])
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            wrapped = isinstance(call.args[0], ast.Call)
            if not wrapped and without_possessive("".join(texts)) != "".join(texts):
                missing.append(f"{module.name}:{call.lineno}")
    assert not missing, f"put `possessive(...)` of system/python310.py around these: {missing}"


@pytest.mark.parametrize("way", ["-c", "-m", "script"])
def test_no_module_of_the_current_folder_is_taken(tmp_path: Path, way: str) -> None:
    """As with `-P`, which 3.10 does not have."""
    (tmp_path / "json.py").write_text("print('taken from here')\n")
    code = "import json, sys; print(json.__name__, sys.argv[1:], __name__)"
    (tmp_path / "script.py").write_text(code)
    words = {"-c": ["-c", code], "-m": ["-m", "this"], "script": [str(tmp_path / "script.py")]}[way]
    command = [sys.executable, *safe_words_before_311([*words, "a b"])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Zen" in done.stdout if way == "-m" else done.stdout == "json ['a b'] __main__\n"


def test_a_helper_is_started_so() -> None:
    assert own_python("-m", "cudafit.conda_worker")[1] == ("-P" if KNOWN else "-c")
