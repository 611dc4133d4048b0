"""A room of machines as one page: what is wrong first, every machine last.

Every foreign text is escaped. The one script filters and sorts the list of machines; without it all is there.
"""

from collections.abc import Iterable, Iterator, Sequence

from cudafit.model.room import (
    ERROR,
    NO_GPU,
    OK,
    READ,
    UNKNOWN,
    WARNING,
    Cell,
    Counted,
    Drift,
    Found,
    LockFit,
    Room,
    Seen,
    Speed,
    State,
    WhatIf,
)
from cudafit.render.bench_rows import number
from cudafit.render.counts import counted
from cudafit.render.page import TAIL, head
from cudafit.render.room_rows import SAID
from cudafit.render.svg import safe

SIGNS: dict[State, str] = {ERROR: "✕", WARNING: "!", UNKNOWN: "?", READ: "○", NO_GPU: "-", OK: "✓"}
_LOCKS = 6  # columns
_MAP = 200  # rows of the map
_DIFFERENCES = 12
_STYLE = """
main{max-width:90rem}
.scroll{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;color:var(--quiet);padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:9rem}
thead th{white-space:nowrap;border-bottom:2px solid var(--line)}
.read,.no-gpu{color:var(--quiet)}
.sum{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;list-style:none}
.sum li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.35rem .75rem}
.sum b{font-size:1.25rem}
button{font:inherit;color:inherit;background:none;border:0;padding:0;text-align:left;cursor:pointer}
button:focus-visible,input:focus-visible,select:focus-visible,.scroll:focus-visible{outline:3px solid var(--info)}
#map button{background:var(--card);border:1px solid var(--line);border-radius:.35rem;padding:.15rem .5rem;
white-space:nowrap}
#map button[aria-pressed=true]{border-color:var(--ink);box-shadow:0 0 0 1px var(--ink)}
th button::after{content:"";display:inline-block;width:1em;text-align:center}
th[aria-sort=ascending] button::after{content:"▲";content:"▲"/""}
th[aria-sort=descending] button::after{content:"▼";content:"▼"/""}
.controls{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin:.5rem 0}.controls[hidden]{display:none}
.controls label{display:grid;gap:.2rem;font-size:.875rem;color:var(--quiet)}
.controls input,.controls select,.controls button{font:inherit;color:var(--ink);background:var(--card);
border:1px solid var(--line);border-radius:.35rem;padding:.35rem .6rem;min-height:2.25rem;max-width:100%}
.bar{display:block;width:12rem;height:1.1rem}.back{fill:var(--line)}.value{fill:var(--info)}
.low{stroke:var(--ink);stroke-width:1.5}.enough{stroke:var(--warning);stroke-width:2;stroke-dasharray:2 2}
.names{overflow-wrap:anywhere}
td ul,td details{min-width:15rem;margin:0}td li{overflow-wrap:break-word}td .warning{list-style:none}
.sum li,h1{overflow-wrap:anywhere}
@media print{:root{--ground:#fff;--ink:#000;--quiet:#444;--line:#bbb;--card:#fff;--error:#b3261e;--warning:#8a5300;
--info:#3b5b85;--ok:#1f6f3a}.controls{display:none}main{max-width:none;padding:0}.scroll{overflow:visible}
tr,li,details{break-inside:avoid}body{font-size:11px}table,table code{font-size:10px}}
"""
_SCRIPT = """
const table=document.getElementById("all"),body=table.tBodies[0],rows=[...body.rows];
const word=document.getElementById("word"),state=document.getElementById("state"),told=document.getElementById("told");
const cells=[...document.querySelectorAll("#map button")],texts=new Map();
let cell=null;
const text=row=>{if(!texts.has(row))texts.set(row,row.textContent.toLowerCase());return texts.get(row)};
function show(){
  const words=word.value.toLowerCase().split(/\\s+/).filter(Boolean);let seen=0;
  for(const row of rows){
    const here=(!state.value||row.cells[1].className===state.value)&&(cell===null||row.dataset.c===cell)
      &&words.every(one=>text(row).includes(one));
    row.hidden=!here;seen+=here;
  }
  for(const one of cells)one.setAttribute("aria-pressed",one.value===cell);
  told.textContent=seen+" of "+rows.length+" shown";
}
word.addEventListener("input",show);state.addEventListener("change",show);
document.getElementById("clear").addEventListener("click",()=>{word.value=state.value="";cell=null;show()});
for(const one of cells)one.addEventListener("click",()=>{
  cell=cell===one.value?null:one.value;show();document.getElementById("machines").scrollIntoView()});
const order=new Intl.Collator(undefined,{numeric:true}).compare,heads=[...table.tHead.rows[0].cells];
heads.forEach((head,place)=>head.firstElementChild.addEventListener("click",()=>{
  const down=head.getAttribute("aria-sort")==="ascending";
  for(const one of heads)one.removeAttribute("aria-sort");
  head.setAttribute("aria-sort",down?"descending":"ascending");
  const keyed=rows.map(row=>[row.cells[place].textContent,row]).sort((a,b)=>order(a[0],b[0]));
  if(down)keyed.reverse();
  body.append(...keyed.map(one=>one[1]));
}));
addEventListener("beforeprint",()=>{for(const one of document.querySelectorAll("details"))one.open=true});
for(const one of document.querySelectorAll("[data-script]"))one.hidden=false;
show();
"""


# The columns of tables that are read row by row on a narrow screen, where each value has its column's name before it.
_HEADS = {
    "findings": ("How bad", "What", "Cause on", "Machines"),
    "drivers": ("Driver branch", "Would change", "Have it already", "GPU too old for it", "Unlocks"),
    "locks": ("Lock", "Fits", "CPU only", "Not known", "Fits not"),
    "speeds": ("Test", "Against the card's peak", "Median", "Range", "Stand out"),
    "environments": ("Machine", "Lock", "Differs"),
}


def _narrow() -> str:
    labels = "".join(
        f'.{name} td:nth-of-type({place})::before{{content:"{head}"}}\n'
        for name, heads in _HEADS.items()
        for place, head in enumerate(heads[1:], 1)
    )
    rows = ",".join(f".{name} {part}" for name in _HEADS for part in ("caption", "tbody", "tr", "th", "td"))
    tables = ",".join(f"table.{name}" for name in _HEADS)
    return (
        f"@media screen and (max-width:45rem){{{tables},{rows}{{display:block;border:0}}\n"
        f"{','.join(f'.{name} thead' for name in _HEADS)}{{position:absolute;clip-path:inset(50%)}}\n"
        f"{','.join(f'.{name} tr' for name in _HEADS)}{{border-bottom:1px solid var(--line);padding:.35rem 0}}\n"
        f"{','.join(f'.{name} td::before' for name in _HEADS)}{{display:block;color:var(--quiet);font-size:.8125rem}}\n"
        f"{','.join(f'.{name} td:empty' for name in _HEADS)}{{display:none}}\n{labels}}}\n"
    )


def page(room: Room) -> str:
    return "".join(_page(room))


def _page(room: Room) -> Iterator[str]:
    yield head(f"cudafit report: {room.name}", _STYLE + _narrow(), _SCRIPT)
    yield f'<h1>cudafit report: {safe(room.name)}</h1>\n<p class="quiet">{counted(len(room.machines), "machine")}, '
    yield f"as {'it was' if len(room.machines) == 1 else 'they were'} read. Written {safe(room.date)}.</p>\n"
    yield '<ul class="sum">\n'
    for one in room.states:
        yield f'<li class="{one.state}"><b>{_sign(one.state)} {one.machines}</b> {SAID[one.state]}</li>\n'
    yield "</ul>\n"
    yield from _findings(room.findings)
    yield from _map(room)
    yield from _drivers(room.drivers, len(room.machines))
    yield from _locks(room)
    yield from _speeds(room.speeds)
    yield from _environments(room.environments)
    yield from _machines(room)
    yield from _unread(room)
    yield f'<p class="quiet">cudafit {safe(room.cudafit)}, facts of {safe(room.matrix.version)}. '
    yield f"This page loads nothing; its one script filters and sorts the list.</p>\n<script>{_SCRIPT}</script>\n{TAIL}"


def _sign(state: State) -> str:
    return f'<span aria-hidden="true">{SIGNS[state]}</span>'


def _table(caption: str, heads: Sequence[str], body: Iterable[str], *, name: str = "", look: str = "") -> Iterator[str]:
    """In a frame that scrolls where the screen is narrow, by keyboard too."""
    words = (f' id="{name}"' if name else "") + (f' class="{look}"' if look else "")
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{safe(caption)}"><table{words}>\n'
    yield f"<caption>{safe(caption)}</caption>\n<thead><tr>"
    yield "".join(f'<th scope="col">{one}</th>' for one in heads)
    yield "</tr></thead>\n<tbody>\n"
    yield from body
    yield "</tbody></table></div>\n"


def _names(machines: Sequence[str]) -> str:
    """All of them, folded where they are many."""
    told = ", ".join(map(safe, machines))
    if len(machines) <= 5:
        return f'<span class="names">{told}</span>'
    return f'<details><summary>{counted(len(machines), "machine")}</summary><span class="names">{told}</span></details>'


def _findings(findings: Sequence[Found]) -> Iterator[str]:
    if not findings:
        return
    yield "<h2>What was found</h2>\n"
    rows = (
        f'<tr><th scope="row"><span class="{one.severity}">{one.severity}</span></th><td>{safe(one.title)} '
        f"<code>{safe(one.id)}</code></td><td>{one.causes or ''}</td><td>{_names(one.machines)}</td></tr>\n"
        for one in findings
    )
    yield from _table("Findings of doctor's, the root causes first", _HEADS["findings"], rows, look="findings")


def _map(room: Room) -> Iterator[str]:
    """GPUs down, branches of drivers across."""
    branches = sorted({one.branch for one in room.map}, key=lambda one: (len(one), one))
    lines: dict[str, dict[str, tuple[int, Cell]]] = {}
    for place, one in enumerate(room.map):
        lines.setdefault(one.gpus, {})[one.branch] = (place, one)
    yield "<h2>Machines by GPU and driver</h2>\n"
    rows = (_map_row(gpus, branches, line) for gpus, line in list(lines.items())[:_MAP])
    heads = ("GPUs", *(f"driver {safe(one)}" if one != "none" else "no driver" for one in branches))
    yield from _table("How many machines, by the state that they are in", heads, rows, name="map")
    if len(lines) > _MAP:
        yield f'<p class="quiet">{counted(len(lines) - _MAP, "more kind")} of GPUs: in the list of machines.</p>\n'


def _map_row(gpus: str, branches: Sequence[str], line: dict[str, tuple[int, Cell]]) -> str:
    told = [f'<tr><th scope="row">{safe(gpus)}</th>']
    for branch in branches:
        if branch not in line:
            told.append("<td></td>")
            continue
        place, cell = line[branch]
        told.append(f'<td><button type="button" value="{place}">{_states(cell.states)}</button></td>')
    return "".join((*told, "</tr>\n"))


def _states(states: Sequence[Counted]) -> str:
    return " ".join(f'<span class="{one.state}" title="{SAID[one.state]}">{_state(one)}</span>' for one in states)


def _state(one: Counted) -> str:
    return f"{SIGNS[one.state]}&nbsp;{one.machines}"


def _drivers(drivers: Sequence[WhatIf], machines: int) -> Iterator[str]:
    if not drivers:
        return
    yield "<h2>What a newer driver would bring</h2>\n"
    rows = (
        f'<tr><th scope="row">{safe(one.branch)} everywhere</th><td>{one.changed} of {machines}</td>'
        f"<td>{one.already}</td><td>{one.cannot}</td><td>{_gains(one)}</td></tr>\n"
        for one in drivers
    )
    told = "The newest driver of each maintained branch, on every machine that can have it"
    yield from _table(told, _HEADS["drivers"], rows, look="drivers")


def _gains(one: WhatIf) -> str:
    told = [
        f"<li>{safe(lock.path)} fits {counted(lock.after, 'machine')}, not {lock.before}</li>" for lock in one.locks
    ]
    told += [
        f"<li>{safe(gain.after)} on {counted(gain.machines, 'machine')}"
        f'<span class="quiet">, now {safe(gain.before or "nothing")}</span></li>'
        for gain in one.gains
    ]
    return f"<ul>{''.join(told)}</ul>" if told else "nothing newer"


def _locks(room: Room) -> Iterator[str]:
    if not room.locks:
        return
    yield "<h2>Locks</h2>\n"
    rows = (_lock(one) for one in room.locks)
    yield from _table("Which lock fits which machines", _HEADS["locks"], rows, look="locks")


def _lock(one: LockFit) -> str:
    whys = "".join(f"<li>{safe(why.why)}: {_names(why.machines)}</li>" for why in one.refused)
    return (
        f'<tr><th scope="row">{safe(one.path)} <span class="quiet">{counted(one.packages, "package")}</span></th>'
        f"<td>{one.fits}</td><td>{one.cpu}</td><td>{one.unknown}</td>"
        f"<td>{f'<ul>{whys}</ul>' if whys else 0}</td></tr>\n"
    )


def _speeds(speeds: Sequence[Speed]) -> Iterator[str]:
    if not speeds:
        return
    yield "<h2>Benchmarks</h2>\n"
    rows: list[str] = []
    for place, one in enumerate(speeds):
        rows.append(_speed(one))
        if place + 1 == len(speeds) or speeds[place + 1].device != one.device:
            yield from _table(one.device, _HEADS["speeds"], rows, look="speeds")
            rows = []


def _speed(one: Speed) -> str:
    told = f"{number(one.median)} {one.unit}"
    if one.expected:
        told += f", {one.median / one.expected:.0%} of {number(one.expected)}"
    outliers = "".join(
        f'<li class="warning">! {safe(out.machine)}: {number(out.value)}, {safe(out.why)}</li>' for out in one.outliers
    )
    span = "" if one.machines == 1 else f"{number(one.lowest)} to {number(one.highest)}"
    return (
        f'<tr><th scope="row">{safe(f"{one.framework} {one.test} {one.dtype}")}</th><td>{_bar(one, told)}</td>'
        f'<td>{safe(told)}</td><td>{span} <span class="quiet">({counted(one.machines, "machine")})</span></td>'
        f"<td>{f'<ul>{outliers}</ul>' if outliers else ''}</td></tr>\n"
    )


def _bar(one: Speed, told: str) -> str:
    """The median by the peak, or by the highest; a line from the lowest to the highest; dashed where slow begins."""
    scale = max(one.expected or 0.0, one.highest) or 1.0
    low, middle, high = (200 * value / scale for value in (one.lowest, one.median, one.highest))
    parts = [f'<svg class="bar" viewBox="0 0 200 18" role="img" aria-label="{safe(told)}" preserveAspectRatio="none">']
    if one.expected:
        parts.append(f'<rect class="back" width="{200 * one.expected / scale:.1f}" height="18"/>')
    parts.append(f'<rect class="value" y="3" width="{middle:.1f}" height="12"/>')
    if one.machines > 1:
        parts.append(f'<path class="low" d="M{low:.1f} 9H{high:.1f}M{low:.1f} 5v8M{high:.1f} 5v8" fill="none"/>')
    if one.expected and one.share:
        at = 200 * one.expected * one.share / scale
        parts.append(f'<path class="enough" d="M{at:.1f} 0V18"/>')
    return "".join((*parts, "</svg>"))


def _environments(drifts: Sequence[Drift]) -> Iterator[str]:
    if not drifts:
        return
    yield "<h2>Environments that are not as their lock</h2>\n"
    rows = (
        f'<tr><th scope="row">{safe(one.machine)}</th><td>{safe(one.lock or "near to no lock")}</td>'
        f"<td>{_differences(one)}</td></tr>\n"
        for one in drifts
    )
    told = "The lock is the one that the environment has most in common with"
    yield from _table(told, _HEADS["environments"], rows, look="environments")


def _differences(one: Drift) -> str:
    told = [
        f"<li>{safe(each.package)} {safe(each.here or 'is missing')}"
        f'<span class="quiet">, the lock has {safe(each.lock)}</span></li>'
        for each in one.differences[:_DIFFERENCES]
    ]
    more = len(one.differences) - _DIFFERENCES
    told += [f"<li>and {more} more differences</li>"] if more > 0 else []
    told += [f"<li>{counted(one.more, 'package')} that the lock does not have</li>"] if one.more else []
    return f"<ul>{''.join(told)}</ul>" if told else ""


def _machines(room: Room) -> Iterator[str]:
    yield '<h2 id="machines">Machines</h2>\n<div class="controls" data-script hidden>\n'
    yield '<label>Filter by words<input id="word" type="search" autocomplete="off"></label>\n'
    yield '<label>State<select id="state"><option value="">all</option>'
    yield "".join(f'<option value="{one.state}">{SIGNS[one.state]} {SAID[one.state]}</option>' for one in room.states)
    yield '</select></label>\n<button id="clear" type="button">Show all</button>\n'
    yield '<output id="told" aria-live="polite"></output>\n</div>\n'
    names = ("Machine", "State", "Driver", "GPUs", *(f"Newest {one}" for one in room.frameworks[:1]))
    names += tuple(safe(one.path) for one in room.locks[:_LOCKS])
    heads = [f'<button type="button">{one}</button>' for one in names]
    yield from _table("Every machine; a column's name sorts by it", heads, map(_machine, room.machines), name="all")


def _machine(one: Seen) -> str:
    """Without the tags that HTML lets one leave out: there may be ten thousand of them."""
    why = one.cause or one.why
    state = f"{SIGNS[one.state]} {SAID[one.state]}{f': {safe(why)}' if why else ''}"
    driver = safe(one.driver) if one.driver else "none"
    cuda = f" (CUDA {safe(one.cuda)})" if one.cuda else ""
    build = f"<td>{safe(one.builds[0] or 'none')}" if one.builds else ""
    locks = "".join(f"<td>{_FITS[fits]}" for fits in one.locks[:_LOCKS])
    gpus = safe(one.gpus or "none")
    name = safe(one.name)
    first = f"<tr data-c={one.cell}><th scope=row>{name}<td class={one.state}>{state}"
    return f"{first}<td>{driver}{cuda}<td>{gpus}{build}{locks}\n"


_FITS = {True: "✓ fits", False: "✕ does not", None: "? not known"}


def _unread(room: Room) -> Iterator[str]:
    if not room.unread:
        return
    yield "<h2>Files that were passed over</h2>\n<ul>\n"
    for one in room.unread:
        yield f"<li><code>{safe(one.path)}</code>: {safe(one.why)}</li>\n"
    yield "</ul>\n"
