from pathlib import Path

import pytest

from tests.lint import wild

ROWS = """
| repository | file | place | finding | judged |
| --- | --- | --- | --- | --- |
| a/b | train.py | 5 | code.cvd_disabled | true |
| a/b | gone.py | 3 | code.cvd_disabled | true |
| c/d | other.py | 3 | code.cvd_disabled | true |
"""
HIDING = 'import os\nimport torch\n\n\nos.environ["CUDA_VISIBLE_DEVICES"] = ""\nx = torch.zeros(3)\n'


def test_every_judgement_is_read() -> None:
    text = wild.JUDGED.read_text(encoding="utf-8")
    judged = wild.judgements(text)
    assert (
        len(judged)
        == len(set(judged))
        == sum(line.endswith((" true |", " false |", " arguable |")) for line in text.splitlines())
    )
    assert {one.judged for one in judged} == {"true", "false", "arguable"}


def test_what_is_lost_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a__b").mkdir()
    (tmp_path / "a__b" / "train.py").write_text(HIDING)
    (tmp_path / "a__b" / "more.py").write_text(HIDING)
    (tmp_path / "rows.md").write_text(ROWS)
    monkeypatch.setattr(wild, "JUDGED", tmp_path / "rows.md")
    assert wild.main(tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "not judged: a/b more.py:5 code.cvd_disabled",
        "true, and not found any more: a/b gone.py 3 code.cvd_disabled",
        "1 true, 0 false, 0 arguable, 1 not judged",
    ]
    (tmp_path / "a__b" / "gone.py").write_text(HIDING.replace("\n\n\n", "\n"))
    assert wild.main(tmp_path) == 0
