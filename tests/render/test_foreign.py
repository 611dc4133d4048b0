"""What is foreign in a report stays in its line, in each form of it."""

import json
from dataclasses import replace

import pytest

from cudafit.model import kinds
from cudafit.model.code_finding import LintReport, SkippedFile
from cudafit.model.finding import Evidence, Fix, Report
from cudafit.render import doctor_rows, lint_rows
from cudafit.render.json_text import json_rows, json_text

EVIL = "a\x1b]0;b\x07\x9b31m\r\n::error ::forged\u202e"
SPELLED = r"a\x1b]0;b\x07\x9b31m\r\n::error ::forged\u202e"
FINDING = kinds.torch.cpu_wheel.found(EVIL, (Evidence(EVIL, f"{EVIL}:7"),), Fix(EVIL, ((EVIL,),)))
REPORT = Report("error", "torch.cpu_wheel", (FINDING,), (), EVIL, (EVIL,), 1, (), (EVIL,))
LINTED = LintReport((replace(kinds.code.model_on_cpu.in_code(EVIL, 1, EVIL), fix=EVIL),), (SkippedFile(EVIL, EVIL),), 1)


@pytest.mark.parametrize("text", [doctor_rows.markdown(REPORT), doctor_rows.github(REPORT), lint_rows.github(LINTED)])
def test_markdown_and_annotations(text: str) -> None:
    assert SPELLED in text or SPELLED.replace(":", "%3A") in text
    assert not set("\x1b\x07\x9b\r\u202e") & set(text)
    assert not any(line.lstrip().startswith("::error ::forged") for line in text.split("\n"))


def test_an_annotation_is_one_line() -> None:
    assert len(doctor_rows.github(REPORT).splitlines()) == 1
    assert len(lint_rows.github(LINTED).splitlines()) == 1


def test_text_of_lint() -> None:
    told = "an import\x20" + "of much " * 9 + "::error ::forged"
    text = lint_rows.text(LintReport((kinds.code.model_on_cpu.in_code("::error ::a.py", 1, told),), (), 1))
    assert "\\x3a:error ::a.py:1:1" in text
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


def test_names_of_users_are_left_out_as_they_are_shown() -> None:
    report = Report("ok", None, (), (), "/home/m\x1be/.venv", (), 1, (), ())
    assert "- environment: ~/.venv" in doctor_rows.markdown(report, ["/home/m\x1be"])


def test_json_holds_the_value_and_nothing_that_commands() -> None:
    value = {"a": [{"b": f"{EVIL}\x7f##[error]c ##vso[task.d]e"}], "c": "##[x]"}
    for text in (json_text(value), json_rows(value)):
        assert json.loads(text) == value
        assert text.replace("\n", "").isprintable()
        assert "##[" not in text
        assert "##vso[" not in text


def test_the_address_of_a_file_that_is_no_utf_8() -> None:
    report = LintReport((kinds.code.model_on_cpu.in_code("caf\udce9 ü.py", 1, "m"),), (), 1)
    assert "caf%E9%20%C3%BC.py" in json_text(lint_rows.sarif(report, "1"))
    finding = kinds.torch.cpu_wheel.found("t", (Evidence("f", "/caf\udce9 ü.py"),))
    told = json_text(doctor_rows.sarif(Report("error", finding.id, (finding,), (), None, (), 1, (), ()), "1"))
    assert "file:///caf%E9%20%C3%BC.py" in told
