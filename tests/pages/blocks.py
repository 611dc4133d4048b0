"""Blocks of a page that begin with `$ cudafit`: what is below is what the command prints, on the stage of the pages."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from tests.doctor.worlds import CU126, torch, tree
from tests.machines import FOLDER

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
BLOCK = re.compile(r"^```\n\$ cudafit (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
ANY_BLOCK = re.compile(r"^```(\w*)\n((?:.*\n)*?)```$", re.MULTILINE)
HOME = "/home/ada/nets"
# What these show needs a GPU that a test stands for, or a world of its own: the tests beside them print it anew.
ELSEWHERE = {
    "run.md": "tests/cli/test_run.py",
    "notebooks.md": "tests/notebook/test_kernel.py",
    "why-cpu.md": "tests/doctor/test_why_cpu.py",
    "api.md": "tests/test_api.py",
}
# The machines of the pages, by the names that a reader may give a snapshot of `inspect --save`.
_MACHINES = {
    "workstation": "rtx4090-550",
    "old": "gtx1080ti-535",
    "node": "a100x4-slurm-550",
    "container": "container-no-gpu",
    "wsl": "wsl2-560",
    "laptop": "rtx4060-laptop-575",
}
_TRAIN = """import torch


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
_DOCKERFILE = """FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04
RUN pip install torch==2.15.0
COPY train.py .
CMD ["python", "train.py"]
"""
_COMPOSE = """services:
  train:
    image: pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime
    command: python train.py
"""
_LOG = """Epoch 0:   0%|          | 0/391 [00:00<?, ?it/s]
Traceback (most recent call last):
  File "/home/ada/nets/train.py", line 13, in <module>
    loss = torch.nn.functional.mse_loss(model(x), y)
RuntimeError: CUDA error: no kernel image is available for execution on the device
"""
Run = Callable[[list[str], Path], tuple[str, int]]


def staged(folder: Path) -> Path:
    """A project with a venv that holds a CPU build, beside saved machines."""
    folder.mkdir(parents=True)
    tree(folder / ".venv", torch("2.13.0+cpu", None), ["torch==2.13.0", "numpy==2.3.4"])
    tree(folder / "envs" / "right", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"])
    for name, text in {
        "train.py": _TRAIN,
        "Dockerfile": _DOCKERFILE,
        "compose.yaml": _COMPOSE,
        "log.txt": _LOG,
        "requirements.txt": "torch\nnumpy\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, saved in _MACHINES.items():
        os.symlink(FOLDER / f"{saved}.json", folder / f"{name}.json")
    return folder


def pages() -> list[Path]:
    """Those that people write; findings and decisions show no commands of ours with output."""
    return [path for path in sorted([*DOCS.glob("*.md"), *DOCS.glob("tasks/*.md")]) if path.name not in ELSEWHERE]


def printed(command: str, stage: Path, run: Run) -> str:
    """What the command prints, with the names of the folders that a reader is told of."""
    text, _ = run(shlex.split(command), stage)
    return text.replace(str(stage), HOME)


def anew(text: str, stage: Path, run: Run) -> str:
    """The page with each block printed anew."""
    return BLOCK.sub(lambda match: f"```\n$ cudafit {match[1]}\n{printed(match[1], stage, run)}```", text)


def lasting(text: str) -> str:
    """Without what changes with every check and fact that is added."""
    return re.sub(r"(by(?: |&#160;)\d+(?: |&#160;)checks|, matrix [\d.]+)", "", text)
