"""Whether two builds can stand in one environment."""

from typing import Any

import pytest

from cudafit.model.matrix import Build, SharedPlace
from cudafit.resolve.pins import Sharing, is_gpu, label, requirements

PLACES = [SharedPlace("nvidia/cudnn/lib", ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13"), sources=("read",))]


def build(name: str, version: str = "1", variant: str = "any", **more: Any) -> Build:
    return Build(name, version, variant, more.pop("platform", "linux-x86_64"), more.pop("index", "pypi"), **more)


def torch_for(cuda: str, version: str = "1") -> Build:
    return build("torch", version, variant=f"cu{cuda.replace('.', '')}", cuda=cuda)


MANY = build("bnb", variant="multi", torch_cudas=("11.8", "12.1"))


def clash_rule(one: Build, other: Build) -> str | None:
    there, back = Sharing(PLACES).clash(one, other), Sharing(PLACES).clash(other, one)
    assert (there is None) == (back is None), "it does not matter who is asked first"
    return there.rule if there else None


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (build("torch"), build("numpy"), None),
        (build("vision", requires=("torch==1",)), build("torch", "1"), None),
        (build("vision", requires=("torch==1",)), build("torch", "2"), "pairing"),
        (build("a", requires=("lib>=2",)), build("b", requires=("lib<3",)), None),
        (build("a", requires=("lib>=3",)), build("b", requires=("lib<3",)), "shared-libraries"),
        (build("a", requires=("lib==3.1",)), build("b", requires=("lib==3.2",)), "shared-libraries"),
        (build("torch", variant="cu130"), build("tensorflow", variant="cu12"), "shared-libraries"),
        (build("torch", variant="cu126"), build("tensorflow", variant="cu12"), None),
        (build("torch", variant="cu130"), build("tensorflow", variant="cpu"), None),
        (build("a", requires=("nvidia-cudnn-cu12",)), build("b", requires=("nvidia-cudnn-cu13",)), "shared-libraries"),
        (build("a", requires=("nvidia-cudnn-cu12>=9",)), build("b", requires=("nvidia-cudnn-cu12>=9.1",)), None),
        # An exact requirement means the same CUDA too.
        (
            build("vision", variant="cu128", cuda="12.8", requires=("torch==1",)),
            build("torch", "1", variant="cu126", cuda="12.6"),
            "pairing",
        ),
        (
            build("vllm", variant="cu128", cuda="12.8", requires=("torch>=1",)),
            build("torch", "1", variant="cu126", cuda="12.6"),
            None,
        ),
        (
            build("ct2", variant="cu12", opens=("libcudnn_ops_infer.so.8",)),
            torch_for("12.9", "2.11.0"),
            "shared-libraries",
        ),
        (build("ct2", variant="cu12", opens=("libcudnn_ops.so.9",)), torch_for("12.9", "2.11.0"), None),
        (build("ct2", variant="cu12", opens=("libcudnn_ops.so.9",)), torch_for("12.1", "2.3.1"), None),
        # PyTorch's indexes: of two only one is asked.
        (build("torch", index="pytorch-cu126"), build("torchcodec", index="pytorch-cpu"), "pairing"),
        (build("torch", index="pytorch-cu126"), build("torchcodec", index="pypi"), None),
        # A library for each CUDA: that of torch's is loaded, or another one of its major.
        (MANY, torch_for("12.6"), "pairing"),
        (MANY, torch_for("12.1"), None),
        (MANY, build("torch", variant="cpu"), None),
        (MANY, build("tensorflow", variant="cu126", cuda="12.6"), None),
        (build("bnb", variant="multi", torch_cudas=("11.8", "12.1"), nearest=True), torch_for("12.6"), None),
        (build("bnb", variant="multi", torch_cudas=("11.8", "12.1"), nearest=True), torch_for("13.0"), "pairing"),
    ],
)
def test_clash(one: Build, other: Build, rule: str | None) -> None:
    assert clash_rule(one, other) == rule


def test_a_wheel_of_pytorchs_index_requires_the_libraries_that_its_row_names() -> None:
    torch = build("torch", "2.14.1", "cu126", index="pytorch-cu126", cuda="12.6", cudnn="9.10.2.21", nccl="2.27.5")
    assert [(one.name, one.specifier) for one in requirements(torch)] == [
        ("nvidia-cudnn-cu12", "==9.10.2.21"),
        ("nvidia-nccl-cu12", "==2.27.5"),
    ]
    assert requirements(build("torch", variant="cu126", index="pytorch-cu126", platform="windows-x86_64")) == ()
    assert clash_rule(torch, build("x", requires=("nvidia-cudnn-cu12>=9.11",))) == "shared-libraries"


def test_what_an_extra_requires_counts_when_it_is_wanted() -> None:
    toolkit = build("cuda-toolkit", requires=("nvidia-cublas==13.1;extra=='cublas'", "nvidia-x==1"))
    assert [one.name for one in requirements(toolkit)] == ["nvidia-x"]
    assert [one.name for one in requirements(toolkit, ["cublas"])] == ["nvidia-cublas", "nvidia-x"]


def test_names() -> None:
    assert label(build("torch", "2.15.0", "cu132")) == "torch 2.15.0 (cu132)"
    assert label(build("keras", "3.1")) == "keras 3.1"
    assert is_gpu(build("x", variant="cu12"))
    assert is_gpu(build("x", variant="multi"))
    assert not is_gpu(build("x", variant="cpu"))
