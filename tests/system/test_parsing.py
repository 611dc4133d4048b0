"""Why a parser gave up, in words for people."""

import json

from cudafit.system.parsing import reason


def of(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return reason(error)
    return ""


def test_reasons() -> None:
    assert of("9" * 5000) == "it holds a number of thousands of digits"
    assert of("[" * 100_000) == "it is nested too deeply"
    assert of("{").startswith("Expecting property name")
    assert reason(KeyError()) == "KeyError"
    assert reason(ValueError("one\ntwo")) == "one"
