"""A folder of matrix files: read whole, with every problem of every file, each with its line."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cudafit.matrix.compiled import FILE_LIMIT
from cudafit.matrix.plain_rows import Lined
from cudafit.matrix.rows import RowError, from_row, to_row
from cudafit.matrix.yaml_text import MatrixSyntaxError, dump, load
from cudafit.model.matrix import (
    Agreement,
    ArchitectureSupport,
    BenchError,
    BenchSpeed,
    Build,
    CondaBuild,
    CondaName,
    CondaRule,
    DriverBranch,
    Facts,
    Floor,
    ForwardRule,
    GpuModel,
    Index,
    LibraryRelease,
    Matrix,
    NameHint,
    PciGpu,
    QuotedWheels,
    SharedPlace,
    Source,
    Spare,
    ToolkitRelease,
)
from cudafit.system.reading import read_text

# File -> its lists, each with the record that a row describes. The lists' names are the fields of `Facts`.
FILES: dict[str, dict[str, type]] = {
    "matrix.yaml": {},
    "toolkits.yaml": {"toolkits": ToolkitRelease, "floors": Floor, "forward": ForwardRule},
    "drivers.yaml": {"drivers": DriverBranch, "architectures": ArchitectureSupport},
    "libraries.yaml": {"libraries": LibraryRelease},
    "places.yaml": {"places": SharedPlace},
    "names.yaml": {"names": NameHint},
    "together.yaml": {"agreements": Agreement, "spares": Spare},
    "gpus.yaml": {"gpus": GpuModel, "pci_gpus": PciGpu},
    "bench.yaml": {"bench_speeds": BenchSpeed, "bench_errors": BenchError},
    "indexes.yaml": {"indexes": Index},
    "conda.yaml": {"conda_rules": CondaRule, "conda_builds": CondaBuild, "conda_names": CondaName},
    "wheels.yaml": {"wheels": QuotedWheels},
    "sources.yaml": {"sources": Source},
}
SCALARS = {"matrix.yaml": ("version",)}
FRAMEWORKS = "frameworks"
BUILDS = "builds"


@dataclass(frozen=True)
class Flaw:
    """What is wrong in a matrix file, and where. A `warning` does not fail a check."""

    file: str
    line: int
    linter: str
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        mark = "" if self.severity == "error" else f" {self.severity}:"
        return f"{self.file}:{self.line}:{mark} {self.message} [{self.linter}]"


@dataclass(frozen=True)
class Entry:
    """A record and where it stands."""

    record: Any
    file: str
    line: int

    def flaw(self, linter: str, message: str, severity: str = "error") -> Flaw:
        return Flaw(self.file, self.line, linter, message, severity)


@dataclass
class MatrixFile:
    """One file as it was read: its text, its leading comment, its scalars and its lists."""

    name: str
    text: str
    comment: str
    scalars: dict[str, str] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)


@dataclass
class Folder:
    """All files of a folder, and what is wrong with them."""

    path: str
    files: dict[str, MatrixFile] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def entries(self, section: str) -> Iterator[Entry]:
        """The entries of a list, whichever file it is in."""
        for file in self.files.values():
            yield from file.entries.get(section, [])

    @property
    def version(self) -> str | None:
        """None for a folder that only adds rows to another matrix."""
        return self.files["matrix.yaml"].scalars.get("version") if "matrix.yaml" in self.files else None

    def matrix(self) -> Matrix:
        lists = {name: tuple(e.record for e in self.entries(name)) for kinds in FILES.values() for name in kinds}
        builds: dict[str, list[Build]] = {}
        for entry in self.entries(BUILDS):
            builds.setdefault(entry.record.name, []).append(entry.record)
        return Matrix(Facts(**lists), {name: tuple(rows) for name, rows in builds.items()})


def read_folder(path: str) -> Folder:
    """Raises OSError when the folder itself cannot be read; everything else is a flaw."""
    folder = Folder(path)
    for name in _names(path):
        try:
            text = read_text(os.path.join(path, name), FILE_LIMIT)
        except OSError as error:
            folder.flaws.append(Flaw(name, 1, "schema", error.strerror or str(error)))
            continue
        folder.files[name] = _read_file(name, text, folder.flaws)
    return folder


def _names(path: str) -> list[str]:
    """The YAML files in reading order; a misspelt name would otherwise be passed over in silence."""
    top = sorted(name for name in os.listdir(path) if name.endswith((".yaml", ".yml")))
    below = os.path.join(path, FRAMEWORKS)
    frameworks = sorted(os.listdir(below)) if os.path.isdir(below) else []
    return top + [f"{FRAMEWORKS}/{name}" for name in frameworks if name.endswith((".yaml", ".yml"))]


def _read_file(name: str, text: str, flaws: list[Flaw]) -> MatrixFile:
    comment = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
    file = MatrixFile(name, text, "\n".join(comment))

    def flaw(line: int, message: str) -> None:
        flaws.append(Flaw(name, line, "schema", message))

    framework = name.startswith(f"{FRAMEWORKS}/")
    if not framework and name not in FILES:
        flaw(1, f"no matrix file is called `{name}`; expected one of {', '.join(sorted(FILES))}, {FRAMEWORKS}/*.yaml")
        return file
    try:
        value = load(text)
    except MatrixSyntaxError as error:
        flaw(error.line, error.what)
        return file
    if not isinstance(value, dict):
        flaw(1, "expected a mapping at the top")
        return file
    scalars: tuple[str, ...] = ("package",) if framework else SCALARS.get(name, ())
    sections: Mapping[str, type] = {BUILDS: Build} if framework else FILES[name]
    for key in scalars:
        if not isinstance(value.get(key), str):
            flaw(1, f"expected a text for `{key}`")
        else:
            file.scalars[key] = value[key]
    for key in sorted(set(value) - set(scalars) - set(sections)):
        flaw(1, f"no list is called `{key}` in this file")
    given = {"name": file.scalars.get("package", "")} if framework else {}
    for key, kind in sections.items():
        if key in value:
            file.entries[key] = list(_read_rows(name, key, kind, value[key], given, flaw))
    return file


def _read_rows(name: str, key: str, kind: type, rows: Any, given: dict[str, str], flaw: Any) -> Iterator[Entry]:
    if rows == "":
        return  # a list without any row
    if not isinstance(rows, list):
        flaw(1, f"`{key}` must be a list")
        return
    for row in rows:
        if not isinstance(row, Lined):
            flaw(1, f"every record of `{key}` must be a mapping")
            continue
        if given and "name" in row:
            flaw(row.line, "`name` is the file's own `package`, so the row must not say it again")
            continue
        try:
            yield Entry(from_row(kind, {**given, **row}), name, row.line)
        except RowError as error:
            flaw(row.line, str(error))


def file_text(comment: str, scalars: Mapping[str, str], sections: Mapping[str, Iterable[Any]]) -> str:
    """The canonical text of a matrix file; a framework's rows leave the name to the file."""
    drop = {"name"} if "package" in scalars else set()
    rows = {
        key: [{k: v for k, v in to_row(record).items() if k not in drop} for record in records]
        for key, records in sections.items()
    }
    return dump(comment, scalars, rows)


def canonical_text(file: MatrixFile) -> str:
    return file_text(file.comment, file.scalars, {key: [e.record for e in es] for key, es in file.entries.items()})
