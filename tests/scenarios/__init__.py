"""Resolver scenarios: each a machine, a request, and what must come out (`NAME.toml`).

A scenario with `[matrix]` brings its builds along, on the small facts of `facts/`: it never ages. The others are about
the packaged matrices and are updated together with them. `source` says where the expectation follows from.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cudafit.machine.described import Description, described
from cudafit.machine.saved import load
from cudafit.matrix.folder import read_folder
from cudafit.matrix.load import open_matrix
from cudafit.model.fit import Resolution
from cudafit.model.matrix import Build, Facts, Matrix
from cudafit.model.requirement import Wanted, wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.host import Host, hosts_of
from cudafit.resolve.problem import Book
from cudafit.resolve.request import Request
from tests.older import tomllib

FOLDER = Path(__file__).parent
MACHINES = FOLDER.parent / "machines"
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


class Small:
    """A matrix in memory, as the resolver reads one."""

    def __init__(self, matrix: Matrix, version: str = "2026.11.21") -> None:
        self._matrix = matrix
        self.version = version
        self.packages: Mapping[str, int] = {name: len(builds) for name, builds in matrix.builds.items()}

    told: tuple[str, ...] = ()

    def builds(self, name: str) -> tuple[Build, ...]:
        return tuple(self._matrix.builds.get(name, ()))

    def facts(self, *_lists: str) -> Facts:
        return self._matrix.facts


def read(name: str) -> dict[str, Any]:
    with open(FOLDER / f"{name}.toml", "rb") as file:
        return tomllib.load(file)


def book_of(scenario: Mapping[str, Any], tmp_path: Path) -> Book:
    """The packaged matrix, or the scenario's own on the small facts."""
    if "matrix" not in scenario:
        return open_matrix(environ={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(Path.home() / ".cache")})
    place = tmp_path / "matrix"
    shutil.copytree(FOLDER / "facts", place)
    for package, rows in scenario["matrix"].items():
        text = f"# {package}.\npackage: {package}\n\nbuilds:\n{rows.strip()}\n"
        target = place / "frameworks" / f"{package}.yaml"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
    folder = read_folder(str(place))
    assert not folder.flaws, folder.flaws
    return Small(folder.matrix())


def hosts(scenario: Mapping[str, Any], book: Book) -> list[Host]:
    machines = scenario.get("machines") or [scenario["machine"]]
    return hosts_of(
        [(one.get("label", f"m{number}"), _machine(one, book)) for number, one in enumerate(machines)], book.facts
    )


def _machine(words: Mapping[str, Any], book: Book) -> Any:
    base = load(str(MACHINES / f"{words['snapshot']}.json")) if "snapshot" in words else None
    description = Description(
        words.get("driver"), tuple(words.get("gpus", ())), words.get("platform"), words.get("glibc")
    )
    if base is not None and not description:
        return base
    machine = described(description, base, "linux-x86_64", book.facts)
    return replace(machine, os=replace(machine.os, libc=words["libc"])) if "libc" in words else machine


def request(scenario: Mapping[str, Any]) -> Request:
    words = scenario["request"]
    items: list[Wanted] = [wanted(text) for text in words["packages"]]
    items += [wanted(text, "requirements.txt:1") for text in words.get("also", ())]
    items += [wanted(text, "constraints.txt:1", constraint=True) for text in words.get("constraints", ())]
    return Request(
        wanted=tuple(items),
        python=words.get("python", None if "snapshot" in scenario.get("machine", {}) else "3.12"),
        cuda=words.get("cuda"),
        cpu=words.get("cpu", False),
        prefer=words.get("prefer", "newest"),
        conda=words.get("conda", False),
        installed=words.get("installed", {}),
    )


def answer(scenario: Mapping[str, Any], tmp_path: Path) -> Resolution:
    book = book_of(scenario, tmp_path)
    return resolve(request(scenario), hosts(scenario, book), book, every=bool(scenario["request"].get("all")))


def differences(expect: Mapping[str, Any], found: Resolution) -> list[str]:
    """Every expectation that does not hold, in words."""
    told = {
        "causes": found.causes,
        "warnings": found.warnings,
        "notes": found.notes,
        "machines": found.machines,
        "reason": (found.reason or "",),
        "alternatives": tuple(f"{one.kind}: {one.text}" for one in found.alternatives),
        "upgrades": tuple(f"{one.driver}: {one.unlocks}" for one in found.upgrades),
        "passed": tuple(f"{one.requirement}: {one.note}" for one in found.passed),
        "command": (" ".join(found.command),),
    }
    exact = {
        "status": found.status,
        "python": found.python,
        "picks": [pick.requirement for pick in found.picks if pick.requested],
        "along": sorted(pick.requirement for pick in found.picks if not pick.requested),
        "indexes": [pick.index_name for pick in found.picks if pick.requested],
        "compat": [pick.compat or "" for pick in found.picks if pick.requested],
        "kernels": [
            f"{gpu.index} {gpu.kernel} {gpu.how}" for pick in found.picks if pick.requested for gpu in pick.gpus
        ],
        "constraints": [one.requirement for one in found.constraints],
        "fitting": [pick.requirement for pick in found.all],
        "groups": [
            f"{' '.join(group.machines)}: {' '.join(p.requirement for p in group.picks if p.requested)}"
            for group in found.groups
        ],
    }
    wrong = []
    for key, value in expect.items():
        if key in exact:
            if exact[key] != value:
                wrong.append(f"{key}: expected {value}, found {exact[key]}")
        elif key in told:
            wrong += _not_said(key, value, told[key])
        elif key == "rejected":
            wrong += [f"rejected: nothing like {row}" for row in value if not _rejected(row, found)]
        elif key == "never":
            wrong += [
                f"{pick.requirement} must never be picked"
                for pick in found.picks
                if pick.variant.startswith(tuple(value))
            ]
        elif key == "none":
            wrong += [f"{name}: expected none, found {told[name]}" for name in value if any(told[name])]
        else:
            raise KeyError(key)
    return wrong


def _not_said(key: str, value: str | Sequence[str], told: Sequence[str]) -> list[str]:
    wanted_texts = [value] if isinstance(value, str) else value
    return [f"{key}: {text!r} is not in {list(told)}" for text in wanted_texts if not any(text in one for one in told)]


def _rejected(row: Mapping[str, str], found: Resolution) -> bool:
    return any(all(text in (getattr(one, name) or "") for name, text in row.items()) for one in found.rejected)
