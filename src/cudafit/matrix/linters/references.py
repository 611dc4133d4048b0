"""What a row names must exist: index, toolkit, cuDNN, the architectures of kernels, the packages that a name means."""

import re
from collections.abc import Iterator

from cudafit.matrix.folder import BUILDS, Entry, Flaw, Folder
from cudafit.model.matrix import AGREEMENT_KINDS
from cudafit.model.versions import major_minor, numbers

NAME = "references"
KERNEL = re.compile(r"(sm|compute)_(\d{2,3})([af]?)")
NAME_KINDS = ("stand-in", "wrong", "cpu-of", "another", "elsewhere", "dead", "instead")
_BY_NOTE = ("wrong", "elsewhere", "dead")  # where the note may say it all
_ONE_BOUND = re.compile(r"[<>]=?[^,]+")
A_PAIR = 2
_OLDEST = (3, 0)  # old wheels hold kernels for GPUs of before, of which the tables do not tell


def check(folder: Folder) -> Iterator[Flaw]:
    indexes = {entry.record.name for entry in folder.entries("indexes")}
    toolkits = {major_minor(entry.record.cuda) for entry in folder.entries("toolkits")}
    cudnn = {e.record.version for e in folder.entries("libraries") if e.record.package.startswith("nvidia-cudnn")}
    first_cudnn = min((numbers(version) for version in cudnn), default=(0,))
    architectures = {cc for entry in folder.entries("architectures") for cc in entry.record.capabilities}
    for entry in folder.entries(BUILDS):
        row = entry.record
        if row.index not in indexes:
            yield entry.flaw(NAME, f"no index is called `{row.index}`")
        if row.cuda and major_minor(row.cuda) not in toolkits:
            yield entry.flaw(NAME, f"no toolkit is CUDA {row.cuda}")
        # A short cuDNN version names a line of releases; one before the first wheel was bundled in the build.
        wheel = row.cudnn and row.cudnn.count(".") == 3 and numbers(row.cudnn) >= first_cudnn
        if wheel and row.cudnn not in cudnn:
            yield entry.flaw(NAME, f"no cuDNN wheel is {row.cudnn}")
        if row.variant == "cpu" and row.cuda:
            yield entry.flaw(NAME, "a cpu build has no CUDA version")
        yield from _kernels(entry, architectures)
    for entry in folder.entries("libraries"):
        yield from _kernels(entry, architectures)
    yield from _packages(folder)
    yield from _agreements(folder)


def _kernels(entry: Entry, architectures: set[str]) -> Iterator[Flaw]:
    for kernel in entry.record.kernels or ():
        match = KERNEL.fullmatch(kernel)
        if match is None:
            yield entry.flaw(NAME, f"`{kernel}` is no kernel name such as sm_86 or compute_90")
        elif (cc := capability(match.group(2))) not in architectures and numbers(cc) >= _OLDEST:
            yield entry.flaw(NAME, f"no architecture has the capability of `{kernel}`")


def _packages(folder: Folder) -> Iterator[Flaw]:
    """Whoever is told to ask for a package must get an answer."""
    known = {entry.record.name for entry in folder.entries(BUILDS)}
    for entry in folder.entries("names"):
        if entry.record.kind not in NAME_KINDS:
            yield entry.flaw(NAME, f"`{entry.record.kind}` is none of {', '.join(NAME_KINDS)}")
        for package in entry.record.means:
            if package not in known:
                yield entry.flaw(NAME, f"the matrix has no package `{package}`")
        if not (entry.record.means or (entry.record.kind in _BY_NOTE and entry.record.note)):
            yield entry.flaw(NAME, f"`{entry.record.name}` means no package")
        if entry.record.kind in ("wrong", "another") and entry.record.name in known:
            yield entry.flaw(NAME, f"`{entry.record.name}` has builds, so it is none that is `{entry.record.kind}`")
    for entry in folder.entries("places"):
        if len(set(entry.record.packages)) < A_PAIR:
            yield entry.flaw(NAME, "a place that only one package fills is not shared")


def _agreements(folder: Folder) -> Iterator[Flaw]:
    """Those about a package of others are also read the other way round."""
    known = {entry.record.name for entry in folder.entries(BUILDS)}
    for entry in folder.entries("agreements"):
        row = entry.record
        if row.kind not in AGREEMENT_KINDS:
            yield entry.flaw(NAME, f"`{row.kind}` is none of {', '.join(AGREEMENT_KINDS)}")
        if row.package not in known and not _ONE_BOUND.fullmatch(row.versions):
            yield entry.flaw(NAME, f"`{row.package}` has no builds, so `{row.versions}` must be one bound")
    for entry in folder.entries("spares"):
        if entry.record.package not in known:
            yield entry.flaw(NAME, f"the matrix has no package `{entry.record.package}`")


def capability(digits: str) -> str:
    """`86` is 8.6, `120` is 12.0."""
    return f"{digits[:-1]}.{digits[-1]}"
