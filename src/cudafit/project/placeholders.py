"""`$NAME` and `${NAME:-default}`, as Dockerfiles and compose files write them.

Sources: Dockerfile reference, "Environment replacement"; Compose specification, "Interpolation".
"""

import re
from collections.abc import Mapping

_LONGEST = 8192
_PLACE = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+?])([^{}]*))?\})")


def filled(text: str, values: Mapping[str, str | None], *, dollars: bool = False) -> tuple[str, bool]:
    """The text with its variables put in, and whether all were known; the others stay as they are written.

    `dollars`: `$$` is a dollar sign, as compose has it. What grows without end is left as it is written.
    """
    known = True

    def value(match: re.Match[str]) -> str:
        nonlocal known
        if match[1]:
            return "$" if dollars else match[0]
        name, sign, word = match[2] or match[3], match[4] or "", match[5] or ""
        given = values.get(name)
        if sign in ("+", ":+"):
            return word if given else ""
        if given is not None and (given or not sign.startswith(":")):
            return given
        if sign.endswith("-"):
            return word
        known = known and name in values and given is not None
        return given if given is not None else match[0]

    parts, size, end = [], 0, 0
    for match in _PLACE.finditer(text) if "$" in text else ():
        parts += [text[end : match.start()], value(match)]
        size += len(parts[-2]) + len(parts[-1])
        end = match.end()
        if size > max(_LONGEST, len(text)):
            return text, False
    made = "".join([*parts, text[end:]])
    return (made, known) if len(made) <= max(_LONGEST, len(text)) else (text, False)
