"""What error texts mean."""

import json
from functools import cache

from cudafit import shipped
from cudafit.matrix.messages import read_rules
from cudafit.messages.scanning import Scanner
from cudafit.model.messages import Explanation, Rule, rules_from


@cache
def rules() -> tuple[Rule, ...]:
    return rules_from(json.loads(json.dumps(read_rules(shipped.folder("matrices")).compiled())))


def meant(text: str | bytes, step: int = 1 << 20) -> Explanation:
    scanner = Scanner(rules())
    data = text.encode() if isinstance(text, str) else text
    for at in range(0, len(data), step):
        scanner.feed(data[at : at + step])
    return scanner.explanation()
