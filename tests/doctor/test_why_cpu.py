"""What docs/why-cpu.md shows is what doctor prints, and every finding that it names exists."""

import re
from pathlib import Path

import pytest

from cudafit.doctor.registry import every_id
from tests.conftest import Run
from tests.doctor.worlds import CU132, torch, tree
from tests.machines import FOLDER

PAGE = (Path(__file__).parents[2] / "docs" / "why-cpu.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("number", range(len(SHOWN)))
def test_shown_output_is_real(cudafit: Run, tmp_path: Path, number: int) -> None:
    cpu = tree(tmp_path / "cpu", torch("2.13.0+cpu", None), ["torch==2.13.0"])
    new = tree(tmp_path / "new", torch("2.15.0+cu132", "13.2", CU132), ["torch==2.15.0"])
    prefix, machine = [(cpu, "rtx4090-550"), (new, "gtx1080ti-535"), (new, "container-no-gpu")][number]
    done = cudafit("doctor", "--env", str(prefix), "--machine", str(FOLDER / f"{machine}.json"))
    assert SHOWN[number] in done.stdout.replace(f"{prefix}/", "")


def test_every_finding_that_is_named_exists() -> None:
    named = set(re.findall(r"\[([a-z]+\.[a-z_0-9]+)\]\(findings/\1\.md\)", PAGE))
    assert len(named) > 30
    assert named <= set(every_id())
    assert len(re.findall(r"\]\(findings/", PAGE)) == len(
        re.findall(r"\[([a-z]+\.[a-z_0-9]+)\]\(findings/\1\.md\)", PAGE)
    )
