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
        ("RTX 4060 Ti 16 GB", "8.9"),
        ("A100 SXM4 80 GB", "8.0"),
        ("Jetson AGX Orin 64 GB", "8.7"),
        ("GeForce GTX TITAN", "3.5"),
        ("Jetson Nano", "5.3"),
        # What may be left out, and what is said too much.
        ("4080super", "8.9"),
        ("1080 GTX ti", "6.1"),
        ("960m", "5.0"),
        ("Orin Nano", "8.7"),
        ("Nvidia Tesla A100 80G", "8.0"),
        ("Quadro A6000", None),
        ("RTX PRO 6000 Blackwell 96GB GDDR7", "12.0"),
        # The board changes nothing; the chip, and up to Kepler a card made anew, do.
        ("NVIDIA GeForce GTX 1660 Ti with Max-Q Design", "7.5"),
        ("NVIDIA GeForce RTX 3080 Ti Laptop GPU", "8.6"),
        ("GeForce GTX 750", "5.0"),
        ("GeForce GTX 750 GM206", "5.2"),
        ("GeForce GT 640", "3.0"),
        ("GeForce GT 640 Rev. 2", "3.5"),
        ("GeForce GT 640 Rev. 3", None),
        ("GP102 [TITAN X]", "6.1"),
        ("TITAN X", None),
        # Shares of a GPU.
        ("GRID A100-10C", "8.0"),
        ("GRID A100DX-1-10CME", "8.0"),
        ("NVIDIA A40-8Q", "8.6"),
        ("GRID V100D-32C", "7.0"),
        ("GRID T4-1Q", "7.5"),
        ("GRID RTX6000-8Q", "7.5"),
        ("NVIDIA RTX6000-Ada-8Q", "8.9"),
        ("NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", "12.0"),
        ("NVIDIA A100-PCIE-40GB MIG 1g.5gb", "8.0"),
        ("H100 1g.10gb+me", "9.0"),
        ("MIG 1g.10gb", None),
        # As nvidia-smi cuts them off.
        ("NVIDIA GeForce RTX 3070 ...", "8.6"),
        ("GeForce RTX 207...", "7.5"),
        ("NVIDIA RTX 6000 Ada Gene...", "8.9"),
        ("NVIDIA GeForce RTX 30...", None),
        ("NVIDIA ...", None),
        # Names of others, and of more than one.
        ("RTX 4065", None),
        ("GTX 4090", None),
        ("Quadro 4000", None),
        ("GeForce GTX 670M", None),
        ("RTX 6000", None),
        ("Nano", None),
        ("Titan", None),
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
