"""What is kept of files that were followed before."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cudafit import lint_cache, sources
from cudafit.lint.check import lint_text
from cudafit.lint_cache import LintCache
from cudafit.model.code_finding import CodeFinding
from cudafit.sources import lint_paths

HIDING = 'import os\nimport torch\n\nos.environ["CUDA_VISIBLE_DEVICES"] = ""\nx = torch.zeros(3)\n'


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sources, "_FEW", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 1, raising=False)
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text(HIDING)
    (folder / "moved.py").write_text("import torch\nx = torch.ones(3)\nx.to('cuda')\nopen('a.yaml')\n")
    (folder / "broken.py").write_text("import torch\nx.step(\n")
    (folder / "a.yaml").write_text("device: cpu\n")
    return folder


def test_the_second_time_nothing_is_followed(code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cold = lint_paths([str(code)], cache=LintCache(str(tmp_path / "kept"), {}))
    assert sorted(one.id for one in cold.findings) == [
        "code.config_device_cpu",
        "code.cvd_disabled",
        "code.to_result_discarded",
    ]
    assert any(one.edits for one in cold.findings)
    followed: list[str] = []

    def follow(text: str, path: str, *others: Any, **options: Any) -> list[CodeFinding]:
        followed.append(path)
        return lint_text(text, path, *others, **options)

    monkeypatch.setattr(sources, "lint_text", follow)
    assert lint_paths([str(code)], cache=LintCache(str(tmp_path / "kept"), {})) == cold
    assert {Path(one).name for one in followed} == {"broken.py", "a.yaml"}


def test_another_content_name_or_version_is_another_file(code: Path, tmp_path: Path) -> None:
    def look(installed: dict[str, str]) -> list[str]:
        report = lint_paths([str(code)], installed=installed, cache=LintCache(str(tmp_path / "kept"), installed))
        return sorted(one.id for one in report.findings)

    (code / "ask.py").write_text("import transformers\nask = transformers.pipeline('x')\n")
    assert "info.version_decides" in look({})
    assert "code.hf_pipeline_cpu" in look({"transformers": "4.46.3"})
    assert look({"transformers": "4.47.0"}) == [one for one in look({}) if one != "info.version_decides"]
    (code / "train.py").rename(code / "test_train.py")
    assert "info.cpu_on_purpose" in look({})
    (code / "test_train.py").write_text(HIDING.replace('""', '"0"'))
    assert not {"info.cpu_on_purpose", "code.cvd_disabled"} & {*look({})}


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "{KEY: 3}", '{KEY: [[["no.such", 1, 1, null, "", "", []]], [], []]}']
)
def test_entries_that_are_none_are_followed_anew(code: Path, tmp_path: Path, broken: str) -> None:
    def kept() -> LintCache:
        return LintCache(str(tmp_path / "kept"), {})

    cold = lint_paths([str(code)], cache=kept())
    for file in (tmp_path / "kept").rglob("*.json"):
        (key,) = json.loads(file.read_text())
        file.write_text(broken.replace("KEY", f'"{key}"'))
    assert lint_paths([str(code)], cache=kept()) == cold


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(code: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert lint_paths([str(code)], cache=LintCache(str(tmp_path / "file"), {})).findings


def test_it_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint_cache, "_MOST", 3)
    for number in range(9):
        made = LintCache(str(tmp_path), {})
        made.put(f"aa{number}", [[], [], []])
        made.write()
    made = LintCache(str(tmp_path), {})
    assert [number for number in range(9) if made.get(f"aa{number}")] == [6, 7, 8]
    for number in range(5):
        (tmp_path / f"old{number}").mkdir()
    monkeypatch.setattr(lint_cache, "_fingerprint", lambda: "new")
    made = LintCache(str(tmp_path), {})
    made.put("bb", [[], [], []])
    made.write()
    assert len(list(tmp_path.iterdir())) == lint_cache._KEPT
    assert (tmp_path / "new").is_dir()
