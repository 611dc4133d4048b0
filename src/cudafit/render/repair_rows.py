"""A repair as rows for people: what changes, why, and what is left to do by hand."""

import os
from collections.abc import Iterator, Sequence

from cudafit.model.bench import Bench
from cudafit.model.finding import Finding, Report
from cudafit.model.plan import REINSTALL, REMOVE, FileChange, Plan, Step
from cudafit.render.bench_rows import verdict_row
from cudafit.render.counts import counted
from cudafit.render.owner_rows import edit_rows
from cudafit.render.row import Row
from cudafit.render.sizes import size_text
from cudafit.system.commands import command_text, joined, path_word

_WHOLE = 200  # lines of a diff that are shown


def plan_rows(plan: Plan) -> list[Row]:
    rows = [Row("environment", plan.environment, "")]
    rows += [Row(step.package, _change(step), step.why, _TONES.get(step.action, "plain")) for step in plan.steps]
    if plan.untouched:
        rows.append(Row("untouched", ", ".join(plan.untouched), "from a folder, a repository, or not known", "quiet"))
    rows += [row for one in plan.files for row in _file_rows(one)]
    rows += [Row("warning", text, "", "warn") for text in plan.warnings]
    rows.append(Row("download", _download(plan), ""))
    rows += by_hand_rows(plan.by_hand)
    return rows


def _file_rows(change: FileChange) -> Iterator[Row]:
    """What people write as a diff; of a lock how much changes: what it installs is in the steps."""
    lines = change.diff.splitlines()
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    yield Row(os.path.basename(change.path), f"+{added} -{removed} lines", change.path)
    if len(lines) <= _WHOLE and not change.path.endswith(".lock"):
        tones = {"+": "good", "-": "warn"}
        yield from (Row("", line, "", tones.get(line[:1], "plain")) for line in lines[2:])


def nothing_rows(plan: Plan) -> list[Row]:
    needed = "nothing is changed: no change of packages here answers what was found"
    none = "nothing to change: no fix of a package is needed"
    return [
        Row("environment", plan.environment),
        Row("repair", needed, "", "warn") if plan.by_hand else Row("repair", none, "", "good"),
        *by_hand_rows(plan.by_hand),
    ]


def done_rows(plan: Plan, report: Report, bench: Bench, kept: int, word: str) -> list[Row]:
    """`kept` are the bytes of the disk that the way back takes; `word` names what was changed."""
    return [
        Row("done", f"{counted(len(plan.steps), 'package')} changed", "", "good"),
        Row("now", _status(report)),
        verdict_row(bench),
        Row(
            "undo",
            command_text("cudafit", "rollback", path_word(word)),
            f"the former state takes {size_text(kept)} of the disk; `--clear` frees it" if kept else "",
        ),
        *by_hand_rows(plan.by_hand),
    ]


def _status(report: Report) -> str:
    if report.status in ("ok", "warning"):
        return f"doctor ran {report.checked} checks and found no error"
    return f"doctor still finds {report.cause}" if report.cause else "the GPUs could not be determined"


_TONES = {REMOVE: "warn"}


def _change(step: Step) -> str:
    size = f"  {size_text(step.size)}" if step.size is not None else ""
    source = f" from {step.index}" if step.index else ""
    if step.action == REMOVE:
        return f"{step.before or 'unknown version'} -> removed"
    if step.action == REINSTALL:
        return f"{step.after} again{source}{size}"
    if step.before is None:
        return f"new: {step.after}{source}{size}"
    return f"{step.before} -> {step.after}{source}{size}"


def _download(plan: Plan) -> str:
    total = plan.download
    if total is None:
        known = sum(step.size or 0 for step in plan.steps)
        return f"at least {size_text(known)}; of some packages the size is not known" if known else "not known"
    return f"{size_text(total)}, less what is in the cache" if total else "nothing"


def by_hand_rows(findings: Sequence[Finding]) -> Iterator[Row]:
    """What a repair never does by itself."""
    for one in findings:
        yield Row("by hand", f"{one.title} ({one.id})", "", "warn")
        if one.fix:
            marks = [word for word, there in (("as root", one.fix.root), ("needs a reboot", one.fix.reboot)) if there]
            yield Row("", one.fix.text + (f" ({', '.join(marks)})" if marks else ""), "")
            yield from edit_rows(one.fix.edits)
            for command in one.fix.commands:
                yield Row("", joined(command), "")
