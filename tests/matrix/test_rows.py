"""Rows of texts to records, and back."""

from dataclasses import fields

import pytest

from cudafit.matrix.folder import FILES
from cudafit.matrix.rows import RowError, from_row, to_row
from cudafit.model.matrix import Build, GpuModel

FULL = Build(
    "torch",
    "2.15.0",
    "cu132",
    "linux-x86_64",
    "pypi",
    cuda="13.2",
    kernels=("sm_75", "sm_80"),
    pythons=("3.12", "3.13t"),
    requires=("cuda-toolkit[cublas]==13.2.2", "nvidia-nccl-cu13<3,>=2"),
    verified=False,
    note="a: b",
    sources=("one", "two"),
)


def test_round_trip() -> None:
    assert from_row(Build, to_row(FULL)) == FULL


def test_defaults_are_left_out() -> None:
    row = to_row(Build("torch", "1.0", "cpu", "any", "pypi"))
    assert row == {"name": "torch", "version": "1.0", "variant": "cpu", "platform": "any", "index": "pypi"}


def test_known_to_be_empty_is_not_the_same_as_unknown() -> None:
    empty = Build("torch", "1.0", "cu12", "any", "pypi", kernels=())
    assert to_row(empty)["kernels"] == ""
    assert from_row(Build, to_row(empty)).kernels == ()
    assert from_row(Build, {**to_row(empty), "kernels": "sm_80"}).kernels == ("sm_80",)


def test_yes_and_no() -> None:
    row = {"name": "A", "compute_capability": "8.0", "bf16": "yes"}
    assert from_row(GpuModel, row).bf16 is True
    with pytest.raises(RowError, match="must be yes or no, not `true`"):
        from_row(GpuModel, {**row, "bf16": "true"})


def test_every_record_is_made_of_what_a_row_can_hold() -> None:
    kinds = [kind for sections in FILES.values() for kind in sections.values()]
    allowed = {"str", "str | None", "bool", "bool | None", "tuple[str, ...]", "tuple[str, ...] | None"}
    for kind in [*kinds, Build]:
        for part in fields(kind):
            shown = part.type if isinstance(part.type, str) else getattr(part.type, "__name__", str(part.type))
            if "[" in str(part.type) or "|" in str(part.type):
                shown = str(part.type)
            assert shown in allowed, (kind, part.name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("version", "x"),
        ("version", "9" * 5000),
        ("cuda", "$"),
        ("pythons", "3.12 x"),
        ("requires", "a>>1"),
        ("requires_python", "3"),
    ],
)
def test_a_value_that_the_rules_cannot_compute_with_is_refused(name: str, text: str) -> None:
    row = {"name": "torch", "version": "2.9.0", "variant": "cu126", "platform": "linux-x86_64", "index": "pypi"}
    assert from_row(Build, row)
    with pytest.raises(RowError, match=f"`{name}` cannot be"):
        from_row(Build, {**row, name: text})


@pytest.mark.parametrize("text", ["0", "-1", "nan", "1e999", "16/x", "16/0"])
def test_a_figure_is_more_than_nothing(text: str) -> None:
    with pytest.raises(RowError, match="`memory_gb` cannot be"):
        from_row(GpuModel, {"name": "a", "compute_capability": "8.9", "memory_gb": text})
