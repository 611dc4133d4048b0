"""YAML of locks that others wrote."""

import pytest
import yaml

from cudafit.lock import yaml_text
from cudafit.lock.yaml_text import YamlError, load


def test_values_are_those_of_the_safe_loader() -> None:
    text = "a: &a {b: 1.5, c: [x, null, 2026-01-02]}\nd: {<<: *a, b: 2}\n"
    assert load(text) == yaml.safe_load(text)


def test_merges_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_MOST", 50)
    merged = "".join(f"m{n}: &m{n} {{<<: [*m{n - 1}], k{n}: 1}}\n" for n in range(1, 30))
    with pytest.raises(YamlError, match="it repeats itself without end"):
        load(f"m0: &m0 {{a: 1}}\n{merged}")


@pytest.mark.parametrize("form", ["[{}]", "{{{}}}"])
def test_aliases_come_to_an_end(form: str) -> None:
    """What is a few lines long is a number of values that nobody can go through."""
    part = "{0}" if form[0] == "[" else "k{1}: {0}"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"]
    for number in range(1, 12):
        parts = (part.format(f"*a{number - 1}", place) for place in range(10))
        lines.append(f"a{number}: &a{number} {form.format(', '.join(parts))}\n")
    with pytest.raises(YamlError, match="it repeats itself without end"):
        load("".join(lines))


def test_one_that_holds_itself_has_no_end() -> None:
    with pytest.raises(YamlError, match="it repeats itself without end"):
        load("a: &a [*a]\n")


def test_an_alias_that_is_used_often_is_a_value_as_any_other() -> None:
    assert load("a: &a {b: 1}\nc: [*a, *a, *a]\n") == {"a": {"b": 1}, "c": [{"b": 1}] * 3}
    assert load("") is None
