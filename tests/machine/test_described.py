"""A machine by description."""

from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import InputError
from cudafit.machine.described import Description, described
from cudafit.machine.saved import load
from cudafit.matrix.load import open_matrix
from cudafit.model.machine import Machine
from tests.machines import FOLDER

BOOK = open_matrix(environ={"HOME": str(Path.home())})


def made(base: Machine | None = None, **words: Any) -> Machine:
    return described(Description(**words), base, "linux-x86_64", BOOK.facts)


def test_out_of_nothing() -> None:
    machine = made(driver="550.54.15", gpus=("RTX 4090", "sm_61", "7.5"), glibc="2.28")
    assert [gpu.compute_capability for gpu in machine.gpus] == ["8.9", "6.1", "7.5"]
    assert [gpu.index for gpu in machine.gpus] == [0, 1, 2]
    assert all(gpu.visible for gpu in machine.gpus)
    assert machine.driver
    assert machine.driver.version == "550.54.15"
    assert (machine.os.system, machine.os.arch, machine.os.libc) == ("linux", "x86_64", "glibc 2.28")


def test_over_a_machine_only_what_is_said_changes() -> None:
    base = load(str(FOLDER / "v100-535.json"))
    newer = made(base, driver="580.65.06")
    assert newer.driver
    assert (newer.driver.version, newer.driver.cuda) == ("580.65.06", None)
    assert newer.gpus == base.gpus
    assert newer.os == base.os
    elsewhere = made(base, platform="windows-x86_64")
    assert elsewhere.os.system == "windows"
    assert elsewhere.driver == base.driver
    assert made(base, driver="none").driver is None


def test_what_could_not_be_read_is_settled_by_what_is_said() -> None:
    broken = load(str(FOLDER / "library-mismatch.json"))
    assert broken.undetermined
    assert made(broken, driver="550.90.07").undetermined is None


def test_a_jetson_is_known_by_its_gpu() -> None:
    assert made(driver="540.4", gpus=("sm_87",), platform="linux-aarch64").os.tegra
    assert made(driver="540.4", gpus=("sm_86",), platform="linux-aarch64").os.tegra is None


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ({"driver": "12.4", "gpus": ("A100",)}, "looks like a CUDA version", "550"),
        ({"driver": "13.0", "gpus": ("A100",)}, "looks like a CUDA version", "580"),
        ({"driver": "99.9", "gpus": ("A100",)}, "looks like a CUDA version", "550.54.15"),
        ({"driver": "r550", "gpus": ("A100",)}, "not a driver version", "none"),
        ({"driver": "550;rm", "gpus": ("A100",)}, "not a driver version", "none"),
        ({"driver": "550"}, "no GPU is known", "--gpu"),
        ({"gpus": ("A100",)}, "no driver is known", "--driver"),
        ({"driver": "550", "gpus": ("A100",), "glibc": "old"}, "not a version of glibc", "2.28"),
        ({"driver": "550", "gpus": ("89",)}, "no GPU is known", "sm_89"),
        ({"driver": "550", "gpus": ("RTX",)}, "the name of different GPUs", "sm_89"),
        ({"driver": "550", "gpus": ("",)}, "no GPU is known", "sm_89"),
        ({"driver": "550", "gpus": ("RTX 4065",)}, "no GPU is known", "sm_89"),
        ({"driver": "550", "gpus": ("1g.10gb",)}, "does not say of which", "H100 MIG"),
        ({"driver": "550", "gpus": ("NVIDIA GeForce RTX 30...",)}, "the name of different GPUs", "nvidia-smi -L"),
    ],
)
def test_what_cannot_be_meant(words: dict[str, Any], error: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        made(**words)
    assert error in caught.value.what
    assert hint in (caught.value.hint or "")
