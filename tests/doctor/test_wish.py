"""What the fixes of a report ask for, and whether doctor offers to do it: one answer for both."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.wish import is_repaired, wish_of
from cudafit.doctor.world import World
from cudafit.model.environment import CONDA, SYSTEM, VENV, CondaPackage, Environment
from cudafit.model.finding import ERROR, INFO, Change, Finding, Fix, Severity
from tests.doctor.worlds import FACTS, environment, machine, torch, tree

CHOOSE = Change(choose=("torch",))


def finding(
    name: str,
    change: Change | None = None,
    conda: Change | None = None,
    severity: Severity = ERROR,
    explained: str = "",
) -> Finding:
    fix = Fix("do it", automatic=bool(change or conda), change=change, conda=conda)
    return Finding(name, severity, "framework", "title", (), fix, explained or None)


@pytest.mark.parametrize("side", [VENV, CONDA])
def test_what_another_finding_explains_asks_nothing(side: str) -> None:
    def one(name: str, part: str, severity: Severity = ERROR, explained: str = "") -> Finding:
        change = Change(remove=(part,))
        return finding(name, change, change, severity, explained)

    found = wish_of([one("a", "x"), one("b", "y", explained="a"), one("c", "z", severity=INFO)], side)
    assert (found.change, found.answers, found.by_hand) == (Change(remove=("x",)), ("a",), ())


def test_each_side_leaves_the_other_ones_fixes_to_people() -> None:
    pip, conda = finding("a", change=CHOOSE), finding("b", conda=CHOOSE)
    assert (wish_of([pip, conda], VENV).answers, wish_of([pip, conda], VENV).by_hand) == (("a",), (conda,))
    assert (wish_of([pip, conda], CONDA).answers, wish_of([pip, conda], CONDA).by_hand) == (("b",), (pip,))
    assert wish_of([conda], CONDA).why == {"pytorch": "b"}


def prefix(folder: Path, packages: Sequence[str], torch_version: str = "2.7.0+cpu") -> World:
    made = tree(folder / "e", torch(torch_version, None))
    (made / "pyvenv.cfg").unlink()
    (made / "conda-meta").mkdir()
    for name in packages:
        (made / "conda-meta" / f"{name}.json").write_text("{}")
    return World(machine("rtx4090-550"), environment(made), FACTS)


def test_doctor_offers_to_repair_a_conda_prefix(tmp_path: Path) -> None:
    seen = prefix(tmp_path, ["pytorch-2.7.0-cpu_mkl_py312_h0_0"])
    report = diagnose(seen)
    assert report.cause == "torch.cpu_conda"
    assert report.repair == ("cudafit", "repair", f"{tmp_path}/e")
    assert wish_of(report.findings, CONDA).change.choose == ("torch",)


def test_nothing_is_offered_that_repair_refuses(tmp_path: Path) -> None:
    base = prefix(tmp_path, ["pytorch-2.7.0-cpu_mkl_py312_h0_0", "conda-24.5.0-py312_0"])
    report = diagnose(base)
    assert (report.cause, report.repair) == ("torch.cpu_conda", ())


@pytest.mark.parametrize(
    ("kind", "conda", "found", "offered"),
    [
        (VENV, (), finding("a", change=CHOOSE), True),
        (VENV, (), finding("a", change=CHOOSE, explained="b"), False),
        (VENV, (), finding("a"), False),
        (CONDA, (), finding("a", conda=CHOOSE), True),
        (CONDA, (), finding("a", change=CHOOSE), True),  # what pip put there
        (CONDA, ("pytorch",), finding("a", change=CHOOSE), False),  # pip's would come over conda's
        (SYSTEM, (), finding("a", change=CHOOSE), True),
    ],
)
def test_what_is_offered(kind: str, conda: Sequence[str], found: Finding, offered: bool) -> None:
    packages = tuple(CondaPackage(name, "1", "h0") for name in conda)
    assert is_repaired(Environment("/e", kind, "3.12.4", None, conda=packages), [found]) is offered


def test_a_python_that_a_distribution_keeps_is_not_offered_to_be_changed() -> None:
    managed = Environment(
        "/usr", SYSTEM, "3.12.4", "/usr/bin/python3", managed_by="/usr/lib/python3.12/EXTERNALLY-MANAGED"
    )
    assert not is_repaired(managed, [finding("a", change=CHOOSE)])
