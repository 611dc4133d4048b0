"""A diagnosis as one page: the stack from the hardware to the notebook, the broken layer marked, and each finding.

Nothing is loaded and nothing runs: the page says so itself to the browser, and every foreign text is escaped.
"""

from collections.abc import Iterator

from cudafit.model.finding import ERROR, INFO, LAYERS, OK, UNKNOWN, WARNING, Finding, Layer, Report
from cudafit.render.counts import counted
from cudafit.render.owner_rows import owner_row
from cudafit.render.page import TAIL, head
from cudafit.render.svg import safe
from cudafit.system.commands import joined

_MARKS = {ERROR: "✕", WARNING: "!", INFO: "i"}
_SAID = {OK: "no problem found", WARNING: "works, with warnings", ERROR: "a problem was found", UNKNOWN: "not known"}
_ABOUT: dict[Layer, str] = {
    "hardware": "the card, its memory, its link",
    "driver": "kernel module and libcuda",
    "devices": "/dev/nvidia*, who may open them",
    "container": "what a container gets",
    "toolkit": "CUDA and cuDNN of the system",
    "variables": "CUDA_VISIBLE_DEVICES and its like",
    "libraries": "CUDA's libraries in the environment",
    "framework": "torch, TensorFlow, JAX: kernels",
    "notebook": "the kernel of Jupyter",
    "project": "requirement files and code",
}
_STYLE = """.two{display:grid;grid-template-columns:minmax(0,22rem) minmax(0,1fr);gap:1.5rem}
@media (max-width:50rem){.two{grid-template-columns:minmax(0,1fr)}}
svg{width:100%;max-width:22rem;height:auto;display:block}
.box{fill:var(--card);stroke:var(--line)}.word{fill:var(--ink);font:600 14px system-ui,sans-serif}
.small{fill:var(--quiet);font:12px system-ui,sans-serif}.link{stroke:var(--line);stroke-width:3}
.at-error{stroke:var(--error);stroke-width:2.5}.at-warning{stroke:var(--warning);stroke-width:2}
.mark-error{fill:var(--error)}.mark-warning{fill:var(--warning)}.mark-info{fill:var(--info)}
.mark{font:700 16px system-ui,sans-serif}.broken{stroke:var(--error);stroke-width:3;stroke-dasharray:3 5}
"""


def page(report: Report, version: str) -> str:
    return "".join(_page(report, version))


def _page(report: Report, version: str) -> Iterator[str]:
    unseen = report.status == OK and report.gpus == 0 and not report.files
    said, look = ("no GPU was seen", UNKNOWN) if unseen else (_SAID[report.status], report.status)
    yield head(f"cudafit doctor: {said}", _STYLE)
    yield f'<h1>cudafit doctor: <span class="{look}">{said}</span></h1>\n'
    cause = next((one for one in report.findings if one.id == report.cause), None)
    if cause:
        yield f'<p><span class="state error">The cause:</span> {safe(cause.title)} '
        yield f"(<code>{safe(cause.id)}</code>)</p>\n"
    yield '<div class="two"><section><h2>The stack</h2>\n'
    yield _stack(report, cause)
    yield "</section><section>\n"
    yield from _about(report)
    yield from _findings(report, cause)
    yield from _rest(report)
    yield "</section></div>\n"
    yield f'<p class="quiet">cudafit {safe(version)}, {counted(report.checked, "check")}. '
    yield "This page loads nothing and runs no script.</p>\n" + TAIL


_STEP, _HEIGHT, _WIDTH = 62, 44, 330


def _stack(report: Report, cause: Finding | None) -> str:
    """Bottom up as things are built, drawn from the top: what is above needs what is below."""
    shown = [layer for layer in reversed(LAYERS) if layer not in ("project", "notebook") or _worst(report, layer)]
    height = len(shown) * _STEP
    broken = f"; the broken layer is {cause.layer}" if cause else ""
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="The stack from the hardware up{broken}">\n',
    ]
    for number, layer in enumerate(shown):
        parts += _layer(report, layer, number * _STEP, cause, last=number == len(shown) - 1)
    return "".join((*parts, "</svg>\n"))


def _layer(report: Report, layer: Layer, top: int, cause: Finding | None, *, last: bool) -> Iterator[str]:
    worst = _worst(report, layer)
    look = f"box at-{worst}" if worst in (ERROR, WARNING) else "box"
    yield f'<rect class="{look}" x="2" y="{top + 2}" width="{_WIDTH - 4}" height="{_HEIGHT}" rx="7"/>\n'
    yield f'<text class="word" x="14" y="{top + 20}">{layer}</text>\n'
    yield f'<text class="small" x="14" y="{top + 37}">{safe(_ABOUT[layer])}</text>\n'
    if worst:
        mark = f'<text class="mark mark-{worst}" x="{_WIDTH - 24}" y="{top + 29}">{_MARKS[worst]}</text>\n'
        yield mark
    if not last:
        at = cause is not None and cause.layer == layer
        line = "broken" if at else "link"
        yield f'<line class="{line}" x1="40" x2="40" y1="{top + _HEIGHT + 3}" y2="{top + _STEP + 1}"/>\n'
        if at:
            yield f'<text class="small mark-error" x="52" y="{top + _HEIGHT + 15}">broken here</text>\n'


def _worst(report: Report, layer: Layer) -> str | None:
    there = {one.severity for one in report.findings if one.layer == layer}
    return next((one for one in (ERROR, WARNING, INFO) if one in there), None)


def _about(report: Report) -> Iterator[str]:
    yield "<h2>Machine and environment</h2>\n<dl>\n"
    for line in report.machine:
        yield f"<dt>machine</dt><dd>{safe(line)}</dd>\n"
    if report.files:
        yield f"<dt>files</dt><dd>{safe(', '.join(report.files))}</dd>\n"
    else:
        yield f"<dt>environment</dt><dd>{safe(report.environment or 'none is active or in this folder')}</dd>\n"
    for row in owner_row(report.owner) if report.owner else ():
        yield f"<dt>{safe(row.label.strip())}</dt><dd>{safe(row.value)}</dd>\n"
    yield "</dl>\n"


def _findings(report: Report, cause: Finding | None) -> Iterator[str]:
    if report.findings:
        yield "<h2>Findings</h2>\n"
    first = [cause] if cause else []
    for one in (*first, *(other for other in report.findings if other is not cause)):
        yield from _finding(one, opened=one is cause or (cause is None and one.severity == WARNING))
    if report.repair:
        yield f"<p>All changes of packages at once, or none:</p>\n<pre>{safe(joined(report.repair))}</pre>\n"


def _finding(one: Finding, *, opened: bool) -> Iterator[str]:
    yield f'<details{" open" if opened else ""}><summary><span class="state {one.severity}">{one.severity}</span> '
    yield f"{safe(one.title)} <code>{safe(one.id)}</code></summary>\n"
    if one.explained_by:
        yield f'<p class="quiet">follows from <code>{safe(one.explained_by)}</code></p>\n'
    yield "<ul>\n"
    for fact in one.evidence:
        yield f'<li>{safe(fact.fact)} <span class="quiet">({safe(fact.via)})</span></li>\n'
    yield "</ul>\n"
    if one.fix:
        marks = [word for word, told in (("as root", one.fix.root), ("needs a reboot", one.fix.reboot)) if told]
        how = f" ({', '.join(marks)})" if marks else ""
        yield f"<p><strong>Fix:</strong> {safe(one.fix.text)}{how}</p>\n"
        for edit in one.fix.edits:
            lines = "\n".join(safe(line) for line in edit.lines)
            yield f"<p>{safe(edit.path)}: {safe(edit.what)}</p>\n<pre>{lines}</pre>\n"
        for command in one.fix.commands:
            yield f"<pre>{safe(joined(command))}</pre>\n"
    yield "</details>\n"


def _rest(report: Report) -> Iterator[str]:
    if report.skipped:
        yield f"<details><summary>{counted(len(report.skipped), 'thing')} could not be looked at</summary>\n<ul>\n"
        for one in report.skipped:
            yield f"<li>{safe(one.check)}: {safe(one.reason)}</li>\n"
        yield "</ul></details>\n"
