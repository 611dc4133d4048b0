"""The matrix as it is loaded: JSON, one file a package or list, so that a question about torch reads no other row."""

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cudafit.errors import CudafitError
from cudafit.matrix.table import field_names, records_of, table_of
from cudafit.model import matrix as records
from cudafit.model.matrix import Build, Facts, Matrix
from cudafit.system.reading import read_bytes

# The schema of the facts: raised with every field or list that is added, for facts also come from other releases
# (`cudafit-matrices`, the user's own layer). A test compares it with the fields.
FORMAT = 9
FILE_LIMIT = 64 << 20  # of a file of a matrix, as YAML and compiled
INDEX = "index.json"

_LISTS: Mapping[str, type] = {
    "toolkits": records.ToolkitRelease,
    "floors": records.Floor,
    "forward": records.ForwardRule,
    "drivers": records.DriverBranch,
    "architectures": records.ArchitectureSupport,
    "libraries": records.LibraryRelease,
    "places": records.SharedPlace,
    "names": records.NameHint,
    "agreements": records.Agreement,
    "spares": records.Spare,
    "gpus": records.GpuModel,
    "pci_gpus": records.PciGpu,
    "bench_speeds": records.BenchSpeed,
    "bench_errors": records.BenchError,
    "indexes": records.Index,
    "conda_rules": records.CondaRule,
    "conda_builds": records.CondaBuild,
    "conda_names": records.CondaName,
    "wheels": records.QuotedWheels,
    "sources": records.Source,
}


# The lists that a layer has beside builds, each with what a row is about.
_OVER: Mapping[str, Callable[[Any], object]] = {
    "sources": lambda row: row.name,
    "wheels": lambda row: (row.package, row.version, row.platform, row.index),
    "conda_builds": lambda row: (row.feedstock, row.version, row.cuda, row.platform),
}


@dataclass(frozen=True)
class Compiled:
    """A folder of compiled files: its version and packages are known, the rest is read when it is asked for.

    `over` holds packages whose builds stand in place of those here, and sources of its own. `told` is what every answer
    from it has to say of it, `ignored` which other facts were left aside. With `hashes` each file is compared with its
    own.
    """

    path: str
    version: str
    packages: Mapping[str, int]
    over: "Compiled | None" = None
    told: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)  # lists that were read

    def builds(self, name: str) -> tuple[Build, ...]:
        """The builds of one package; none for a package that the matrix does not hold."""
        if self.over is not None and name in self.over.packages:
            return self.over.builds(name)
        if name not in self.packages:
            return ()
        return records_of(Build, self._read(_file(name)))

    def facts(self, *lists: str) -> Facts:
        """The named lists of facts; all of them when none is named."""
        found: dict[str, Any] = {name: self._list(name) for name in lists or _LISTS}
        over = [name for name in _OVER if name in found and self.over is not None]
        return merged_facts(Facts(**found), self.over.facts(*over)) if over and self.over else Facts(**found)

    def _list(self, name: str) -> Any:
        """Read once: a request is looked at several times before it is answered."""
        if name not in self._kept:
            self._kept[name] = records_of(_LISTS[name], self._read(_facts_file(name)))
        return self._kept[name]

    def under(self, over: "Compiled", version: str) -> "Compiled":
        """The same with the other's packages in place of its own."""
        return replace(self, version=version, packages={**self.packages, **over.packages}, over=over)

    def _read(self, name: str) -> bytes:
        content = read_bytes(os.path.join(self.path, name), FILE_LIMIT)
        if name in self.hashes:
            import hashlib  # noqa: PLC0415 - for a layer of the user's alone

            if hashlib.sha256(content).hexdigest() != self.hashes[name]:
                raise CudafitError(
                    f"your own layer of facts is damaged: `{name}` is not what was written",
                    hint="`cudafit matrix revert` takes it away",
                )
        return content

    def matrix(self) -> Matrix:
        return Matrix(self.facts(), {name: self.builds(name) for name in self.packages})


def merged_facts(below: Facts, over: Facts) -> Facts:
    """The rows of both; of two that are about the same thing, those of `over`."""
    found = {}
    for name, key in _OVER.items():
        rows = (*getattr(below, name), *getattr(over, name))
        found[name] = tuple({key(row): row for row in rows}.values())
    return replace(below, **found)


def compile_matrix(matrix: Matrix, version: str, path: str) -> Compiled:
    """Write the compiled files into an empty folder."""
    return _compile(matrix, version, path, list(_LISTS))


def compile_layer(matrix: Matrix, version: str, path: str) -> Compiled:
    """The same of builds, those of conda, sources and quoted files alone, to be laid over another."""
    return _compile(matrix, version, path, list(_OVER))


def _compile(matrix: Matrix, version: str, path: str, lists: Iterable[str]) -> Compiled:
    os.makedirs(path, exist_ok=True)
    for name in lists:
        _write(path, _facts_file(name), table_of(_LISTS[name], getattr(matrix.facts, name)))
    for name, builds in matrix.builds.items():
        _write(path, _file(name), table_of(Build, builds))
    packages = {name: len(builds) for name, builds in sorted(matrix.builds.items())}
    _write(path, INDEX, {"format": FORMAT, "shape": shape(), "version": version, "packages": packages})
    return Compiled(path, version, packages)


def open_compiled(path: str) -> Compiled | None:
    """None when there is no such folder, or it was written by another cudafit."""
    try:
        index = read_index(path)
        if index["format"] != FORMAT or index["shape"] != shape():
            return None
        return Compiled(path, index["version"], index["packages"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_index(path: str) -> Any:
    """What a compiled folder says of itself; raises OSError and ValueError."""
    return json.loads(read_bytes(os.path.join(path, INDEX), FILE_LIMIT))


@cache
def shape() -> str:
    """A name for the lists and their fields: facts of another shape cannot be read as these."""
    parts = [f"{name} {' '.join(field_names(kind))}" for name, kind in (("builds", Build), *_LISTS.items())]
    return f"{zlib.crc32(chr(10).join(parts).encode()):08x}"


def content_key(paths: Iterable[str]) -> str:
    """A name for what the files hold and for how this cudafit would compile them; raises OSError.

    Three checksums that differ in kind are enough to tell one's own edits apart, and spare the loading of hashlib.
    """
    parts = [f"{FORMAT}", shape()]
    crc, adler = 0, 1
    for path in paths:
        content = read_bytes(path, FILE_LIMIT)
        crc, adler = zlib.crc32(content, crc), zlib.adler32(content, adler)
        parts.append(f"{os.path.basename(path)} {len(content)} {crc}")
    whole = zlib.crc32("\n".join(parts).encode("utf-8", "surrogateescape"))
    return f"{crc:08x}{adler:08x}{whole:08x}"


def _file(name: str) -> str:
    return f"builds-{name}.json"


def _facts_file(name: str) -> str:
    return f"facts-{name}.json"


def _write(path: str, name: str, value: Any) -> None:
    with open(os.path.join(path, name), "w", encoding="utf-8") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")
