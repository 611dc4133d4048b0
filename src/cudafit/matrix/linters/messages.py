"""The rules of messages do what their examples say, and each finding that a text tells of has a remedy."""

import json
from collections.abc import Iterator

from cudafit.matrix.folder import Flaw
from cudafit.matrix.messages import Rules
from cudafit.messages.lines import joined_where_wrapped
from cudafit.messages.matching import Matcher
from cudafit.model.messages import Rule, rules_from


def check_rules(rules: Rules) -> Iterator[Flaw]:
    seen: set[str] = set()
    compiled = rules_from(json.loads(json.dumps(rules.compiled())))
    signs = {rule.id for rule in compiled if rule.meanings[0].role == "sign"}
    for written, rule in zip(rules.written, compiled, strict=True):
        if rule.id in seen:
            yield written.flaw(f"`{rule.id}` stands twice")
        seen.add(rule.id)
        for text in written.plain["match"]:
            if not _speaks(rule, text):
                yield written.flaw(f"it does not speak of its own example `{text[:60]}`")
        for text in written.plain.get("unlike", ()):
            if _speaks(rule, text):
                yield written.flaw(f"it speaks of `{text[:60]}`, which it should not")
        for meaning in rule.meanings:
            for sign in (*meaning.when, *meaning.unless):
                if sign not in signs:
                    yield written.flaw(f"no sign is called `{sign}`")
            if meaning.finding and meaning.role in ("cause", "weak") and not meaning.fix:
                yield written.flaw(f"what to do about `{meaning.finding}` is not said")


def _speaks(rule: Rule, text: str) -> bool:
    matcher = Matcher((rule,))
    matcher.read(joined_where_wrapped(text.split("\n")))
    return bool(matcher.hits or matcher.signs)
