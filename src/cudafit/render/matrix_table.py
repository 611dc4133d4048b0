"""The builds of a package as one table, narrow enough for a terminal of 80 columns and whole in a pipe."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from cudafit.model.frozen import frozen
from cudafit.model.kernels_in_use import in_use
from cudafit.model.matrix import CPU, Build
from cudafit.model.versions import natural_key
from cudafit.render.row import Row

WIDTH = 76  # of 80: between the columns of a screen lies some room
_PLATFORMS = {
    "linux-x86_64": "linux",
    "linux-aarch64": "arm",
    "windows-x86_64": "win",
    "windows-aarch64": "win-arm",
    "macos-aarch64": "mac",
    "macos-x86_64": "mac-x86",
}
_HEAD = ("version", "build", "CUDA", "cuDNN", "GPUs", "Python", "for", "from")
_UNKNOWN = "?"
_CUDNN, _PYTHON = 3, 5
_LEGEND = {
    "arm": "arm is Linux on aarch64",
    "win-arm": "win-arm is Windows on aarch64",
    "+": "+ also newer GPUs, compiled by the driver",
    "t": "t also free-threaded",
    "?": "? not known, or not settled by its source",
}


@frozen
class _Line:
    """All builds of a version that are alike but for what they run on."""

    cells: tuple[str, ...]
    settled: bool


def table_rows(builds: Sequence[Build]) -> list[Row]:
    """A version is named once; what no build has makes no column."""
    lines = list(_lines(builds))
    table = [_HEAD, *(line.cells for line in lines)]
    columns = [at for at in range(len(_HEAD)) if at == 0 or any(row[at] for row in table[1:])]
    gap = 2
    if _width(table, columns, gap) > WIDTH:
        gap = 1
    if _width(table, columns, gap) > WIDTH:
        columns = [at for at in columns if at != _CUDNN]
    widths = {at: max(len(row[at]) for row in table) for at in columns}
    rows = []
    before = None
    for at, row in enumerate(table):
        text = (" " * gap).join(row[column].ljust(widths[column]) for column in columns[1:]).rstrip()
        tone = "quiet" if at == 0 else "plain" if lines[at - 1].settled else "warn"
        rows.append(Row("" if row[0] == before else row[0], text, "", tone))
        before = row[0]
    return [*rows, *(Row("", told, "", "quiet") for told in _legend(lines, columns))]


def kernel_rows(builds: Sequence[Build]) -> list[Row]:
    """What exactly is compiled into the builds of one version."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for build in builds:
        if build.kernels and build.variant != CPU:
            name = f"{build.variant} {_PLATFORMS.get(build.platform, build.platform)}"
            groups.setdefault(build.kernels, []).append(name)
    rows: list[Row] = []
    for kernels, names in groups.items():
        told = textwrap.wrap(f"{', '.join(dict.fromkeys(names))}: {' '.join(kernels)}", WIDTH - len("kernels") - 2)
        rows += [Row("" if at or rows else "kernels", line) for at, line in enumerate(told)]
    return rows


def _width(table: Sequence[Sequence[str]], columns: Sequence[int], gap: int) -> int:
    """The first column stands by itself, two blanks before the rest."""
    return sum(max(len(row[at]) for row in table) for at in columns) + gap * (len(columns) - 2) + 2


def _lines(builds: Sequence[Build]) -> Iterator[_Line]:
    groups: dict[tuple[object, ...], list[Build]] = {}
    for build in builds:
        alike = (build.version, build.variant, build.cuda, build.cudnn, build.kernels, build.pythons)
        groups.setdefault((*alike, build.requires_python, _from(build), build.verified), []).append(build)
    for members in groups.values():
        first = members[0]
        mark = "" if first.verified else _UNKNOWN
        cells = (
            first.version,
            f"{first.variant}{mark}",
            first.cuda or _cuda(first.variant),
            first.cudnn or "",
            _gpus(first),
            python_range(first),
            " ".join(_PLATFORMS.get(build.platform, build.platform) for build in sorted(members, key=_order)),
            _from(first),
        )
        yield _Line(cells, first.verified)


def _cuda(variant: str) -> str:
    """By the build's name: cu130 is for 13.0, and cu12 for any CUDA 12."""
    if variant in (CPU, "any"):
        return ""
    match = re.fullmatch(r"cu(\d\d)(\d)?", variant)
    return f"{match[1]}.{match[2] or 'x'}" if match else _UNKNOWN


def _order(build: Build) -> tuple[int, str]:
    known = list(_PLATFORMS)
    return (known.index(build.platform) if build.platform in known else len(known), build.platform)


def _from(build: Build) -> str:
    """Of PyTorch's indexes the build already names the one."""
    own = f"pytorch-{build.variant}"
    return "pytorch" if build.index == own else build.index


def _gpus(build: Build) -> str:
    """`7.5-12.0+` of sm_75 … sm_120 and PTX."""
    if build.variant == CPU:
        return ""
    if build.kernels is None:
        return _UNKNOWN if build.cuda else ""
    kernels = in_use(build.kernels, build.partly)
    numbers = sorted({_capability(name) for name in kernels if _capability(name)}, key=natural_key)
    if not numbers:
        return ""
    span = numbers[0] if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
    return span + ("+" if any(name.startswith("compute_") for name in kernels) else "")


def _capability(kernel: str) -> str:
    digits = "".join(letter for letter in kernel.partition("_")[2] if letter.isdigit())
    return f"{digits[:-1]}.{digits[-1]}" if len(digits) > 1 else ""


def python_range(build: Build) -> str:
    """`3.10-3.14t` of all from 3.10 to 3.14 and a free-threaded one; else what the wheels require."""
    plain = sorted({one.rstrip("t+") for one in build.pythons}, key=natural_key)
    if not plain:
        return (build.requires_python or "").replace(" ", "")
    if any(one.endswith("+") for one in build.pythons):
        return f"{plain[0]}+"
    parts = []
    for run in _runs(plain):
        parts.append(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}")
    return ",".join(parts) + ("t" if any(one.endswith("t") for one in build.pythons) else "")


def _runs(versions: Iterable[str]) -> Iterator[list[str]]:
    """Without a gap, as 3.10 3.11 3.12."""
    run: list[str] = []
    for version in versions:
        major, _, minor = version.partition(".")
        if run and minor.isdigit() and run[-1] == f"{major}.{int(minor) - 1}":
            run.append(version)
            continue
        if run:
            yield run
        run = [version]
    if run:
        yield run


def _legend(lines: Sequence[_Line], columns: Sequence[int]) -> Iterator[str]:
    named = {word for line in lines for word in line.cells[6].split()}
    yield from (_LEGEND[word] for word in ("arm", "win-arm") if word in named)
    if any(line.cells[4].endswith("+") for line in lines):
        yield _LEGEND["+"]
    if any(line.cells[_PYTHON].endswith("t") for line in lines):
        yield _LEGEND["t"]
    if any(_UNKNOWN in cell for line in lines for cell in line.cells):
        yield _LEGEND["?"]
    if _CUDNN not in columns and any(line.cells[_CUDNN] for line in lines):
        yield "for the cuDNN of each name a version: `matrix show PACKAGE VERSION`"
