"""Conditions on what a pattern captured: `arch < supported.first`, `total - free - own > own`, `soname ~ libcuda.so`.

A value that is not there makes a condition false. Versions are compared by their numbers, sizes by their bytes.
"""

import re
from collections.abc import Mapping

_NUMBERS = re.compile(r"\d{1,12}")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,4})?) ?([kmgt]?)i?b", re.IGNORECASE)
_OPERATORS = ("<=", ">=", "==", "!=", "<", ">", "~")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

Number = tuple[float, ...]


def holds(condition: str, values: Mapping[str, str]) -> bool:
    if not condition:
        return True
    left, operator, right = divided(condition)
    if operator == "~":
        return right.lower() in values.get(left, "").lower()
    if operator in ("==", "!=") and not _NUMBERS.search(right) and right not in values and "." not in right:
        return (values.get(left, "").lower() == right) is (operator == "==")
    first, second = _sum(left, values), _sum(right, values)
    if first is None or second is None:
        return False
    return {
        "<": first < second,
        ">": first > second,
        "<=": first <= second,
        ">=": first >= second,
        "==": first == second,
        "!=": first != second,
    }[operator]


def divided(condition: str) -> tuple[str, str, str]:
    """Left, operator and right; raises ValueError."""
    words = condition.split(" ")
    at = next((place for place, word in enumerate(words) if word in _OPERATORS), 0)
    if not at or at == len(words) - 1:
        raise ValueError(f"`{condition}` compares nothing")
    return " ".join(words[:at]), words[at], " ".join(words[at + 1 :])


def _sum(text: str, values: Mapping[str, str]) -> Number | None:
    words = text.split(" ")
    total = _value(words[0], values)
    for operator, word in zip(words[1::2], words[2::2], strict=True):
        other = _value(word, values)
        if total is None or other is None:
            return None
        total = (total[0] + other[0] if operator == "+" else total[0] - other[0],)
    return total


def _value(word: str, values: Mapping[str, str]) -> Number | None:
    name, _, part = word.partition(".")
    if name not in values:
        return None if name.isalpha() else numbers(word)
    found = values[name]
    if part in ("first", "last"):
        return numbers(found.replace(",", " ").split()[0 if part == "first" else -1])
    if part == "major":
        return numbers(found)[:1]
    sizes = _SIZE.findall(found)
    if sizes:
        return (sum(float(number) * 1024.0 ** _POWERS[unit.lower()] for number, unit in sizes),)
    return numbers(found)


def numbers(text: str) -> Number:
    """`12.1` is (12, 1), and so is `sm_121`: the last figure of a compute capability is its minor."""
    found = [float(one) for one in _NUMBERS.findall(text)]
    if text.lower().startswith("sm_") and found:
        return found[0] // 10, found[0] % 10
    return tuple(found)
