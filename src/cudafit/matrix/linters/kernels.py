"""A build cannot hold kernels that its toolkit cannot compile."""

from collections.abc import Iterator

from cudafit.matrix.folder import BUILDS, Flaw, Folder
from cudafit.matrix.linters.references import KERNEL, capability
from cudafit.model.versions import major_minor, numbers

NAME = "kernels"


def check(folder: Folder) -> Iterator[Flaw]:
    ranges = {}
    for entry in folder.entries("toolkits"):
        row = entry.record
        if row.first_capability and row.last_capability:
            ranges[major_minor(row.cuda)] = (row.first_capability, row.last_capability)
    for entry in folder.entries(BUILDS):
        row = entry.record
        if not row.cuda or major_minor(row.cuda) not in ranges:
            continue
        first, last = ranges[major_minor(row.cuda)]
        for kernel in row.kernels or ():
            match = KERNEL.fullmatch(kernel)
            if match and not numbers(first) <= numbers(capability(match.group(2))) <= numbers(last):
                yield entry.flaw(NAME, f"CUDA {row.cuda} compiles {first} to {last}, not `{kernel}`")
