"""The words of a command line: commands, options and findings, from a table that `make completion` writes.

The table saves the loading of click and of every command's module. Packages and GPUs come from the facts themselves.
"""

import os
from collections.abc import Iterator

from cudafit.system.reading import read_text

_TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "words.tsv")
_LIMIT = 1 << 20
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SHELLS = ("bash", "zsh", "fish", "powershell")

Word = tuple[str, str]  # a word, and what it is


class Option:
    """`kind` is that of its value, empty where it takes none."""

    __slots__ = ("help", "kind", "names", "repeated")

    def __init__(self, names: str, kind: str, help: str) -> None:  # noqa: A002 - as click calls it
        self.names = names.split(",")
        self.repeated = kind.endswith("*")
        self.kind = kind.removesuffix("*")
        self.help = help


class Table:
    """Commands are named by their path, as `matrix update`; the path of `cudafit` itself is empty."""

    def __init__(self, text: str) -> None:
        self.commands: dict[str, list[Word]] = {}
        self.options: dict[str, list[Option]] = {}
        self.places: dict[str, list[str]] = {}
        self.findings: list[Word] = []
        self.locks: list[str] = []
        for line in text.splitlines():
            what, *rest = line.split("\t")
            if what == "command":
                self.commands.setdefault(rest[0], []).append((rest[1], rest[2]))
            elif what == "option":
                self.options.setdefault(rest[0], []).append(Option(*rest[1:]))
            elif what == "argument":
                self.places.setdefault(rest[0], []).append(rest[1])
            elif what == "finding":
                self.findings.append((rest[0], rest[1]))
            elif what == "lock":
                self.locks.append(rest[0])


def script(shell: str) -> str:
    """What a shell reads when it starts."""
    return read_text(os.path.join(os.path.dirname(_TABLE), "scripts", shell), _LIMIT)


def table() -> Table:
    return Table(read_text(_TABLE, _LIMIT))


def packages() -> Iterator[Word]:
    """Those that the packaged facts cover."""
    index = os.path.join(_PACKAGE, "_shipped", "compiled", "index.json")
    if os.path.isfile(index):
        import json  # noqa: PLC0415 - not for every question

        for name, builds in json.loads(read_text(index, _LIMIT))["packages"].items():
            yield name, f"{builds} builds"
        return
    folder = os.path.join(os.path.dirname(os.path.dirname(_PACKAGE)), "matrices", "frameworks")
    yield from sorted((name.removesuffix(".yaml"), "") for name in os.listdir(folder))


def gpus() -> Iterator[Word]:
    """By their names, with `-` for blanks, so that no shell needs quotes."""
    seen = set()
    for name, capability in _gpus():
        word = _spelt(name)
        if word is not None and word not in seen:
            seen.add(word)
            yield word, f"compute capability {capability}"


def _gpus() -> Iterator[Word]:
    compiled = os.path.join(_PACKAGE, "_shipped", "compiled", "facts-gpus.json")
    if os.path.isfile(compiled):
        import json  # noqa: PLC0415

        table = json.loads(read_text(compiled, 16 << 20))
        name, capability = (table["fields"].index(one) for one in ("name", "compute_capability"))
        for row in table["rows"]:
            yield row[name], row[capability]
        return
    from cudafit.matrix.load import open_matrix  # noqa: PLC0415 - a checkout's facts are YAML, compiled on first use

    for gpu in open_matrix().facts("gpus").gpus:
        yield gpu.name, gpu.compute_capability


def _spelt(name: str) -> str | None:
    """Without what goes without saying; None for a revision or a laptop's `GTX 960A`, which need all of their name."""
    if "Rev." in name or (name.startswith("GeForce") and name[-1:] == "A" and name[-2:-1].isdigit()):
        return None
    return "-".join(name.removeprefix("NVIDIA ").removeprefix("GeForce ").split())
