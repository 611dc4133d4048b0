"""A diagnosis for programs that watch machines: a line for Nagios and its kin, and a text file for Prometheus.

Sources: Nagios Plugins, "Development Guidelines" (one line, exit codes 0 to 3); Prometheus, "Exposition formats" (text
format 0.0.4), and node_exporter's README, "Textfile Collector" (no timestamps).
"""

from collections.abc import Iterator

from cudafit.model.finding import ERROR, OK, SEVERITIES, UNKNOWN, WARNING, Finding, Report, Status
from cudafit.system.text import harmless

NAGIOS_CODES: dict[Status, int] = {OK: 0, WARNING: 1, ERROR: 2, UNKNOWN: 3}
_WORDS: dict[Status, str] = {OK: "OK", WARNING: "WARNING", ERROR: "CRITICAL", UNKNOWN: "UNKNOWN"}
_STATES: tuple[Status, ...] = (OK, WARNING, ERROR, UNKNOWN)


def nagios(report: Report) -> str:
    """The state, what is the matter, and the numbers behind `|`."""
    status = nagios_status(report)
    numbers = " ".join(f"{one}s={_count(report, one)};;;0" for one in (ERROR, WARNING))
    return f"CUDAFIT {_WORDS[status]} - {_plain(_said(report, status))} | {numbers} checks={report.checked};;;0\n"


def nagios_status(report: Report) -> Status:
    """Whoever watches a GPU is not told that all is well where there is none to be seen."""
    unseen = report.status == OK and not report.files and not report.gpus
    return UNKNOWN if unseen else report.status


def nagios_unknown(why: str) -> str:
    """Where there is no diagnosis."""
    return f"CUDAFIT UNKNOWN - {_plain(why)}\n"


def _said(report: Report, status: Status) -> str:
    told = [one for one in report.findings if one.severity in (ERROR, WARNING) and one.explained_by is None]
    told.sort(key=lambda one: one.id != report.cause)  # the cause first
    if told:
        more = f", and {len(told) - 1} more" if len(told) > 1 else ""
        return f"{told[0].title} ({told[0].id}){more}"
    if status == OK:
        return f"no problem found by {report.checked} checks"
    if report.status == OK:
        return "could not be determined: no GPU is to be seen"
    reasons = [one.reason for one in report.skipped]
    return f"could not be determined: {reasons[0]}" if reasons else "could not be determined"


def _plain(text: str) -> str:
    """In one line, without the sign that divides it."""
    return harmless(" ".join(text.split())).replace("|", "/")


def _count(report: Report, severity: str) -> int:
    return sum(one.severity == severity for one in report.findings)


def prometheus(report: Report, version: str) -> str:
    return "".join(_lines(report, version))


def _lines(report: Report, version: str) -> Iterator[str]:
    yield from _head("cudafit_info", "The cudafit that looked, and what it looked at.")
    yield _line("cudafit_info", 1, version=version, environment=report.environment or "")
    yield from _head("cudafit_doctor_status", "1 for the state of the diagnosis, 0 for the others.")
    for state in _STATES:
        yield _line("cudafit_doctor_status", int(report.status == state), status=state)
    yield from _head("cudafit_doctor_findings", "How many findings there are of each severity.")
    for severity in SEVERITIES:
        yield _line("cudafit_doctor_findings", _count(report, severity), severity=severity)
    yield from _head("cudafit_doctor_finding", "How often a finding was found; cause is true for the root cause.")
    for one, times in _each(report).items():
        cause = "true" if one[0] == report.cause else "false"
        yield _line("cudafit_doctor_finding", times, id=one[0], severity=one[1], layer=one[2], cause=cause)
    if report.gpus is not None:
        yield from _head("cudafit_doctor_gpus", "How many GPUs a program may use; missing where that is not known.")
        yield _line("cudafit_doctor_gpus", report.gpus)
    yield from _head("cudafit_doctor_checks", "How many checks ran.")
    yield _line("cudafit_doctor_checks", report.checked)
    yield from _head("cudafit_doctor_not_checked", "How many things could not be looked at.")
    yield _line("cudafit_doctor_not_checked", len(report.skipped))


def _each(report: Report) -> dict[tuple[str, str, str], int]:
    """A series stands once in a file."""
    found: dict[tuple[str, str, str], int] = {}
    for one in report.findings:
        found[_series(one)] = found.get(_series(one), 0) + 1
    return found


def _series(one: Finding) -> tuple[str, str, str]:
    return one.id, one.severity, one.layer


def _head(name: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"


def _line(name: str, value: int, /, **labels: str) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value}\n" if told else f"{name} {value}\n"


def _escaped(text: str) -> str:
    return harmless(" ".join(text.split())).replace("\\", r"\\").replace('"', r"\"")
