"""No build is newer than the newest toolkit: such a row is a slip, or the toolkits need an update first."""

from collections.abc import Iterator

from cudafit.matrix.folder import BUILDS, Flaw, Folder
from cudafit.model.versions import major_minor, numbers

NAME = "newest"


def check(folder: Folder) -> Iterator[Flaw]:
    toolkits = [major_minor(entry.record.cuda) for entry in folder.entries("toolkits")]
    if not toolkits:
        return
    newest = max(toolkits, key=numbers)
    for entry in folder.entries(BUILDS):
        cuda = entry.record.cuda
        if cuda and numbers(major_minor(cuda)) > numbers(newest):
            yield entry.flaw(NAME, f"CUDA {cuda} is newer than the newest known toolkit, {newest}")
