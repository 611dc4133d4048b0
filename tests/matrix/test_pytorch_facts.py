"""What is known of PyTorch's index: what locks quote of it, and what they contradicted."""

from pathlib import Path

import pytest

from cudafit.matrix.compiled import Compiled, open_compiled
from cudafit.model.matrix import Build, wheel_version
from cudafit.resolve.versions import parsed

FAMILY = ("torch", "torchvision", "torchaudio")
# The last versions whose CUDA wheels for aarch64 carry no mark.
UNMARKED = {"torch": "2.5.1", "torchvision": "0.24.1", "torchaudio": "2.9.1"}


@pytest.fixture(scope="module")
def matrix(compiled: Path) -> Compiled:
    found = open_compiled(str(compiled))
    assert found is not None
    return found


def of_pytorch(matrix: Compiled, name: str) -> list[Build]:
    return [build for build in matrix.builds(name) if build.index.startswith("pytorch-")]


def one(matrix: Compiled, name: str, version: str, variant: str, platform: str) -> Build:
    rows = of_pytorch(matrix, name)
    return next(row for row in rows if (row.version, row.variant, row.platform) == (version, variant, platform))


@pytest.mark.parametrize("name", FAMILY)
def test_cuda_wheels_for_arm_are_named_as_they_are(matrix: Compiled, name: str) -> None:
    rows = [row for row in of_pytorch(matrix, name) if row.platform == "linux-aarch64"]
    cuda = [row for row in rows if row.variant != "cpu"]
    assert cuda
    for row in cuda:
        # torch 2.6 had its mark before its companions.
        unmarked = parsed(row.version) <= parsed(UNMARKED[name])
        assert wheel_version(row) == (row.version if unmarked else f"{row.version}+{row.variant}")


@pytest.mark.parametrize("version", ["2.9.0", "2.9.1", "2.10.0", "2.11.0", "2.12.1", "2.13.0"])
def test_cuda_12_9_is_there_for_arm(matrix: Compiled, version: str) -> None:
    assert one(matrix, "torch", version, "cu129", "linux-aarch64").cuda == "12.9"


@pytest.mark.parametrize("version", ["2.8.0", "2.9.0"])
def test_cuda_12_9_is_there_for_windows(matrix: Compiled, version: str) -> None:
    assert "3.12" in one(matrix, "torch", version, "cu129", "windows-x86_64").pythons


@pytest.mark.parametrize(
    ("version", "variant", "platform"),
    [
        ("2.13.0", "cu126", "linux-x86_64"),
        ("2.13.0", "cu130", "linux-aarch64"),
        ("2.14.0", "cu130", "windows-x86_64"),
    ],
)
def test_python_3_15_is_there(matrix: Compiled, version: str, variant: str, platform: str) -> None:
    assert "3.15" in one(matrix, "torch", version, variant, platform).pythons


def test_cudnn_of_torch_2_11_for_cuda_12_8(matrix: Compiled) -> None:
    for platform in ("linux-x86_64", "linux-aarch64"):
        row = one(matrix, "torch", "2.11.0", "cu128", platform)
        assert row.cudnn == "9.19.0.56"
        assert "nvidia-cudnn-cu12==9.19.0.56" in row.requires


def test_cuda_12_4_has_no_wheels_for_python_3_13_where_a_listing_has_none(matrix: Compiled) -> None:
    assert one(matrix, "torch", "2.5.1", "cu124", "linux-aarch64").pythons == ("3.9", "3.10", "3.11", "3.12")
    assert "3.13" in one(matrix, "torch", "2.5.1", "cu124", "linux-x86_64").pythons
    gone = [("torchvision", "0.19.1"), ("torchaudio", "2.4.1")]
    for name, version in gone:
        rows = [row for row in of_pytorch(matrix, name) if (row.version, row.variant) == (version, "cu124")]
        assert "linux-aarch64" not in {row.platform for row in rows}


def test_torch_2_6_has_free_threaded_wheels_and_its_own_tag_for_arm(matrix: Compiled) -> None:
    assert "3.13t" in one(matrix, "torch", "2.6.0", "cu124", "linux-x86_64").pythons
    assert one(matrix, "torch", "2.6.0", "cu126", "linux-aarch64").tags == ("linux_aarch64",)


def test_windows_on_arm_has_wheels_for_the_cpu(matrix: Compiled) -> None:
    assert one(matrix, "torch", "2.9.1", "cpu", "windows-aarch64").tags == ("win_arm64",)


def test_every_release_since_2_4_has_its_triton(matrix: Compiled) -> None:
    # From 2.2.1 to 2.3.1 the wheels require one below Python 3.12 alone.
    tritons = {row.version for row in matrix.builds("triton")}
    for row in of_pytorch(matrix, "torch"):
        if row.variant.startswith("cu") and row.platform == "linux-x86_64" and parsed(row.version) >= parsed("2.4.0"):
            assert any(text.startswith("triton") for text in row.requires), row
            assert row.triton in tritons


def test_a_row_that_a_lock_stands_behind_has_its_hashes(matrix: Compiled) -> None:
    kept = {(row.package, row.version, row.platform, row.index): row.files for row in matrix.facts("wheels").wheels}
    assert sum(not text.endswith("=-") for files in kept.values() for text in files) >= 2500
    for name in FAMILY:
        for row in of_pytorch(matrix, name):
            if row.evidence == "lock":
                files = kept[name, wheel_version(row), row.platform, row.index]
                assert any(not text.endswith("=-") for text in files)
