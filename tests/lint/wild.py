"""`make lint-wild FOLDER=...`: lint over checkouts that a person has, against what was judged by reading."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cudafit.sources import lint_paths

JUDGED = Path(__file__).with_name("repositories.md")
_ROW = re.compile(r"^\| ([\w.-]+/[\w.-]+) \| (.+) \| ((?:\d+:)?\d+) \| ([a-z]+\.\w+) \| (true|false|arguable) \|$")


class Judged(NamedTuple):
    """A finding in a repository, and what a reader says of it."""

    repository: str
    file: str
    place: str
    finding: str
    judged: str


def judgements(text: str) -> list[Judged]:
    return [Judged(*row.groups()) for line in text.splitlines() if (row := _ROW.match(line))]


def found_in(folder: Path, repository: str) -> Iterator[Judged]:
    """What lint finds in one checkout, as the command reads it, not judged yet."""
    for one in lint_paths([str(folder)]).findings:
        place = f"{one.cell}:{one.line}" if one.cell else str(one.line)
        yield Judged(repository, Path(one.path).relative_to(folder).as_posix(), place, one.id, "")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main(folder: Path) -> int:
    known = {one[:4]: one.judged for one in judgements(JUDGED.read_text(encoding="utf-8"))}
    counts = {"true": 0, "false": 0, "arguable": 0, "not judged": 0}
    seen: set[tuple[str, ...]] = set()
    here = {path.name.replace("__", "/", 1): path for path in sorted(folder.iterdir()) if "__" in path.name}
    for repository, path in here.items():
        for one in found_in(path, repository):
            seen.add(one[:4])
            judged = known.get(one[:4], "not judged")
            counts[judged] += not one.finding.startswith("info.")
            if judged != "true":
                say(f"{judged}: {one.repository} {one.file}:{one.place} {one.finding}")
    lost = [key for key, judged in known.items() if judged == "true" and key[0] in here and key not in seen]
    for key in lost:
        say(f"true, and not found any more: {' '.join(key)}")
    say(", ".join(f"{number} {name}" for name, number in counts.items()))
    return 1 if lost or counts["false"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
