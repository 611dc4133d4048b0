"""What an error text means, as rows for people."""

from collections.abc import Iterator, Sequence

from cudafit.model.messages import Explanation, Match
from cudafit.render.row import Row
from cudafit.system.commands import joined

_HOLDS = "it holds on this machine"
_DOES_NOT = "no sign of it on this machine and in this environment: is the text from another one? (--machine, --env)"
_MANY = 6


def explanation_rows(explanation: Explanation, where: str = "this text") -> list[Row]:
    """The root first, what follows from it below it, then what is harmless."""
    rows: list[Row] = []
    for one in explanation.matches:
        if one.id == explanation.root:
            rows += _root_rows(one)
    rows += [
        Row("  so", f"{one.title} ({one.id}), {_places(one.lines)}", "", "quiet")
        for one in explanation.matches
        if one.id != explanation.root and not one.harmless
    ]
    rows += [
        Row("harmless", f"{one.says or one.title}, {_places(one.lines)}: {one.text}", "", "quiet")
        for one in explanation.matches
        if one.harmless
    ]
    if explanation.ordinary:
        rows.append(Row("ordinary", f"{explanation.ordinary}: no sign of a GPU problem", ""))
    elif not explanation.matches:
        rows.append(Row("nothing", f"no error that concerns a GPU or its software is recognised in {where}", ""))
    elif explanation.root is None:
        rows.append(Row("cause", "none: what is said here does not matter", "", "good"))
    return rows


def _root_rows(root: Match) -> Iterator[Row]:
    yield Row("cause", f"{root.title} ({root.id})", "", "bad")
    yield Row("", root.text, _places(root.lines))
    if root.says and root.holds_here is not True:
        yield Row("  why", root.says, "")
    if root.holds_here is not None:
        yield Row("  here", _HOLDS if root.holds_here else _DOES_NOT, "")
    for evidence in root.evidence:
        yield Row("", evidence.fact, evidence.via)
    if root.also and root.holds_here is not True:
        yield Row("  or", f"the same words may mean {', '.join(root.also)}", "", "quiet")
    if root.fix:
        yield Row("  fix", root.fix.text, "", "good")
        # What nothing here is in need of is not offered to be typed.
        for command in root.fix.commands if root.holds_here is not False else ():
            yield Row("", joined(command), "")
    yield Row("  more", joined(("cudafit", "explain", root.id)), "", "quiet")


def _places(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:_MANY])) + (f" and {len(lines) - _MANY} more" if len(lines) > _MANY else "")
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}"
