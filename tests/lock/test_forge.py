"""Over conda-forge's real records: the solver takes what the rules pick, with a cuDNN that the GPUs can use."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cudafit.conda.solver import Question, Record, solve
from cudafit.indexes import Indexes
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.conda_solve import virtual_packages
from cudafit.lock.order import Order
from cudafit.lock.quoted.conda_files import platform_of
from cudafit.lock.specs import all_specifications, caps
from cudafit.machine.saved import load
from cudafit.matrix.compiled import Compiled, open_compiled
from cudafit.model.fit import FIT, Resolution
from cudafit.model.matrix import Build, CondaBuild, Facts
from cudafit.model.requirement import wanted
from cudafit.model.versions import natural_key, numbers
from cudafit.resolve.answer import resolve
from cudafit.resolve.host import hosts_of
from cudafit.resolve.request import Request
from tests.lock.forge import make, records

pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")

MACHINES = Path(__file__).parents[1] / "machines"
CHOSEN = ("wsl2-560", "b200x2-575", "gb10-580", "rtx6000ada-570-fedora", "gtx1080ti-535", "gh200-560")
REQUESTS = (("torch",), ("torch<2.7",), ("jax",), ("jax<0.5",), ("tensorflow",))
MAIN = {"pytorch": "pytorch-cpu", "jaxlib": "jaxlib", "tensorflow": "tensorflow"}
OLD = (7, 5)  # below it cuDNN 9.11 has no kernels


@dataclass(frozen=True)
class OfChannel:
    """The packaged matrix, of whose builds of conda there are those that the channel has records of."""

    book: Compiled
    rows: tuple[CondaBuild, ...]

    @property
    def version(self) -> str:
        return self.book.version

    @property
    def packages(self) -> dict[str, int]:
        return dict(self.book.packages)

    told: tuple[str, ...] = ()

    def builds(self, name: str) -> tuple[Build, ...]:
        return self.book.builds(name)

    def facts(self, *lists: str) -> Facts:
        return replace(self.book.facts(*lists), conda_builds=self.rows)


@pytest.fixture(scope="module")
def book(compiled: Path) -> OfChannel:
    packaged = open_compiled(str(compiled))
    assert packaged is not None
    pythons: dict[tuple[str, str, str, str], set[str]] = {}
    for row in records():
        cuda = re.match(r"cuda_?(\d\d)(\d)", row["build"])
        python = re.search(r"py(3)(\d+)", row["build"])
        if row["name"] in MAIN and cuda and python:
            key = (MAIN[row["name"]], row["version"], f"{cuda[1]}.{cuda[2]}", platform_of(row["subdir"]))
            pythons.setdefault(key, set()).add(f"{python[1]}.{python[2]}")
    known = packaged.facts("conda_builds").conda_builds
    rows = {(one.feedstock, one.version, one.cuda, one.platform): one for one in known}
    assert pythons.keys() <= rows.keys()
    found = [replace(rows[key], pythons=tuple(sorted(told, key=natural_key))) for key, told in pythons.items()]
    return OfChannel(packaged, tuple(found))


def answered(book: OfChannel, machine: str, packages: Iterable[str]) -> Resolution:
    hosts = hosts_of([(machine, load(str(MACHINES / f"{machine}.json")))], book.facts)
    return resolve(Request(tuple(wanted(text) for text in packages), conda=True), hosts, book)


def question(channel: str, answer: Resolution) -> Question:
    order = Order(answer, (), indexes=Indexes(conda=channel))
    (target,) = answer.targets
    virtual = virtual_packages(order, target)
    specs = tuple(all_specifications(order))
    limits = caps(answer.constraints)
    return Question((channel,), conda_platform(target.platform), specs, virtual, constraints=limits)


def check(answer: Resolution, found: Iterable[Record], machine: str) -> None:
    """The build that was picked, for its CUDA and Python; a cuDNN with kernels for every GPU."""
    by_name = {one.name: one for one in found}
    (pick,) = answer.picks
    name, version, build = pick.requirement.split("=")
    record = by_name[name]
    assert (record.version, pick.variant) == (version, "cu" + (pick.cuda or "").replace(".", ""))
    assert record.build.startswith(build.rstrip("*"))
    assert by_name["cuda-version"].version == pick.cuda
    assert by_name["python"].version.startswith(f"{answer.python}.")
    capabilities = [numbers(gpu.compute_capability or "") for gpu in load(str(MACHINES / f"{machine}.json")).gpus]
    if min(capabilities) < OLD:
        for one in ("cudnn", "libcudnn"):
            assert one not in by_name or numbers(by_name[one].version) < (9, 11)


def answers(book: OfChannel, machines: Iterable[str]) -> list[tuple[str, Resolution]]:
    return [(machine, answered(book, machine, packages)) for machine in machines for packages in REQUESTS]


@pytest.mark.slow
def test_six_machines_by_five_requests(book: OfChannel, tmp_path: Path) -> None:
    channel = make(tmp_path / "conda-forge")
    fitting = [one for one in answers(book, CHOSEN) if one[1].status == FIT]
    assert len(fitting) == 24  # no record of jaxlib and tensorflow for CUDA on aarch64 was quoted
    solved = solve([question(channel, answer) for _, answer in fitting])
    for (machine, answer), found in zip(fitting, solved, strict=True):
        check(answer, found, machine)
