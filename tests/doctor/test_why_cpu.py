"""What docs/why-cpu.md shows is what doctor prints, and every finding that it names exists."""

import re
from pathlib import Path

import pytest

from cudafit.model.kinds import KINDS
from tests.conftest import Run
from tests.doctor.worlds import CU126, CU132, torch, tree
from tests.machines import FOLDER

PAGE = (Path(__file__).parents[2] / "docs" / "why-cpu.md").read_text(encoding="utf-8")
TRAIN = """import torch


class Net(torch.nn.Module):
    def forward(self, x):
        return self.layer(x)


loader = torch.utils.data.DataLoader(data)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in loader:
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
"""
SHOWN = re.findall(r"```\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("number", range(len(SHOWN)))
def test_shown_output_is_real(cudafit: Run, tmp_path: Path, number: int) -> None:
    cpu = tree(tmp_path / "cpu", torch("2.13.0+cpu", None), ["torch==2.13.0"])
    new = tree(tmp_path / "new", torch("2.15.0+cu132", "13.2", CU132), ["torch==2.15.0"])
    right = tree(tmp_path / "right", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"])
    (tmp_path / "train.py").write_text(TRAIN)
    worlds = [(cpu, "rtx4090-550"), (new, "gtx1080ti-535"), (new, "container-no-gpu"), (right, "rtx4090-550")]
    prefix, machine = worlds[number]
    code = ("--code", str(tmp_path / "train.py")) if prefix == right else ()
    done = cudafit("doctor", "--env", str(prefix), "--machine", str(FOLDER / f"{machine}.json"), *code)
    assert SHOWN[number] in done.stdout.replace(f"{prefix}/", "").replace(f"{tmp_path}/", "")


def test_every_finding_that_is_named_exists() -> None:
    named = set(re.findall(r"\[([a-z]+\.[a-z_0-9]+)\]\(findings/\1\.md\)", PAGE))
    assert len(named) > 30
    assert named <= set(KINDS)
    assert len(re.findall(r"\]\(findings/", PAGE)) == len(
        re.findall(r"\[([a-z]+\.[a-z_0-9]+)\]\(findings/\1\.md\)", PAGE)
    )
