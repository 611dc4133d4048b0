"""What names an exact version of a framework must find that version in the matrix, on its own platform."""

import re
from collections.abc import Iterator

from cudafit.matrix.folder import BUILDS, Flaw, Folder
from cudafit.model.frameworks import LEADING

NAME = "pairing"
PAIRED = frozenset(name for one in LEADING for name in (one.build, *one.parts))
EXACT = re.compile(r"([A-Za-z0-9-]+)(?:\[[^\]]*\])?==([0-9][0-9A-Za-z.]*)")


def check(folder: Folder) -> Iterator[Flaw]:
    there: dict[tuple[str, str], set[str]] = {}
    for entry in folder.entries(BUILDS):
        there.setdefault((entry.record.name, entry.record.version), set()).add(entry.record.platform)
    packages = {name for name, _ in there}
    for entry in folder.entries(BUILDS):
        for requirement in entry.record.requires:
            match = EXACT.fullmatch(requirement)
            if match is None or match.group(1) not in PAIRED or match.group(1) not in packages:
                continue
            if entry.record.note and not entry.record.verified:
                continue  # the doubt is known and told
            name, version = match.groups()
            platforms = there.get((name, version), set())
            here = entry.record.platform
            if not platforms:
                yield entry.flaw(NAME, f"`{requirement}`: the matrix has no {name} {version}")
            elif here not in platforms and "any" not in (here, *platforms):
                yield entry.flaw(NAME, f"`{requirement}`: the matrix has no {name} {version} for {here}")
