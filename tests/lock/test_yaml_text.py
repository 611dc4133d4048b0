"""YAML of locks that others wrote."""

import pytest
import yaml

from cudafit.lock import yaml_text
from cudafit.lock.yaml_text import load


def test_values_are_those_of_the_safe_loader() -> None:
    text = "a: &a {b: 1.5, c: [x, null, 2026-01-02]}\nd: {<<: *a, b: 2}\n"
    assert load(text) == yaml.safe_load(text)


def test_merges_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_MOST", 50)
    merged = "".join(f"m{n}: &m{n} {{<<: [*m{n - 1}], k{n}: 1}}\n" for n in range(1, 30))
    with pytest.raises(yaml.YAMLError, match="it repeats itself without end"):
        load(f"m0: &m0 {{a: 1}}\n{merged}")
