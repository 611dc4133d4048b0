"""GPUs by the names that people give them, over the packaged list."""

from pathlib import Path

import pytest

from cudafit.matrix.load import open_matrix
from cudafit.model.gpu_names import capability_by_name, closest, spoken
from cudafit.model.matrix import Facts


@pytest.fixture(scope="module")
def facts() -> Facts:
    return open_matrix(environ={"HOME": str(Path.home())}).facts("gpus", "pci_gpus")


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA GeForce RTX 4090", "8.9"),
        ("rtx4090", "8.9"),
        ("4090", "8.9"),
        ("GTX 1080 Ti", "6.1"),
        ("gtx1080ti", "6.1"),
        ("Tesla V100-SXM2-16GB", "7.0"),
        ("A100", "8.0"),
        ("NVIDIA H100 80GB HBM3", "9.0"),
        ("RTX 5090", "12.0"),
        ("GTX 980", "5.2"),
        ("T4", "7.5"),
        ("frobnicator", None),
        ("NVIDIA", None),
        ("", None),
    ],
)
def test_capability(facts: Facts, name: str, capability: str | None) -> None:
    assert capability_by_name(name, facts) == capability


@pytest.mark.parametrize(
    ("name", "meant"),
    [("RTX 4900", "GeForce RTX 4090"), ("GTX 1800 Ti", "GeForce GTX 1080 Ti"), ("Telsa V100", "Tesla V100")],
)
def test_closest(facts: Facts, name: str, meant: str) -> None:
    assert closest(name, facts)[0].startswith(meant)


def test_what_people_call_a_card_of_the_pci_list() -> None:
    assert spoken("GM204 [GeForce GTX 980]") == "GeForce GTX 980"
    assert spoken("GeForce GTX 980") == "GeForce GTX 980"
