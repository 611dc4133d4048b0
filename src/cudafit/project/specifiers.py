"""Versions as the tools write them, as PEP 440 has them.

Sources: Poetry's documentation, "Dependency specification"; conda's, "Package match specifications".
"""

import re

from cudafit.model.requirement import is_specifier

_SIGN = re.compile(r"(?:===|==|~=|!=|<=|>=|<|>|\^|~|=)?")


def of_poetry(text: str) -> str | None:
    """`^2.1`, `~2.1`, `2.1.*`, `>=2,<3`; None for what PEP 440 cannot say (`^1 || ^2`)."""
    if "||" in text:
        return None
    apart = re.split(r",| (?=[<>=!~^])", " ".join(text.split()))
    return _joined([_poetry_part(part) for part in apart])


def of_conda(text: str) -> str | None:
    """`2.0.*`, `=2.0`, `>=3.9,<3.11`, `==1.2`; None for what PEP 440 cannot say (`1.8|1.9`)."""
    if "|" in text:
        return None
    return _joined([_conda_part(part) for part in text.replace(" ", "").split(",")])


def _joined(parts: list[str]) -> str | None:
    joined = ",".join(part for part in parts if part)
    return joined if is_specifier(joined) else None


def _signed(part: str) -> tuple[str, str]:
    """The sign, empty where there is none, and the version."""
    match = _SIGN.match(part)
    end = match.end() if match else 0
    return part[:end], part[end:].strip()


def _poetry_part(part: str) -> str:
    sign, version = _signed(part.strip())
    if version in ("", "*"):
        return ""
    least = version.partition("+")[0]  # a range knows no `+cu124`
    if sign == "^":
        return f">={least},<{_caret(version)}"
    if sign == "~":
        numbers = _release(version)
        return f">={least},<{_raised(numbers, min(1, len(numbers) - 1))}"
    return f"{'==' if sign in ('', '=') else sign}{version}"


def _conda_part(part: str) -> str:
    sign, version = _signed(part)
    if version in ("", "*"):
        return ""
    if sign == "=":
        return f"=={version.removesuffix('*').rstrip('.')}.*"
    if sign == "" and version.endswith("*") and not version.endswith(".*"):
        return f"=={version[:-1]}.*"
    if sign in ("<", "<=", ">", ">=") and version.endswith(".*"):
        version = version[:-2]
    return f"{sign or '=='}{version}"


def _release(version: str) -> list[int]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return [int(one) for one in found[0].split(".")] if found and len(found[0]) < 50 else [0]


def _caret(version: str) -> str:
    """The next version that may break: by the first number that is not zero."""
    numbers = _release(version)
    place = next((place for place, one in enumerate(numbers) if one), len(numbers) - 1)
    return _raised(numbers, place)


def _raised(numbers: list[int], place: int) -> str:
    return ".".join(map(str, [*numbers[:place], numbers[place] + 1]))
