"""The rules of messages are linted."""

from pathlib import Path

from cudafit import shipped
from cudafit.matrix.linters.messages import check_rules
from cudafit.matrix.messages import read_rules

RULE = """rules:
  - id: one
    finding: torch.cpu_wheel
    pattern: {pattern}
    says: because
    source: https://example.com
    match:
      - {match}
"""


def flaws(folder: Path, pattern: str, match: str = "not compiled") -> list[str]:
    (folder / "messages").mkdir(exist_ok=True)
    (folder / "messages" / "a.yaml").write_text(RULE.format(pattern=pattern, match=match))
    rules = read_rules(str(folder))
    return [flaw.message for flaw in (*rules.flaws, *check_rules(rules))]


def test_the_packaged_rules_have_no_flaws() -> None:
    rules = read_rules(shipped.folder("matrices"))
    assert len(rules.written) > 200
    assert [*rules.flaws, *check_rules(rules)] == []


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    assert flaws(tmp_path, "not compiled") == ["what to do about `torch.cpu_wheel` is not said"]
    assert "repetition without a bound" in flaws(tmp_path, "'not compiled.*'")[0]
    assert "cannot be used" in flaws(tmp_path, "'not (compiled'")[0]
    assert "no word stands in all" in flaws(tmp_path, "'a|b'")[0]
    assert "cannot be used" in flaws(tmp_path, "'compiled <x:nothing>'")[0]
    assert "its own example" in flaws(tmp_path, "compiled", "something else")[0]
