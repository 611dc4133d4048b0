"""There is one way to write a file, so that a diff shows what changed and nothing else."""

import difflib
from collections.abc import Iterator

from cudafit.matrix.folder import Flaw, Folder, canonical_text

NAME = "canonical"


def check(folder: Folder) -> Iterator[Flaw]:
    broken = {flaw.file for flaw in folder.flaws}
    for file in folder.files.values():
        if file.name in broken:
            continue  # what could not be read whole cannot be written again
        expected = canonical_text(file)
        if expected != file.text:
            line, told = _first_difference(file.text, expected)
            yield Flaw(file.name, line, NAME, f"written differently; expected: {told[:160]}")


def _first_difference(text: str, expected: str) -> tuple[int, str]:
    old, new = text.splitlines(), expected.splitlines()
    for tag, start, _, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            return start + 1, new[new_start] if new_start < new_end else "no such line"
    return len(old), "a line end at the end of the file"
