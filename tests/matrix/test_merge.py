"""A harvest laid into a folder."""

from pathlib import Path

import pytest

from cudafit.matrix.folder import read_folder
from cudafit.matrix.linters import check
from cudafit.matrix.merge import merged_files
from cudafit.model.matrix import Build, Source
from tests.matrix.folders import folder, plant

READ = Build(
    "torch",
    "2.5.0",
    "cu124",
    "linux-x86_64",
    "pypi",
    cuda="12.4",
    kernels=("sm_80", "sm_90"),
    pythons=("3.12",),
    tags=("manylinux_2_28_x86_64",),
    sources=("torch-2.5.0-linux-x86_64",),
)
WHEEL = Source("torch-2.5.0-linux-x86_64", "torch.whl", "wheel", read="2026-02-02", reliability="A", sha256="ab" * 32)


def torch_rows(texts: dict[str, str], path: Path) -> dict[tuple[str, str], Build]:
    changed = read_folder(plant(path, texts))
    assert changed.flaws == []
    return {(entry.record.version, entry.record.variant): entry.record for entry in changed.entries("builds")}


def test_what_the_wheel_tells_replaces_and_the_rest_stays(tmp_path: Path) -> None:
    texts = merged_files(folder(tmp_path), [READ], [WHEEL])
    row = torch_rows(texts, tmp_path)["2.5.0", "cu124"]
    assert row.kernels == ("sm_80", "sm_90")
    assert row.requires == ("nvidia-nccl-cu12<3,>=2",), "the wheel said nothing of it"
    assert row.sources == ("torch-2.5.0-linux-x86_64", "doc")
    assert check(read_folder(str(tmp_path))) == []


def test_a_wrong_variant_goes(tmp_path: Path) -> None:
    windows = Build("torch", "2.6.0", "cu124", "windows-x86_64", "pypi", cuda="12.4", sources=(WHEEL.name,))
    rows = torch_rows(merged_files(folder(tmp_path), [windows], [WHEEL]), tmp_path)
    assert set(rows) == {("2.5.0", "cu124"), ("2.6.0", "cu124")}


def test_the_same_again_changes_nothing_whatever_the_day(tmp_path: Path) -> None:
    plant(tmp_path, merged_files(folder(tmp_path), [READ], [WHEEL]))
    later = Source(**{**{name: getattr(WHEEL, name) for name in WHEEL.__dataclass_fields__}, "read": "2027-01-01"})
    assert merged_files(read_folder(str(tmp_path)), [READ], [later]) == {}


def test_another_wheel_under_the_same_name_is_read_on_another_day(tmp_path: Path) -> None:
    plant(tmp_path, merged_files(folder(tmp_path), [READ], [WHEEL]))
    other = Source("torch-2.5.0-linux-x86_64", "torch.whl", "wheel", read="2027-01-01", sha256="cd" * 32)
    texts = merged_files(read_folder(str(tmp_path)), [READ], [other])
    assert list(texts) == ["sources.yaml"]
    assert "2027-01-01" in texts["sources.yaml"]


def test_a_new_package_gets_a_file_and_unused_sources_go(tmp_path: Path) -> None:
    build = Build("triton", "3.2.0", "any", "linux-x86_64", "pypi", sources=(WHEEL.name,))
    unused = Source("idle", "x", "wheel", sha256="ab" * 32)
    texts = merged_files(folder(tmp_path), [build], [WHEEL, unused])
    assert texts["frameworks/triton.yaml"].startswith("# Builds of triton")
    assert "idle" not in texts["sources.yaml"]


@pytest.mark.parametrize("known", [True, False])
def test_a_variant_that_the_wheel_leaves_open(known: bool, tmp_path: Path) -> None:
    version = "2.5.0" if known else "2.9.0"
    build = Build("torch", version, "", "linux-x86_64", "pypi", sources=(WHEEL.name,))
    row = torch_rows(merged_files(folder(tmp_path), [build], [WHEEL]), tmp_path)[version, "cu124" if known else "cu"]
    assert row.verified is known
