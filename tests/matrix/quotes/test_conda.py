"""Rows of conda-forge's builds beside what locks quote and recipes announce."""

from pathlib import Path

import pytest

from cudafit.matrix.quotes.judge import judged
from cudafit.matrix.quotes.outcome import Outcome
from cudafit.matrix.quotes.places import Places
from cudafit.model.matrix import CondaBuild, Facts, Matrix, QuotedWheels, Source
from cudafit.model.quoted import CondaListed, CondaQuote, Quotes
from tests.matrix.folders import INDEXES, folder

ONE, TWO = Source("one@1", "pixi.lock of one", "lock"), Source("two@2", "conda-lock.yml of two", "lock")
RECIPE = Source("recipe@3", "a recipe", "repository")
CONDA = """# conda.

conda_builds:
- {feedstock: pytorch-cpu, version: 2.9.1, cuda: 12.9, platform: linux-aarch64, sources: doc}
- {feedstock: pytorch-cpu, version: 2.9.1, cuda: 12.9, platform: linux-x86_64, kernels: sm_60 sm_90, sources: doc}
"""
A, B = "aa" * 32, "bb" * 32
LABEL = "pytorch-cpu 2.9.1 for CUDA {} ({}, conda-forge)"
CHANNEL = "https://conda.anaconda.org/conda-forge"


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    indexes = f"{INDEXES}- {{name: conda-forge, kind: conda, url: '{CHANNEL}', sources: doc}}\n"
    return folder(tmp_path, conda=CONDA, indexes=indexes).matrix()


def judge(matrix: Matrix, *quotes: CondaQuote, listed: tuple[CondaListed, ...] = ()) -> Outcome:
    return judged(matrix, [Quotes(conda=quotes, conda_listed=listed)], Places(matrix.facts.indexes, []))


def quote(
    build: str = "cuda129_mkl_py312_h0_301",
    sha256: str | None = A,
    source: Source = ONE,
    *,
    package: str = "pytorch",
    version: str = "2.9.1",
    platform: str = "linux-x86_64",
    depends: tuple[str, ...] = (),
    place: str = CHANNEL,
) -> CondaQuote:
    return CondaQuote(package, version, build, platform, sha256, source, depends, None, place)


def row(outcome: Outcome, cuda: str = "12.9", platform: str = "linux-x86_64") -> CondaBuild:
    return next(one for one in outcome.conda or () if (one.cuda, one.platform) == (cuda, platform))


def test_a_build_that_a_lock_quotes_is_confirmed(matrix: Matrix) -> None:
    outcome = judge(matrix, quote())
    found = row(outcome)
    assert (found.evidence, found.kernels, found.sources) == ("lock", ("sm_60", "sm_90"), ("one@1", "doc"))
    assert found.pythons == ()  # one that is quoted is not all
    assert outcome.counted == {"confirmed": 1}
    assert outcome.wheels == [
        QuotedWheels(
            "pytorch",
            "2.9.1",
            "linux-x86_64",
            "conda-forge",
            (f"pytorch-2.9.1-cuda129_mkl_py312_h0_301={A}",),
            ("one@1",),
        )
    ]


def test_libtorch_and_its_like_are_of_the_same_recipe(matrix: Matrix) -> None:
    outcome = judge(matrix, quote("cuda126_generic_h0_0", package="libtorch"))
    found = row(outcome, "12.6")
    assert (found.evidence, found.verified, found.note) == ("lock", False, "which kernels it holds was not read")
    assert outcome.added == [LABEL.format("12.6", "linux-x86_64")]


def test_of_several_builds_the_one_that_asks_for_least_counts(matrix: Matrix) -> None:
    strict = quote("cuda129_mkl_py312_h1_302", B, depends=("cudnn >=9.13.0.50,<10.0a0",))
    asks = quote(depends=("cudnn <9.11", "cudnn >=9.10.1.4,<10.0a0"))
    plain = quote("cuda129_mkl_py313_h0_301", None, depends=("python", "cudnn >=9.10.1.4,<10.0a0", "cudnn * x"))
    outcome = judge(matrix, strict, asks, plain)
    assert row(outcome).requires == ("cudnn>=9.10.1.4,<10.0a0",)
    # The recipe asks for it alike on the other platforms.
    assert row(outcome, platform="linux-aarch64").requires == ("cudnn>=9.10.1.4,<10.0a0",)
    assert row(outcome, platform="linux-aarch64").evidence == "release notes"
    assert row(judge(matrix, asks)).requires == ("cudnn>=9.10.1.4,<10.0a0,<9.11",)


def test_a_recipe_tells_all_pythons_and_a_lock_one_more(matrix: Matrix) -> None:
    cell = CondaListed("pytorch-cpu", "2.9.1", "12.9", "linux-x86_64", ("3.11", "3.12"), "release notes", RECIPE)
    assert row(judge(matrix, listed=(cell,))).pythons == ("3.11", "3.12")
    outcome = judge(matrix, quote("cuda129_mkl_py314_h0_301"), listed=(cell,))
    assert row(outcome).pythons == ("3.11", "3.12", "3.14")
    assert outcome.counted["added"] == 1


def test_a_second_reading_changes_nothing(matrix: Matrix) -> None:
    told = (quote(depends=("libcudnn >=9.10.2.21,<10.0a0",)), quote("cuda130_mkl_py312_h0_301", B))
    first = judge(matrix, *told)
    facts = Facts(
        indexes=matrix.facts.indexes, conda_builds=tuple(first.conda or ()), wheels=tuple(first.wheels), sources=(ONE,)
    )
    again = judge(Matrix(facts, matrix.builds), *told)
    assert again.conda is None
    assert again.wheels == first.wheels
    assert again.counted == {"confirmed": 2}


def test_of_two_hashes_neither_is_taken(matrix: Matrix) -> None:
    outcome = judge(matrix, quote(), quote(sha256=B, source=TWO))
    assert outcome.conda is None
    assert outcome.wheels == []
    assert len(outcome.refused) == 1
    assert "pytorch-2.9.1-cuda129_mkl_py312_h0_301: sha256" in outcome.refused[0]


def test_other_packages_are_recorded_and_other_channels_left(matrix: Matrix) -> None:
    outcome = judge(
        matrix,
        quote("h0_0", package="nccl", version="2.27.3.1"),
        quote("cpu_generic_py312_h0_1"),
        quote("py3.12_cuda12.4_0", place="https://conda.anaconda.org/pytorch"),
    )
    assert outcome.conda is None
    assert outcome.counted == {"recorded": 2, "left": 1}
    assert outcome.left == {"pytorch: of a channel that the matrix does not name": 1}


def test_what_was_never_on_the_channel_makes_no_row(matrix: Matrix) -> None:
    cell = CondaListed("pytorch-cpu", "2.9.0.dev0", "12.9", "linux-x86_64", (), "release notes", RECIPE)
    assert judge(matrix, listed=(cell,)).conda is None
