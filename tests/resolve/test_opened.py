"""Libraries that a build opens by name and nothing beside it brings."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cudafit.model.matrix import Build
from cudafit.resolve.opened import lacking, told

TORCH = Build("torch", "2.14.1", "cu126", "linux-x86_64", "pytorch-cu126", cuda="12.6", cudnn="9.10.2.21")
TORCH_13 = Build("torch", "2.15.0", "cu132", "linux-x86_64", "pypi", cuda="13.2", requires=("nvidia-cudnn-cu13==9.2",))
CPU = Build("torch", "2.14.1", "cpu", "linux-x86_64", "pytorch-cpu")


def opening(*names: str, variant: str = "cu12", requires: tuple[str, ...] = ()) -> Build:
    return Build("x", "1", variant, "linux-x86_64", "pypi", requires=requires, opens=names, sources=("x-1",))


@pytest.mark.parametrize(
    ("build", "beside", "asked", "needs"),
    [
        (opening("libcublas.so.12"), (), (), ["nvidia-cublas-cu12"]),
        (opening("libcublas.so.12", "libcublasLt.so.12"), (CPU,), ("x",), ["nvidia-cublas-cu12"]),
        (opening("libcublas.so.12"), (TORCH_13,), (), ["nvidia-cublas-cu12"]),
        (opening("libcublas.so.13", variant="cu130"), (), (), ["nvidia-cublas"]),
        (opening("libcudnn_ops.so.9", "libcudnn.so.9"), (), (), ["nvidia-cudnn-cu12==9.*"]),
        (opening("libcudnn_ops_infer.so.8"), (), (), ["nvidia-cudnn-cu12==8.*"]),
        (replace(opening("libcublas.so.12"), cudnn="9"), (), (), ["nvidia-cublas-cu12", "nvidia-cudnn-cu12==9.*"]),
        (opening("libcurand.so.10"), (), (), ["nvidia-curand-cu12"]),
        (opening("libcublas.so.12"), (TORCH,), (), []),
        (opening("libcublas.so.12"), (), ("nvidia-cublas-cu12",), []),
        (opening("libcublas.so.12", requires=("nvidia-cublas-cu12<13",)), (), (), []),
        (opening("libcublas.so.12", requires=("cuda-toolkit[cublas]==12.*",)), (), (), []),
        (opening("libcuda.so.1", "libnvidia-ml.so.1"), (), (), []),
        (opening(variant="cpu"), (), (), []),
    ],
)
def test_what_is_lacking(build: Build, beside: Sequence[Build], asked: Sequence[str], needs: list[str]) -> None:
    assert list(lacking(build, beside, asked)) == needs


def test_it_is_told_with_what_to_install() -> None:
    build = opening("libcublas.so.12", "libcudnn.so.9")
    text = told(build, lacking(build, (), ()))
    assert "x 1 opens libcublas.so.12, libcudnn.so.9" in text
    assert "install nvidia-cublas-cu12 'nvidia-cudnn-cu12==9.*' beside it" in text
