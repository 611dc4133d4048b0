"""docs/errors.md, as it follows from the rules of messages."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cudafit import shipped
from cudafit.matrix.messages import read_rules
from cudafit.model.kinds import KINDS
from tests.messages import meant

FINDINGS = Path(__file__).parents[2] / "docs" / "findings"
PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
_SAYING = "## What programs say"
_SECTION = re.compile(rf"{_SAYING}\n.*?(?:(?=## )|\Z)", re.DOTALL)
_MEANT = "Texts that may mean this; where one has several causes, `cudafit explain 'the text'` asks the machine:"
_MOST = 12
_HEAD = """# Error texts

What `cudafit explain` knows by its words, made from [the rules](../matrices/messages). A text that has several causes
stands with the first of them; `cudafit explain 'the message'` asks the machine which one it is. Each has its source.
"""


def errors_page() -> str:
    return "\n".join(_lines()) + "\n"


def page_with_texts(name: str, text: str, texts: Mapping[str, list[str]]) -> str:
    """The page of a finding, with what programs say where it is so, before the sources."""
    without = _SECTION.sub("", text)
    if not texts.get(name):
        return without
    before, mark, sources = without.partition("## Sources\n")
    shown = "\n".join([*list(dict.fromkeys(texts[name]))[:_MOST], ""])
    section = f"{_SAYING}\n\n{_MEANT}\n\n{shown}"
    return f"{before}{section}\n{mark}{sources}" if mark else f"{before.rstrip()}\n\n{section}"


def texts_of_findings() -> dict[str, list[str]]:
    return _texts()[0]


def _lines() -> Iterator[str]:
    yield _HEAD
    texts, others = _texts()
    for name in sorted(texts):
        yield f"## {KINDS[name].title}\n"
        yield f"[{name}](findings/{name}.md)\n"
        yield from dict.fromkeys(texts[name])
        yield ""
    yield "## Harmless, or no matter of a GPU\n"
    yield from others


@cache
def _texts() -> tuple[dict[str, list[str]], list[str]]:
    """By finding; and what is harmless or an ordinary error."""
    texts: dict[str, list[str]] = {}
    others: list[str] = []
    for written in read_rules(shipped.folder("matrices")).written:
        rule = written.plain
        if rule.get("role") == "sign":
            continue
        for text in rule["match"]:
            shown = f"`{_one_line(text)}` ([source]({rule['source']}))"
            if name := _finding(rule, text):
                texts.setdefault(name, []).append(f"- {shown}")
            elif rule.get("role") in ("harmless", "ordinary"):
                others.append(f"- {rule['says']}: {shown}")
    return texts, others


def _finding(rule: Mapping[str, Any], text: str) -> str | None:
    """What this text means; of a rule for several, it is one of them."""
    if rule.get("role", "cause") not in ("cause", "weak"):
        return None
    return (meant(text).root if "cases" in rule else None) or rule.get("finding")


def _one_line(text: str) -> str:
    return " ".join(text.replace("`", "'").split())[:160]
