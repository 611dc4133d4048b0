"""Rows of packages that say nothing of their CUDA: their libraries tell it."""

import struct
from pathlib import Path

import pytest

from cudafit.matrix.harvest.cache import Cache
from cudafit.matrix.harvest.harvest import Harvest, harvest
from cudafit.matrix.harvest.libraries import cuda_majors, cuda_of
from cudafit.matrix.merge import merged_builds
from cudafit.model.matrix import Build
from tests.elf_files import library
from tests.matrix.harvest.server import Index, serving, wheel

NEW = "xgboost-3.3.0-py3-none-manylinux_2_28_x86_64.whl"
OLD_SYSTEMS = "xgboost-3.3.0-py3-none-manylinux2014_x86_64.whl"
CODE = library(
    kernels=["sm_75", "sm_90a", "compute_90"],
    more=[["sm_75"]],
    constants=["libnccl.so.2"],
    needs={"libc.so.6": ["GLIBC_2.28"]},
)
NCCL = "Requires-Dist: nvidia-nccl-cu12 ; platform_system == 'Linux'\nRequires-Dist: numpy"


def made(code: bytes, requires: str = "", version: str = "3.3.0", name: str = "libxgboost.so") -> bytes:
    return wheel({f"xgboost/lib/{name}": code}, "xgboost", version, requires)


def read(files: dict[str, bytes], folder: Path, package: str = "xgboost") -> Harvest:
    with serving(Index({package: files})) as index:
        return harvest([package], index.address, "pypi", "2026-01-01", cache=Cache(str(folder)), workers=2)


def test_a_row_says_what_the_libraries_hold_and_need(tmp_path: Path) -> None:
    result = read({NEW: made(CODE, NCCL)}, tmp_path)
    assert result.failures == []
    (build,) = result.builds
    assert (build.variant, build.cuda) == ("cu12", "12.8")  # by nvidia-nccl-cu12; PTX 8.7 is written by CUDA 12.8
    assert build.kernels == ("sm_75", "sm_90a", "compute_90")
    assert build.partly == ("sm_90a:1/2", "compute_90:1/2")
    assert (build.opens, build.needs, build.torch_abi) == (("libnccl.so.2",), ("GLIBC_2.28",), None)
    assert build.requires == ("numpy", "nvidia-nccl-cu12")


def test_a_wheel_for_old_systems_that_holds_no_kernels_is_a_build_of_its_own(tmp_path: Path) -> None:
    result = read({NEW: made(CODE, NCCL), OLD_SYSTEMS: made(library(), "Requires-Dist: numpy")}, tmp_path)
    assert [(build.variant, build.tags) for build in result.builds] == [
        ("cpu", ("manylinux2014_x86_64",)),
        ("cu12", ("manylinux_2_28_x86_64",)),
    ]
    assert [source.name for source in result.sources] == [
        "xgboost-3.3.0-linux-x86_64",
        "xgboost-3.3.0-linux-x86_64-217",
    ]
    # Later one of the two is known, and the other is read again: neither drives the other out.
    assert {row.variant for row in merged_builds(result.builds, result.builds[:1])} == {"cpu", "cu12"}
    assert {row.variant for row in merged_builds(result.builds, result.builds[1:])} == {"cpu", "cu12"}


def test_two_wheels_that_hold_the_same_are_one_build(tmp_path: Path) -> None:
    files = {NEW: made(library()), OLD_SYSTEMS: made(library(soname="another"))}
    (build,) = read(files, tmp_path).builds
    assert build.tags == ("manylinux2014_x86_64", "manylinux_2_28_x86_64")
    assert build.sources == ("xgboost-3.3.0-linux-x86_64", "xgboost-3.3.0-linux-x86_64-217")


def test_what_it_opens_by_name_tells_its_cuda(tmp_path: Path) -> None:
    code = library(constants=["libcublas.so.12", "libcudnn.so.9"])
    (build,) = read({NEW: made(code)}, tmp_path).builds
    assert (build.variant, build.kernels, build.opens) == ("cu12", (), ("libcublas.so.12", "libcudnn.so.9"))


def test_a_library_that_it_brings_is_not_needed(tmp_path: Path) -> None:
    code = library(["libcudart.so.12"], kernels=["sm_80", "compute_80"])
    brought = wheel({"xgboost/lib/libxgboost.so": code, "xgboost/lib/libcudart.so.12": library()}, "xgboost", "3.3.0")
    (build,) = read({NEW: brought}, tmp_path).builds
    assert build.opens == ()


@pytest.mark.parametrize(
    ("brought", "opens"),
    [
        (["libcudnn-74a4c495.so.9.1.0"], ("libcudnn_ops.so.9",)),
        (["libcudnn-74a4c495.so.9.1.0", "libcudnn_ops-0a1b2c3d.so.9.1.0"], ()),
        (["libcudnn-463fd6d5.so.8.9.7"], ()),
        (["cudnn64_9.dll"], ("cudnn_ops64_9.dll",)),
    ],
)
def test_the_front_of_cudnn_opens_its_parts(tmp_path: Path, brought: list[str], opens: tuple[str, ...]) -> None:
    files = {f"xgboost.libs/{name}": library(soname=name) for name in brought}
    (build,) = read({NEW: wheel({"xgboost/lib/x.so": library(), **files}, "xgboost", "3.3.0")}, tmp_path).builds
    assert (build.opens or ()) == opens


def test_a_small_wheel_of_many_libraries_is_fetched_at_once(tmp_path: Path) -> None:
    many = {f"xgboost/lib/lib{number}.so": library(soname=f"lib{number}", kernels=["sm_80"]) for number in range(20)}
    with serving(Index({"xgboost": {NEW: wheel(many, "xgboost", "3.3.0")}})) as index:
        result = harvest(["xgboost"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)), workers=2)
        assert len(index.served) <= 3
    assert result.builds[0].kernels == ("sm_80",)


def test_a_windows_wheel_without_kernels_is_a_cpu_build(tmp_path: Path) -> None:
    (build,) = read(
        {"xgboost-3.3.0-py3-none-win_amd64.whl": made(b"MZ" + bytes(80), name="xgboost.dll")}, tmp_path
    ).builds
    assert (build.variant, build.kernels, build.opens) == ("cpu", None, None)


def test_a_wheel_without_libraries_is_for_any_machine(tmp_path: Path) -> None:
    needs = "Requires-Dist: ctranslate2<5,>=4\nRequires-Dist: nvidia-x-cu12 ; extra == 'cu12'"
    plain = wheel({"faster_whisper/a.py": "x = 1"}, "faster_whisper", "1.2.1", needs)
    (build,) = read({"faster_whisper-1.2.1-py3-none-any.whl": plain}, tmp_path, "faster-whisper").builds
    assert (build.variant, build.requires) == ("any", ("ctranslate2<5,>=4",))


def test_what_a_wheel_without_libraries_requires_is_no_variant_of_it(tmp_path: Path) -> None:
    """nvidia-cutlass-dsl requires the libraries of CUDA 12, and its extra `cu13` those of CUDA 13 as well."""
    plain = wheel(
        {"cutlass/a.py": "x = 1"}, "nvidia_cutlass_dsl", "4.8.0", "Requires-Dist: nvidia-cutlass-dsl-libs-cu12==4.8.0"
    )
    (build,) = read({"nvidia_cutlass_dsl-4.8.0-py3-none-any.whl": plain}, tmp_path, "nvidia-cutlass-dsl").builds
    assert (build.variant, build.requires) == ("any", ("nvidia-cutlass-dsl-libs-cu12==4.8.0",))


def test_forged_section_headers_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    forged = bytearray(CODE)
    struct.pack_into("<Q", forged, 40, 1 << 40)
    other = "xgboost-3.2.0-py3-none-manylinux_2_28_x86_64.whl"
    result = read({NEW: made(bytes(forged), NCCL), other: made(CODE, NCCL, "3.2.0")}, tmp_path)
    assert result.failures == [f"{NEW}: `xgboost/lib/libxgboost.so`: its section headers lie outside of the file"]
    assert [build.version for build in result.builds] == ["3.2.0"]


@pytest.mark.parametrize(("ptx", "cuda"), [((8, 7), "12.8"), ((8, 5), "12"), ((9, 7), "13"), ((5, 0), None)])
def test_the_version_of_ptx_tells_the_compiler(ptx: tuple[int, int], cuda: str | None) -> None:
    assert cuda_of(ptx) == cuda


def test_majors_by_the_names_of_libraries() -> None:
    assert cuda_majors(["libcublas.so.12", "libcudnn.so.9", "libnccl.so.2", "cudart64_110.dll"]) == {12, 11}


def test_a_row_whose_cuda_was_not_known_is_settled_by_one_that_tells() -> None:
    old = Build(
        "a",
        "1",
        "cu",
        "linux-x86_64",
        "pypi",
        verified=False,
        note="its CUDA version is not known",
        sources=("a-1-linux-x86_64",),
    )
    new = Build("a", "1", "cu12", "linux-x86_64", "pypi", sources=("a-1-linux-x86_64",))
    assert merged_builds([old], [new]) == [new]
