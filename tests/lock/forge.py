"""A conda channel whose lists are conda-forge's real records, as public locks quote them, with stubs for what they
depend on beside them. Nothing can be installed from it: it is for solving.

`python -m tests.lock.forge TABLE` makes the records anew from a table of quoted builds.
"""

import csv
import gzip
import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.lock.channel import write

RECORDS = Path(__file__).parent / "forge.csv.gz"
SUBDIRS = ("linux-64", "linux-aarch64", "noarch")
# Frameworks with what holds their libraries, and CUDA's own packages that tell its version.
_FRAMEWORKS = frozenset(("pytorch", "libtorch", "jaxlib", "tensorflow", "tensorflow-base"))
_NAMES = _FRAMEWORKS | {"jax", "cudnn", "libcudnn", "libcudnn-dev", "cuda-version", "cudatoolkit"}
_FIELDS = ("name", "version", "build", "subdir", "sha256", "depends", "constrains")
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
Entry = dict[str, object]


def records() -> list[dict[str, str]]:
    with gzip.open(RECORDS, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make(folder: Path) -> str:
    """The channel's address."""
    listed: dict[str, dict[str, Entry]] = {subdir: {} for subdir in SUBDIRS}
    real = records()
    for row in real:
        depends, constrains = row["depends"].split(";"), [one for one in row["constrains"].split(";") if one]
        entry = _entry(row["name"], row["version"], row["build"], row["subdir"], depends, constrains)
        entry["sha256"] = row["sha256"]
        listed[row["subdir"]][f"{row['name']}-{row['version']}-{row['build']}.conda"] = entry
    for name, version, build in _stubs(real):
        constrains = [f"__cuda >={version.partition('.')[0]}"] if name == "cuda-version" else []
        constrains += [f"python {version}.*"] if name == "python_abi" else []
        entry = _entry(name, version, build, "noarch", [], constrains)
        listed["noarch"].setdefault(f"{name}-{version}-{build}.conda", entry)
    return write(folder, listed)


def _entry(name: str, version: str, build: str, subdir: str, depends: list[str], constrains: list[str]) -> Entry:
    number = int(re.search(r"(\d+)$", build)[1]) if re.search(r"\d$", build) else 0  # type: ignore[index]
    told = {"name": name, "version": version, "build": build, "build_number": number, "subdir": subdir}
    kind = {"noarch": "generic"} if subdir == "noarch" else {}
    return {**told, "depends": [one for one in depends if one], "constrains": constrains, "size": 1, **kind}


def _stubs(real: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Of each name that no record has, every version that is the least of some dependency, in every kind of build."""
    known = {row["name"] for row in real}
    libtorch = {(row["version"], row["build"]) for row in real if row["name"] == "libtorch"}
    versions: dict[str, set[str]] = {}
    builds: dict[str, set[str]] = {}
    for row in real:
        for text in row["depends"].split(";"):
            name, version, build = (*text.split(" "), "", "")[:3]
            exact = version.removeprefix("==").removesuffix(".*")
            if (
                name == "libtorch"
                and exact[:1].isdigit()
                and build
                and "*" not in build
                and (exact, build) not in libtorch
            ):
                yield name, exact, build  # quoted by a lock that does not tell what it depends on
            if not name or name.startswith("__") or name in known | {"python", "python_abi"}:
                continue
            versions.setdefault(name, set()).update(re.findall(r"(?:>=|==|^)([0-9][\w.]*?)(?:\.\*)?(?=,|$)", version))
            builds.setdefault(name, set()).update({build.replace("*", "0")} if build else set())
    for name, found in versions.items():
        for version in found or {"1.0"}:
            yield from ((name, version, build) for build in builds[name] or {"h0_0"})
    for cuda in {match.groups() for row in real if (match := re.match(r"cuda_?(\d\d)(\d)", row["build"]))}:
        yield "cuda-version", ".".join(cuda), "h0_0"
    for version in PYTHONS:
        yield "python", f"{version}.5", "h0_cpython"
        yield "python_abi", version, f"0_cp{version.replace('.', '')}"


def _main(table: str) -> None:
    with open(table, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if _is_needed(row)]
    out = io.StringIO()
    writer = csv.DictWriter(out, _FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: [row[name] for name in _FIELDS[:4]]))
    RECORDS.write_bytes(gzip.compress(out.getvalue().encode(), mtime=0))


def _is_needed(row: Mapping[str, str]) -> bool:
    """Explicit lists do not tell what a build depends on: as a record it would fit anywhere."""
    is_told = row["depends"] or (row["constrains"] and row["name"] == "cuda-version")
    of_cuda = row["name"] not in _FRAMEWORKS or "cuda" in row["build"]
    return bool(row["name"] in _NAMES and row["subdir"] in SUBDIRS and is_told and of_cuda)


if __name__ == "__main__":
    _main(sys.argv[1])
