"""The magics in a real kernel, on a machine with the test NVML or with none."""

import re
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doctor.worlds import torch
from tests.notebook.conftest import Notebook

PAGE = Path(__file__).parents[2] / "docs" / "notebooks.md"
Nvml = Callable[[str], dict[str, str]]

SPEC = """
driver 550.54.15
cuda 12.4
nvml 12.550.54.15
gpu
name NVIDIA A100-SXM4-40GB
uuid GPU-00000000-1111-2222-3333-444444444444
bus 00000000:01:00.0
cc 8.0
memory 40960 512
utilization 0 0
"""

# The test NVML lists a process whose number is the name of a file.
HOLD = "open(f\"{os.environ['FAKE_NVML_PROCESSES']}/{os.getpid()}\", 'w').write('0 %d')\n"
BUSY = """
path = os.environ["FAKE_NVML"]
text = open(path).read()
open(path, "w").write(text.replace("utilization 0", "utilization 80"));
"""

# Frameworks are not installed where the tests run: this one takes every call and computes nothing.
STAND_IN = """
class Anything:
    def __init__(self, *_given, **_named): pass
    def __call__(self, *_given, **_named): return Anything()
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Anything()

def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return Anything()
"""
MODEL = "import torch\nimport torch.nn as nn\n\nmodel = nn.Linear(10, 2)\n"
TRAIN = """
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(10):
    inputs, labels = torch.randn(32, 10), torch.randint(0, 2, (32,))
    loss = nn.CrossEntropyLoss()(model(inputs), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

without_gpu = pytest.mark.skipif(
    any(Path("/dev").glob("nvidia*")) or Path("/dev/dxg").exists(), reason="there is a GPU here"
)


@pytest.fixture
def gpu(nvml: Nvml, tmp_path: Path) -> dict[str, str]:
    processes = tmp_path / "processes"
    processes.mkdir()
    return {**nvml(SPEC), "FAKE_NVML_PROCESSES": str(processes)}


@pytest.mark.slow
def test_cells_on_a_gpu(notebook: Notebook, gpu: dict[str, str]) -> None:
    made, idle, grown, short, _, busy = notebook(
        f"%%cudafit\nimport os, time\n{HOLD % 600}time.sleep(0.4)\n'done'",
        "%%cudafit\ntime.sleep(1.3)",
        f"%%cudafit\n{HOLD % 700}",
        "%%cudafit\nx = 1",
        BUSY,
        "%%cudafit\ntime.sleep(1.3)",
        env=gpu,
    )
    assert "this cell used GPU 0" in made.table
    assert "this cell made a context there, 600 MiB at most" in made.table
    assert made.html[0][:2] == ["verdict", "this cell used GPU 0"]
    assert made.result == "'done'"
    assert "this cell did not use the GPU: the context that the kernel holds was there before" in idle.table
    assert "the kernel holds a context of 600 MiB there since before this cell; the GPU was idle" in idle.table
    assert "this cell used GPU 0" in grown.table
    assert "grew from 600 to 700 MiB" in grown.table
    assert "could not be told in less than 0.1 s" in short.table
    assert "holds a context of 700 MiB there since before this cell" in short.table
    assert "this cell used GPU 0" in busy.table
    assert "the GPU was busy 80 % of this cell" in busy.table


@pytest.mark.slow
def test_work_of_others_is_not_the_cells(notebook: Notebook, gpu: dict[str, str]) -> None:
    gpu["FAKE_NVML"] = _busy(gpu["FAKE_NVML"])
    (_, told) = notebook(
        f"import os, time\n{HOLD % 600}"
        "open(f\"{os.environ['FAKE_NVML_PROCESSES']}/{os.getppid()}\", 'w').write('0 100')",
        "%%cudafit\ntime.sleep(1.3)",
        env=gpu,
    )
    assert re.search(r"could not be told in 1\.\d s", told.table)  # on a busy machine a sleep takes longer
    assert "busy up to 80 %, and process " in told.table


def _busy(spec: str) -> str:
    path = Path(spec)
    path.write_text(path.read_text().replace("utilization 0", "utilization 80"))
    return spec


@pytest.mark.slow
def test_code_that_stays_on_the_cpu_is_named(notebook: Notebook, gpu: dict[str, str], tmp_path: Path) -> None:
    package = tmp_path / "notebooks" / "torch"
    package.mkdir()
    (package / "__init__.py").write_text(STAND_IN)
    (package / "nn.py").write_text(STAND_IN)
    alone, _, apart, again = notebook(
        f"%%cudafit\n{MODEL}{TRAIN}",
        f"{MODEL}",
        f"%%cudafit\n{TRAIN}",
        f"%%cudafit\n{TRAIN}",
        env=gpu,
    )
    assert alone.error is None
    assert "this cell did not use the GPU" in alone.table
    assert "(code.model_on_cpu)" in alone.table
    assert "model = nn.Linear(10, 2)  [this cell, line 5]" in alone.table
    for one in (apart, again):
        assert "model = nn.Linear(10, 2)  [cell In [3], line 4]" in one.table
        (earlier,) = [row for row in one.html if row[0] == "earlier"]
        assert earlier[2] == "cell In [2], line 5"


@pytest.mark.slow
@without_gpu
def test_without_a_gpu(notebook: Notebook) -> None:
    doctor, twice, cell, after = notebook("%cudafit", "x = 1\n%cudafit\nx + 1", "%%cudafit\n1 + 1", "_ + 1")
    assert doctor.table.startswith("cudafit doctor\nmachine      no NVIDIA GPU was found")
    assert ", this kernel's\n" in doctor.table
    assert "there is no NVIDIA GPU here (gpu.none)" in doctor.table
    assert ["info", "there is no NVIDIA GPU here (gpu.none)", ""] in doctor.html
    assert "cudafit doctor" in twice.table
    assert twice.result == "2"
    assert "this cell did not use the GPU: there is no NVML" in cell.table
    assert "there is no NVIDIA GPU here (gpu.none)" in cell.table
    assert cell.result == "2"
    assert after.result == "3"


@pytest.fixture
def cpu_build(tmp_path: Path) -> Path:
    """An environment with a build of torch for the CPU, in which a kernel can run."""
    env = tmp_path / "own"
    venv.create(env, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(env), "platbase": str(env)}))
    (site / "kernel.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    for name, content in torch("2.13.0+cpu", None).items():
        place = site / name.removeprefix("SITE/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    info = site / "torch-2.13.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0\n")
    for name in ("__init__", "nn"):
        (site / "torch" / f"{name}.py").write_text(STAND_IN)
    return env


@pytest.mark.slow
def test_doctor_is_for_this_kernel(notebook: Notebook, gpu: dict[str, str], cpu_build: Path, tmp_path: Path) -> None:
    """Its own Python, not the active one; its variables as they are now; and what is imported stays imported."""
    before, imported, hidden = notebook(
        "%cudafit",
        "import torch\n%cudafit",
        "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = ''\n%cudafit",
        env={**gpu, "VIRTUAL_ENV": str(tmp_path / "another")},
        python=str(cpu_build / "bin" / "python"),
    )
    assert f"environment  {cpu_build} (venv, " in before.table
    assert "cause        torch 2.13.0+cpu is a build for the CPU (torch.cpu_wheel)" in before.table
    assert "kernel" not in [row[0] for row in before.html]
    assert "kernel       torch imported: restart it after a fix" in imported.table
    assert "(env.cvd_empty)" in hidden.table


@pytest.mark.slow
def test_the_page_shows_what_is_shown(notebook: Notebook, gpu: dict[str, str], cpu_build: Path) -> None:
    shown_doctor, source, shown_cell = re.findall(r"```\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.S)
    doctor, _, cell = notebook(
        "%cudafit", f"{MODEL}loader = [(1, 2)]\n", source, env=gpu, python=str(cpu_build / "bin" / "python")
    )
    assert _general(doctor.table, cpu_build) == _general(shown_doctor, cpu_build)
    assert _general(cell.table, cpu_build) == _general(shown_cell, cpu_build)


def _general(table: str, env: Path) -> str:
    """Without what is this machine's, or this moment's."""
    text = table.replace(str(env), "/home/ada/nets/.venv")
    for pattern in (r"glibc [\d.]+", r"Python 3[\d.]+", r"python3\.\d+", r"\d+ checks", r"(?m)^cell .*"):
        text = re.sub(pattern, "…", text)
    return text


@pytest.mark.slow
def test_a_cell_is_as_it_is_without(notebook: Notebook) -> None:
    failing, quiet, awaited, timed, below, future, wrong, empty, helped = notebook(
        "%%cudafit\nx = 5\n1 / 0",
        "%%cudafit\nx;",
        "%%cudafit\nimport asyncio\nawait asyncio.sleep(0.01, x)",
        "%%cudafit\n%%time\ny = x + 1",
        "%%time\n%%cudafit\ny = y + 1",
        "%%cudafit\nfrom __future__ import annotations\n%env CUDAFIT_TEST=1\ny",
        "%%cudafit loudly\ny",
        "%%cudafit",
        "%cudafit help",
    )
    assert failing.error == "ZeroDivisionError"
    assert any("line 3" in line or "----> 3" in line for line in failing.shown[0]["traceback"])
    assert failing.tables == 1
    assert quiet.result is None
    assert quiet.tables == 1
    assert awaited.result == "5"
    assert awaited.tables == 1
    assert "Wall time" in timed.stream("stdout")
    assert timed.tables == 1
    assert below.tables == 0
    assert "has to be the first line" in below.stream("stderr")
    assert future.error is None
    assert future.result == "7"
    assert future.tables == 1
    assert wrong.result == "7"
    assert "takes no `loudly`" in wrong.stream("stderr")
    assert "there is none" in empty.stream("stderr")
    assert "doctor for this kernel's Python" in helped.stream("stdout")


@pytest.mark.slow
def test_words_and_bugs_do_no_harm(notebook: Notebook) -> None:
    unknown, _, judged, _, cell, _, unloaded = notebook(
        "%cudafit nonsense",
        "import cudafit.notebook.causes as looked_for\nlooked_for.causes = None",
        "%%cudafit\n1 + 1",
        "import cudafit.notebook.watching as watching\nwatching.CellWatch = None",
        "%%cudafit\n1 + 1",
        "%unload_ext cudafit",
        "%cudafit",
    )
    assert "takes no `nonsense`" in unknown.stream("stderr")
    assert not any("traceback" in one and len(one["traceback"]) > 2 for one in unknown.shown)
    assert judged.html[0][0] == "verdict", "also where the causes cannot be told"
    for one in (judged, cell):
        assert one.error is None
        assert one.result == "2"
        assert "a bug in cudafit: TypeError" in one.stream("stderr")
    assert "not found" in unloaded.stream("stderr")


@pytest.mark.slow
def test_an_interrupted_cell_is_judged(notebook: Notebook, gpu: dict[str, str]) -> None:
    """Jupyter interrupts the kernel's whole group, and what asks NVML is one of it."""
    (cell,) = notebook(
        "%%cudafit\nimport os, signal, time\nassert os.getpgrp() == os.getpid()\n"
        f"{HOLD % 600}time.sleep(0.5)\nos.killpg(os.getpgrp(), signal.SIGINT)\ntime.sleep(30)",
        env=gpu,
    )
    assert cell.error == "KeyboardInterrupt"
    assert "this cell used GPU 0" in cell.table
