"""A log as evidence of a diagnosis."""

from dataclasses import replace

from cudafit.doctor.logged import with_log
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding, Fix, Report, Status
from cudafit.model.messages import Explanation, Match

DRIVER = kinds.driver.not_loaded.found("no driver", (Evidence("none", "/proc"),))
BUILD = kinds.torch.cpu_wheel.found("a build for the CPU", (Evidence("cpu", "version.py"),))


def report(*findings: Finding, status: Status = "error") -> Report:
    return Report(status, findings[0].id if findings else None, findings, ())


def said(name: str, holds: bool | None, *more: Match) -> Explanation:
    match = Match(name, "the title", (3,), "its words", {}, holds, fix=Fix("mend it"))
    return Explanation(name, (match, *more), lines=9)


def read(before: Report, told: Explanation) -> Report:
    return with_log(before, told, "train.log", lambda _name: True)


def test_what_the_log_names_is_confirmed_and_is_the_cause() -> None:
    after = read(report(DRIVER, BUILD), said("torch.cpu_wheel", True))
    assert after.cause == "torch.cpu_wheel"
    assert after.findings[1].evidence[-1] == Evidence("its words", "train.log:3")
    assert after.findings[0] == DRIVER
    assert after.log is not None
    assert after.log.said[0].holds_here is True


def test_what_explains_it_stays_the_cause() -> None:
    after = read(report(DRIVER, replace(BUILD, explained_by="driver.not_loaded")), said("torch.cpu_wheel", True))
    assert after.cause == "driver.not_loaded"


def test_what_nothing_looks_for_is_a_finding_by_the_logs_word() -> None:
    after = read(report(status="ok"), said("code.illegal_access", None))
    assert (after.status, after.cause) == ("error", "code.illegal_access")
    assert after.findings[0].evidence == (Evidence("its words", "train.log:3"),)
    assert after.findings[0].fix == Fix("mend it")


def test_what_is_not_so_here_is_no_finding() -> None:
    after = read(report(status="ok"), said("driver.not_loaded", False))
    assert (after.status, after.cause, after.findings) == ("ok", None, ())
    assert after.log is not None
    assert after.log.said[0].holds_here is False


def test_what_is_not_wanted_is_no_finding() -> None:
    after = with_log(report(status="ok"), said("code.illegal_access", None), "x", lambda _name: False)
    assert after.findings == ()
