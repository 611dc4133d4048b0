"""Texts of public threads, with the cause that each thread had."""

from pathlib import Path
from typing import Any

import pytest

from tests.messages import meant
from tests.own_yaml import quick_yaml

KNOWN = quick_yaml((Path(__file__).parent / "known.yaml").read_text(encoding="utf-8"))["messages"]


def said(text: str) -> str:
    explanation = meant(text)
    if explanation.root:
        return explanation.root
    harmless = any(one.harmless for one in explanation.matches) and not explanation.ordinary
    return "harmless" if harmless else "none"


def is_right(entry: dict[str, Any]) -> bool:
    wanted = {entry["cause"], *entry.get("also_possible", ())}
    return said(entry["text"]) in {one.removeprefix("NEW:") for one in wanted}


def test_the_roots_of_known_texts_are_found() -> None:
    wrong = [entry["id"] for entry in KNOWN if not is_right(entry)]
    assert len(KNOWN) > 200
    assert len(wrong) <= len(KNOWN) * 0.03, wrong


@pytest.mark.parametrize("cause", ["none", "harmless"])
def test_what_is_no_cause_is_not_taken_for_one(cause: str) -> None:
    entries = [entry for entry in KNOWN if entry["cause"] == cause and not entry.get("also_possible")]
    assert entries
    assert [(entry["id"], said(entry["text"])) for entry in entries if meant(entry["text"]).root] == []


@pytest.mark.slow
@pytest.mark.parametrize("entry", KNOWN[::8], ids=lambda entry: entry["id"])
def test_it_is_the_same_however_the_text_comes(entry: dict[str, Any]) -> None:
    text = entry["text"]
    before = said(text)
    assert said("\n".join(f"Jun 10 16:45:05 host bash[107468]: {line}" for line in text.split("\n"))) == before
    assert said("\n".join(f"[rank3]: {line}" for line in text.split("\n"))) == before
    assert said("\n".join(f"web-1  | {line}" for line in text.split("\n"))) == before
    assert said("".join(f"\x1b[31m{line}\x1b[0m\r\n" for line in text.split("\n"))) == before
    assert said(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")) == before
    filler = "epoch 3 step 100 loss 0.25 lr 0.001 eta 00:12:04\n" * 60_000
    assert said(filler + text + "\n" + filler) == before
