"""Where nothing was looked at, nothing is known to be well."""

from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.model.finding import Report
from cudafit.render.doctor_html import page
from cudafit.render.doctor_rows import report_rows
from tests.doctor.worlds import FACTS, environment, machine, torch, tree

CPU = torch("2.9.1+cpu", None)


def looked(name: str, folder: Path, *dists: str, select: tuple[str, ...] = ()) -> Report:
    made = environment(tree(folder, CPU if "torch==2.9.1" in dists else {}, dists))
    return diagnose(World(machine(name), made, FACTS), select=select)


def said(report: Report) -> list[str]:
    return [f"{row.label.strip()} {row.value}".strip() for row in report_rows(report)]


@pytest.mark.parametrize("name", ["rtx4090-550", "no-gpu"])
def test_an_environment_in_which_nothing_uses_a_gpu_was_not_judged(name: str, tmp_path: Path) -> None:
    found = looked(name, tmp_path, "click==8.1.8")
    assert (found.status, found.cause) == ("unknown", None)
    assert found.skipped[0].check == "environment"
    lines = said(found)
    assert lines[2].startswith("not checked environment: nothing in it uses a GPU")  # before all that was looked at
    assert lines[-1].startswith("status could not be determined: nothing in it uses a GPU")


def test_what_asks_about_the_machine_alone_does_not_need_one(tmp_path: Path) -> None:
    assert looked("rtx4090-550", tmp_path, "click==8.1.8", select=("gpu", "driver", "dev")).status == "ok"


def test_a_cpu_build_is_right_without_a_gpu_and_nobody_is_told_that_a_gpu_works(tmp_path: Path) -> None:
    found = looked("no-gpu", tmp_path, "torch==2.9.1")
    assert (found.status, found.gpus) == ("ok", 0)
    assert said(found)[-1].startswith("status no GPU was seen; ")
    assert "no problem found" not in page(found, "1")
    assert "no GPU was seen" in page(found, "1")


def test_how_many_gpus_a_program_may_use_is_told(tmp_path: Path) -> None:
    assert looked("a100x8-535", tmp_path, "torch==2.9.1").gpus == 8
