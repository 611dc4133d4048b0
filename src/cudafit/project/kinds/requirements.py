"""requirements.txt, requirements-gpu.in, and whatever file is named that is of no other kind."""

import os

from cudafit.model.declaration import Declaration
from cudafit.project.installer_lines import sorted_lines
from cudafit.project.requirement_files import parse_requirement_file


def read(path: str, text: str) -> Declaration:
    found = parse_requirement_file(text, path)
    other = sorted_lines(zip(found.other, found.places, strict=True), os.path.dirname(path))
    return Declaration(
        path,
        "requirements",
        wanted=(*found.wanted, *other.wanted),
        indexes=other.indexes,
        lines=other.lines,
        local=other.local,
        unread=found.unread,
        files=found.files,
    )
