"""Words that every text which a pattern fits holds."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cudafit.messages.keys import needs_of, width_of
from cudafit.messages.sieve import ways_of
from tests.messages import rules


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("error 802", ("802 error",)),
        ("fabric (?:manager|switch) failed", ("fabric failed manager", "fabric failed switch")),
        ("connection refused|no route to host", ("connection refused", "route host")),
        (r"could(?: not)? load \d{1,3}", ("could load",)),
        (r"docker(?:-compose)? up|\d{3}", ()),
    ],
)
def test_what_each_way_of_a_pattern_needs(pattern: str, needs: tuple[str, ...]) -> None:
    assert {frozenset(one.split()) for one in needs_of(pattern)} == {frozenset(one.split()) for one in needs}


def test_a_choice_with_too_many_ways_needs_what_they_share() -> None:
    many = "|".join(f"lib{chr(97 + at)}{chr(97 + two)}xyz" for at in range(13) for two in range(6))
    needs = needs_of(f"cannot open (?:{many})|never mind")
    assert sorted(sorted(words.split()) for words in needs) == [["cannot", "lib", "open"], ["mind", "never"]]


WORDS = st.sampled_from(
    ["cuda error", "no kernel", "out of memory", "driver", "802", "nccl", "docker run", "libcudart.so.12"]
)


@settings(max_examples=150)
@given(st.lists(WORDS, min_size=1, max_size=8).map(" ".join))
def test_no_pattern_fits_a_text_without_what_it_needs(text: str) -> None:
    for rule in rules():
        if rule.needs and re.search(rule.pattern, text, re.IGNORECASE):
            assert any(all(word in text for word in words.split()) for words in rule.needs), rule.id


def test_each_rule_has_words_by_which_a_long_text_is_sieved() -> None:
    ways = ways_of(rules())
    assert all(way.words for way in ways)
    told = {rule.id for way in ways for rule in way.rules}
    assert told == {rule.id for rule in rules() if rule.meanings[0].role != "sign"}


def test_a_pattern_is_as_wide_as_what_it_fits_and_looks_at() -> None:
    assert width_of("abc.{0,20}de") == 25
    assert width_of("ab(?!.{0,30}c)") == 33
    assert width_of("(?<!no )error") == 8


def test_what_ways_begin_with_stands_before_each_of_them() -> None:
    assert set(needs_of(r"(?:cuinit|cumalloc)\(\)")) == {"cuinit", "cumalloc"}
