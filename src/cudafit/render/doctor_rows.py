"""A diagnosis as rows for people, as markdown for a bug report, and as lines for GitHub's log."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cudafit.model.finding import ERROR, INFO, OK, UNKNOWN, WARNING, Finding, LogRead, Report, Which
from cudafit.render.counts import counted
from cudafit.render.owner_rows import edit_rows, owner_row
from cudafit.render.row import Row
from cudafit.system.commands import joined
from cudafit.system.text import harmless

_PLACE = re.compile(r"(.+):(\d+)")
_TONES = {ERROR: "bad", WARNING: "warn", INFO: "quiet"}


def report_rows(report: Report) -> list[Row]:
    """The cause with its evidence and its fix; what it explains below it; then the rest, and what was not checked."""
    rows = [Row("machine", line, "") for line in report.machine]
    if report.files:
        rows.append(Row("files", ", ".join(report.files), ""))
    else:
        rows.append(Row("environment", report.environment or "none is active or in this folder", ""))
        rows += _which_rows(report.which) if report.which else ()
        rows += owner_row(report.owner) if report.owner else ()
    unseen = [Row("not checked", f"{one.check}: {one.reason}", "", "quiet") for one in report.skipped]
    if report.status in (OK, UNKNOWN):
        rows += unseen  # first what was not looked at: what follows says nothing of it
        unseen = []
    cause = next((one for one in report.findings if one.id == report.cause), None)
    if cause:
        rows += finding_rows("cause", cause)
        rows += [
            Row("  so", f"{one.title} ({one.id})", "", "quiet")
            for one in report.findings
            if one.explained_by == cause.id
        ]
    for one in report.findings:
        if one is not cause and not (cause and one.explained_by == cause.id):
            rows += finding_rows(one.severity, one)
    if report.log:
        rows += _log_rows(report.log)
    if report.repair:
        rows += repair_rows(report.repair)
    rows.append(_status_row(report))
    return rows + unseen


def _log_rows(log: LogRead) -> Iterator[Row]:
    """What of it is no finding here. A finding that it speaks for has its line among the evidence."""
    for one in log.said:
        place = f"{log.file}:{one.lines[0]}"
        if one.harmless:
            yield Row("log", f"harmless: {one.text}", place, "quiet")
        elif one.holds_here is False:
            yield Row("log", f"{one.title} ({one.id}): the log says so, and there is no sign of it here", place, "warn")
            yield Row("", one.text, place)
        elif one.holds_here is None and one.follows_from:
            yield Row("log", f"{one.title}, which follows", place, "quiet")
    if log.ordinary:
        yield Row("log", f"{log.ordinary}: no sign of a GPU problem", log.file)
    elif not log.said:
        yield Row("log", f"nothing in {counted(log.lines, 'line')} concerns a GPU or its software", log.file)


def _which_rows(which: Which) -> Iterator[Row]:
    """What was passed over, and what else could have been meant; where there is none, what was looked for."""
    for one in which.evidence if which.how == "none" else which.evidence[1:]:
        yield Row("", one.fact, one.via)
    for other in which.others:
        yield Row("  also there", f"{other.path}, {other.why}", "", "quiet")
    if which.how == "none":
        yield from (Row("", line, "", "quiet") for line in which.looked)
        yield Row("  fix", "name it: `cudafit doctor --env PATH`", "", "good")


def repair_rows(command: Sequence[str]) -> Iterator[Row]:
    yield Row("repair", "this shows all changes of packages, and makes all of them or none:", "")
    yield Row("", joined(command), "", "command")


def finding_rows(label: str, finding: Finding) -> Iterator[Row]:
    yield Row(label, f"{finding.title} ({finding.id})", "", _TONES[finding.severity])
    for evidence in finding.evidence:
        yield Row("", evidence.fact, evidence.via)
    if finding.fix is None:
        return
    marks = [word for word, there in (("as root", finding.fix.root), ("needs a reboot", finding.fix.reboot)) if there]
    text = finding.fix.text + (f" ({', '.join(marks)})" if marks else "")
    yield Row("  fix", text, "", "good")
    yield from edit_rows(finding.fix.edits)
    for command in finding.fix.commands:
        yield Row("", joined(command), "", "command")


def _status_row(report: Report) -> Row:
    if report.status == OK and report.gpus == 0 and not report.files:
        return Row("status", f"no GPU was seen; {report.checked} checks find nothing wrong with the rest", "")
    if report.status == OK and report.files:
        return Row("status", f"no problem found by {report.checked} checks; nothing was built or started", "", "good")
    if report.status == OK:
        return Row(
            "status",
            f"no problem found by {report.checked} checks; `cudafit bench` tries whether it computes",
            "",
            "good",
        )
    if report.status == UNKNOWN:
        if report.which and report.which.how == "none":
            return Row("status", "could not be determined: there is no Python environment to look at", "", "warn")
        why = next((one.reason for one in report.skipped if one.check in ("gpu", "environment")), None)
        return Row("status", "could not be determined" + (f": {why}" if why else ""), "", "warn")
    errors = sum(one.severity == ERROR for one in report.findings)
    warnings = sum(one.severity == WARNING for one in report.findings)
    return Row("status", f"{counted(errors, 'error')}, {counted(warnings, 'warning')} by {report.checked} checks", "")


def markdown(report: Report, private: Sequence[str] = ()) -> str:
    """For a bug report: names of the user and of the home folder are left out."""
    lines = [f"**status:** {report.status}" + (f", cause `{report.cause}`" if report.cause else ""), ""]
    lines += [harmless(f"- machine: {line}") for line in report.machine]
    about = f"files: {', '.join(report.files)}" if report.files else f"environment: {report.environment or 'none'}"
    lines.append(harmless(f"- {about}"))
    if report.which and not report.files:
        lines += [harmless(f"  - {' '.join(row.value.split())}") for row in _which_rows(report.which)]
    lines += [harmless(f"- owner: {row.value}") for row in (owner_row(report.owner) if report.owner else ())]
    lines.append("")
    for one in report.findings:
        lines += [harmless(f"### {one.severity}: {one.title} (`{one.id}`)"), ""]
        lines += [harmless(f"- {evidence.fact} ({evidence.via})") for evidence in one.evidence]
        if one.fix:
            lines.append(harmless(f"- fix: {one.fix.text}"))
        lines.append("")
    lines += [harmless(f"- not checked: {one.check}: {one.reason}") for one in report.skipped]
    text = "\n".join(lines).rstrip() + "\n"
    for word in sorted(filter(None, map(harmless, private)), key=len, reverse=True):
        text = text.replace(word, "~" if word.startswith("/") else "USER")
    return text


def github(report: Report) -> str:
    """Workflow commands: each finding as an annotation."""
    kinds = {ERROR: "error", WARNING: "warning", INFO: "notice"}
    return "".join(
        f"::{kinds[one.severity]} {_where(report, one)}title={escaped(one.id, property=True)}::"
        f"{escaped(one.title + '; ' + '; '.join(evidence.fact for evidence in one.evidence))}\n"
        for one in report.findings
    )


def _where(report: Report, finding: Finding) -> str:
    """The line that GitHub shows the annotation at."""
    place = _PLACE.fullmatch(finding.evidence[0].via) if report.files and finding.evidence else None
    return f"file={escaped(place[1], property=True)},line={place[2]}," if place else ""


def escaped(text: str, *, property: bool = False) -> str:  # noqa: A002 - GitHub's own word
    """A foreign text in a workflow command: GitHub shows it with the signs that are escaped here."""
    text = harmless(text)
    for sign, code in (("%", "%25"), *(((":", "%3A"), (",", "%2C")) if property else ())):
        text = text.replace(sign, code)
    return text


def sarif(report: Report, version: str) -> Mapping[str, object]:
    """SARIF 2.1.0."""
    from cudafit.model.kinds import KINDS  # noqa: PLC0415 - for SARIF alone

    levels = {ERROR: "error", WARNING: "warning", INFO: "note"}
    ids = sorted({one.id for one in report.findings})
    rules = [{"id": name, "shortDescription": {"text": KINDS[name].title}} for name in ids]
    results = [
        {
            "ruleId": one.id,
            "level": levels[one.severity],
            "message": {"text": f"{one.title}. " + "; ".join(evidence.fact for evidence in one.evidence)},
            "locations": [
                location for evidence in one.evidence if (location := _location(evidence.via, bool(report.files)))
            ],
        }
        for one in report.findings
    ]
    driver = {
        "name": "cudafit",
        "version": version,
        "rules": rules,
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _location(via: str, in_files: bool) -> Mapping[str, object] | None:
    """A file of the system by its whole path; a container file as it was named, with its line."""
    place = _PLACE.fullmatch(via) if in_files else None
    if place:
        uri = _uri(place[1]) if place[1].startswith("/") else _quoted(place[1])
        return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": int(place[2])}}}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(via)}}} if via.startswith("/") else None


def _uri(path: str) -> str:
    return "file://" + _quoted(path)


def _quoted(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - for SARIF alone

    return quote(path.encode("utf-8", "surrogateescape"), safe="/._~+-")
