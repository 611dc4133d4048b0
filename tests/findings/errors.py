"""docs/errors.md, as it follows from the rules of messages."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cudafit import shipped
from cudafit.matrix.messages import read_rules
from cudafit.model.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
_HEAD = """# Error texts

What `cudafit explain` knows by its words, made from [the rules](../matrices/messages). A text that has several causes
stands with the first of them; `cudafit explain 'the message'` asks the machine which one it is. Each has its source.
"""


def errors_page() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    texts: dict[str, list[str]] = {}
    others: list[str] = []
    for written in read_rules(shipped.folder("matrices")).written:
        rule = written.plain
        if rule.get("role") == "sign":
            continue
        shown = [f"- `{_one_line(text)}` ([source]({rule['source']}))" for text in rule["match"]]
        for name in _findings(rule):
            texts.setdefault(name, []).extend(shown)
        if rule.get("role") in ("harmless", "ordinary"):
            others += [f"- {rule['says']}: {one.removeprefix('- ')}" for one in shown]
    for name in sorted(texts):
        yield f"## {KINDS[name].title}\n"
        yield f"[{name}](findings/{name}.md)\n"
        yield from dict.fromkeys(texts[name])
        yield ""
    yield "## Harmless, or no matter of a GPU\n"
    yield from others


def _findings(rule: Mapping[str, Any]) -> list[str]:
    if rule.get("role", "cause") not in ("cause", "weak"):
        return []
    cases = [case["finding"] for case in rule.get("cases", ()) if "finding" in case]
    return list(dict.fromkeys([name for name in (rule.get("finding"), *cases) if name]))


def _one_line(text: str) -> str:
    return " ".join(text.replace("`", "'").split())[:160]
