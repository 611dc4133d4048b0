"""Read by the parsers of those for whom it is made."""

import re
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cudafit.model import kinds
from cudafit.model.finding import Evidence, NotChecked, Report, Status
from cudafit.render.doctor_monitors import NAGIOS_CODES, nagios, nagios_status, nagios_unknown, prometheus

FACTS = (Evidence("a", "b"),)
CPU = kinds.torch.cpu_wheel.found("torch 2.13.0+cpu is a build for the CPU", FACTS)
EVIL = kinds.dist.duplicate_install.found('x"y\\z\n{a="b"} | 99 is installed twice\x1b[31m', FACTS)


def report(status: Status, *found: object, cause: str | None = None, environment: str | None = "a venv") -> Report:
    skipped = (NotChecked("gpu", "the driver|did not answer\nat all"),) if status == "unknown" else ()
    return Report(status, cause, tuple(found), skipped, environment, checked=77, gpus=1)  # type: ignore[arg-type]


def test_nagios_is_one_line_and_its_numbers_are_behind_one_bar() -> None:
    told = {
        "ok": "CUDAFIT OK - no problem found by 77 checks",
        "unknown": "CUDAFIT UNKNOWN - could not be determined: the driver/did not answer at all",
        "warning": "CUDAFIT WARNING - torch 2.13.0+cpu is a build for the CPU (torch.cpu_wheel), and 1 more",
        "error": "CUDAFIT CRITICAL - torch 2.13.0+cpu is a build for the CPU (torch.cpu_wheel), and 1 more",
    }
    for status, begins in told.items():
        found = (EVIL, CPU) if status in ("warning", "error") else ()
        text = nagios(report(status, *found, cause="torch.cpu_wheel" if found else None))  # type: ignore[arg-type]
        assert text.startswith(begins), text
        assert text.endswith("\n")
        assert text.count("\n") == text.count("|") == 1
        assert re.fullmatch(r"errors=\d+;;;0 warnings=\d+;;;0 checks=77;;;0\n", text.partition("| ")[2])
    assert sorted(NAGIOS_CODES.values()) == [0, 1, 2, 3]
    assert nagios_unknown("a\nb|c") == "CUDAFIT UNKNOWN - a b/c\n"


@pytest.mark.parametrize("gpus", [0, None])
def test_nagios_is_not_told_that_all_is_well_where_no_gpu_is_seen(gpus: int | None) -> None:
    unseen = replace(report("ok"), gpus=gpus)
    assert nagios(unseen).startswith("CUDAFIT UNKNOWN - could not be determined: no GPU is to be seen |")
    assert nagios_status(unseen) == "unknown"
    assert nagios_status(replace(unseen, files=("Dockerfile",))) == "ok"  # there nobody asked about a GPU here
    assert nagios_status(replace(unseen, status="error")) == "error"


def test_what_is_foreign_cannot_end_the_line_or_give_numbers() -> None:
    text = nagios(report("error", EVIL, cause=EVIL.id))
    assert "\x1b" not in text
    assert text.count("|") == 1


def test_prometheus_reads_it() -> None:
    text = prometheus(report("error", CPU, EVIL, EVIL, cause=CPU.id, environment='a "venv"\nof\\mine'), "1.2")
    families = {one.name: one for one in text_string_to_metric_families(text)}
    assert all(one.documentation and one.type == "gauge" for one in families.values())
    states = {one.labels["status"]: one.value for one in families["cudafit_doctor_status"].samples}
    assert states == {"ok": 0, "warning": 0, "error": 1, "unknown": 0}
    counts = {one.labels["severity"]: one.value for one in families["cudafit_doctor_findings"].samples}
    assert counts == {
        "error": 1 + 2 * (EVIL.severity == "error"),
        "warning": 2 * (EVIL.severity == "warning"),
        "info": 0,
    }
    each = {one.labels["id"]: (one.labels["cause"], one.value) for one in families["cudafit_doctor_finding"].samples}
    assert each == {CPU.id: ("true", 1), EVIL.id: ("false", 2)}
    (info,) = families["cudafit_info"].samples
    assert info.labels == {"version": "1.2", "environment": 'a "venv" of\\mine'}
    assert families["cudafit_doctor_checks"].samples[0].value == 77


def test_where_nothing_was_found_the_series_are_there_all_the_same() -> None:
    families = {one.name for one in text_string_to_metric_families(prometheus(report("ok", environment=None), "1"))}
    assert {"cudafit_doctor_finding", "cudafit_doctor_status", "cudafit_doctor_not_checked"} <= families
