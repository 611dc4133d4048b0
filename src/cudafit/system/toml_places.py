"""On which line of a TOML file something stands: what the parser does not tell, found by the texts and keys."""

import re

from cudafit.system.python310 import possessive

_HEADING = re.compile(possessive(r"[ \t]*+\[\[?+([^\[\]#\n]*+)\]\]?+[ \t]*+(?:#.*+)?"))
_KEY = re.compile(possessive(r"""[ \t]*+((?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')(?:[ \t]*+\.[ \t]*+[\w"'-]++)*+)[ \t]*+="""))
# One without an end goes to the end of its line, so that it is looked through once.
_TEXT = re.compile(possessive(r"""\"((?:[^"\\\n]|\\.)*+)\"?|'([^'\n]*+)'?"""))
_MOST = 20_000  # lines


class TomlPlaces:
    """`at` gives `pyproject.toml:12`; the path alone for what is not found."""

    def __init__(self, path: str, text: str, heading: str = "") -> None:
        self._path = path
        self._texts: dict[str, list[int]] = {}
        self._keys: dict[tuple[str, str], int] = {}
        for number, line in enumerate(text.splitlines()[:_MOST], start=1):
            if match := _HEADING.fullmatch(line):
                heading = _plain(match[1])
                self._keys.setdefault((heading, ""), number)
                continue
            if match := _KEY.match(line):
                self._keys.setdefault((heading, _plain(match[1])), number)
            for double, single in _TEXT.findall(line):
                written = double.replace('\\"', '"') or single
                self._texts.setdefault(written, []).append(number)

    def at(self, text: str, *, after: int = 0) -> str:
        """Where a text stands, the first time after a line."""
        return self._told(next((one for one in self._texts.get(text, ()) if one > after), None))

    def of_key(self, table: str, key: str = "") -> str:
        """Where a key of a table stands, or its heading."""
        return self._told(self.line(table, key) or None)

    def line(self, table: str, key: str = "") -> int:
        if key and (table, key) in self._keys:
            return self._keys[table, key]
        upper, _, last = f"{table}.{key}".rstrip(".").rpartition(".")
        return self._keys.get((f"{table}.{key}", "")) or self._keys.get((upper, last)) or self._keys.get((table, ""), 0)

    def _told(self, number: int | None) -> str:
        return f"{self._path}:{number}" if number else self._path


def _plain(key: str) -> str:
    return re.sub(r"[\"'\s]", "", key)
