"""Rows beside what locks quote: confirmed, extended, added, settled, and what nobody is believed of."""

from pathlib import Path

import pytest

from cudafit.matrix.quotes.judge import judged
from cudafit.matrix.quotes.outcome import Outcome
from cudafit.matrix.quotes.places import Places
from cudafit.model.matrix import Build, Matrix, QuotedWheels, Source, wheel_version
from cudafit.model.quoted import Listed, Pin, Quote, Quotes
from tests.matrix.folders import INDEXES, folder

URL = "https://download.example.org/whl/cu130"
PLACES = f"{INDEXES}- {{name: pytorch-cu130, kind: extra, url: '{URL}', sources: doc}}\n"
TORCH = """# torch.
package: torch

builds:
- {version: 2.9.1, variant: cpu, platform: linux-aarch64, index: pypi, pythons: 3.12, requires: '', sources: doc}
- {version: 2.9.1, variant: cu130, platform: linux-aarch64, index: pytorch-cu130, cuda: 13.0, cudnn: 9.1.0.1, \
pythons: 3.11 3.12, tags: manylinux_2_28_aarch64, evidence: release notes, sources: doc}
- {version: 2.9.1, variant: cu130, platform: linux-x86_64, index: pytorch-cu130, cuda: 13.0, kernels: sm_90, \
pythons: 3.12, evidence: pairing, verified: no, note: known by its pairing with torch alone, sources: doc}
"""
ONE = Source("one@1", "uv.lock of one", "lock")
TWO = Source("two@2", "uv.lock of two", "lock")
LIST = Source("list@3", "a listing", "repository")
X86 = "torch-2.9.1+cu130-cp312-cp312-manylinux_2_28_x86_64.whl"
ARM = "torch-2.9.1-cp312-cp312-linux_aarch64.whl"
A, B = "aa" * 32, "bb" * 32


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    return folder(tmp_path, torch=TORCH.replace(", requires: ''", ""), indexes=PLACES).matrix()


def judge(matrix: Matrix, *wheels: Quote, pins: tuple[Pin, ...] = (), listed: tuple[Listed, ...] = ()) -> Outcome:
    return judged(matrix, [Quotes(wheels, pins, listed)], Places(matrix.facts.indexes, ["https://pypi.example/simple"]))


def quote(file: str, sha256: str | None = A, source: Source = ONE, place: str = URL) -> Quote:
    return Quote("torch", file, sha256, source, None, (place,))


def row(outcome: Outcome, platform: str) -> Build:
    return next(one for one in outcome.builds["torch"] if (one.platform, one.index) == (platform, "pytorch-cu130"))


def test_a_row_that_was_known_by_its_pairing_is_confirmed(matrix: Matrix) -> None:
    build = row(judge(matrix, quote(X86)), "linux-x86_64")
    assert (build.evidence, build.verified, build.note) == ("lock", True, None)
    assert (build.tags, build.kernels, build.sources) == (("manylinux_2_28_x86_64",), ("sm_90",), ("one@1", "doc"))
    assert build.local is None


def test_a_name_without_a_hash_is_less_than_a_lock(matrix: Matrix) -> None:
    assert row(judge(matrix, quote(X86, None)), "linux-x86_64").evidence == "listing"


def test_cuda_wheels_without_a_mark_are_named_as_they_are(matrix: Matrix) -> None:
    outcome = judge(matrix, quote(ARM))
    build = row(outcome, "linux-aarch64")
    assert (build.local, wheel_version(build), build.tags) == ("none", "2.9.1", ("linux_aarch64",))
    label = "torch 2.9.1 cu130 (linux-aarch64, pytorch-cu130)"
    assert outcome.settled == [
        f"{label}: its wheels carry no mark",
        f"{label}: its wheels are linux_aarch64, not manylinux_2_28_aarch64",
    ]
    assert build.note == "its wheels carry no mark; its wheels are linux_aarch64, not manylinux_2_28_aarch64"


def test_a_python_more_extends_the_row(matrix: Matrix) -> None:
    free = quote(X86.replace("cp312-cp312", "cp313-cp313t"))
    assert row(judge(matrix, quote(X86), free), "linux-x86_64").pythons == ("3.12", "3.13t")


def test_a_cell_without_a_row_gets_one_from_its_release(matrix: Matrix) -> None:
    outcome = judge(matrix, quote("torch-2.9.1+cu130-cp312-cp312-win_amd64.whl"))
    build = row(outcome, "windows-x86_64")
    assert (build.variant, build.cuda, build.evidence, build.pythons) == ("cu130", "13.0", "lock", ("3.12",))
    assert (build.verified, build.note) == (False, "which kernels it holds was not read")
    assert outcome.added == ["torch 2.9.1 cu130 (windows-x86_64, pytorch-cu130)"]


def test_of_two_hashes_neither_is_taken(matrix: Matrix) -> None:
    outcome = judge(matrix, quote(X86), quote(X86, B, TWO))
    assert outcome.builds == {}
    assert outcome.wheels == []
    assert outcome.refused == [
        f"pytorch-cu130: {X86}: sha256 {A[:12]}… by one@1, sha256 {B[:12]}… by two@2; neither is taken"
    ]
    assert outcome.counted["refused"] == 2


def test_a_later_lock_is_held_against_what_is_known(matrix: Matrix) -> None:
    known = QuotedWheels("torch", "2.9.1+cu130", "linux-x86_64", "pytorch-cu130", (f"{X86}={A}",), ("one@1",))
    facts = matrix.facts.__class__(indexes=matrix.facts.indexes, wheels=(known,), sources=matrix.facts.sources)
    outcome = judge(Matrix(facts, matrix.builds), quote(X86, B, TWO))
    assert outcome.refused
    assert outcome.builds == {}
    assert outcome.wheels == [known]


def test_hashes_are_kept(matrix: Matrix) -> None:
    outcome = judge(matrix, quote(X86), quote(X86.replace("cp312", "cp311"), None, TWO))
    assert outcome.wheels == [
        QuotedWheels(
            "torch",
            "2.9.1+cu130",
            "linux-x86_64",
            "pytorch-cu130",
            (f"{X86.replace('cp312', 'cp311')}=-", f"{X86}={A}"),
            ("one@1", "two@2"),
        )
    ]


def test_pins_settle_what_release_notes_told(matrix: Matrix) -> None:
    cudnn = Pin("torch", "2.9.1", "linux-aarch64", "nvidia-cudnn-cu13==9.13.0.50", ONE, index="pytorch-cu130")
    other = Pin("torch", "2.9.1", "linux-aarch64", "nvidia-cudnn-cu13==9.99.0.1", TWO, index="pytorch-cu130")
    outcome = judge(matrix, quote(ARM), pins=(cudnn, cudnn, other))
    build = row(outcome, "linux-aarch64")
    assert (build.cudnn, build.requires) == ("9.13.0.50", ("nvidia-cudnn-cu13==9.13.0.50",))
    assert "locks pin cuDNN 9.13.0.50; it was thought to be 9.1.0.1" in (build.note or "")
    assert outcome.disputed == [
        "torch 2.9.1 (linux-aarch64): locks tell nvidia-cudnn-cu13==9.13.0.50 (2) and nvidia-cudnn-cu13==9.99.0.1 (1)"
    ]


def test_a_tie_of_pins_is_not_taken(matrix: Matrix) -> None:
    pins = [
        Pin("torch", "2.9.1", "linux-aarch64", f"nvidia-cudnn-cu13=={version}", ONE, index="pytorch-cu130")
        for version in ("9.13.0.50", "9.14.0.1")
    ]
    outcome = judge(matrix, quote(ARM), pins=tuple(pins))
    assert row(outcome, "linux-aarch64").cudnn == "9.1.0.1"
    assert outcome.disputed


def test_a_listing_ends_what_only_pairing_told(matrix: Matrix) -> None:
    none = Listed("torch", "2.9.1", "linux-x86_64", (), LIST, "pytorch-cu130")
    assert [one.platform for one in judge(matrix, listed=(none,)).builds["torch"]] == ["linux-aarch64"] * 2
    kept = judge(matrix, quote(X86), listed=(none,))
    assert row(kept, "linux-x86_64").evidence == "lock"
    assert (
        "torch 2.9.1 cu130 (linux-x86_64, pytorch-cu130): a listing has no wheel, and a lock quotes one" in kept.settled
    )


def test_a_listing_tells_the_pythons(matrix: Matrix) -> None:
    outcome = judge(matrix, listed=(Listed("torch", "2.9.1", "linux-aarch64", ("3.12",), LIST, "pytorch-cu130"),))
    build = row(outcome, "linux-aarch64")
    assert (build.pythons, build.evidence) == (("3.12",), "listing")
    assert build.note == "a listing has no wheel for Python 3.11"


def test_what_the_matrix_does_not_know_is_counted(matrix: Matrix) -> None:
    outcome = judge(
        matrix,
        quote(X86, place="https://elsewhere.example.com/whl/cu130"),
        quote("torch-2.9.1+cu130-cp312-cp312-linux_s390x.whl"),
    )
    assert outcome.builds == {}
    assert outcome.counted["left"] == 2


def test_a_second_reading_changes_nothing(matrix: Matrix) -> None:
    wheels = (quote(X86), quote(ARM))
    first = judge(matrix, *wheels)
    facts = matrix.facts.__class__(indexes=matrix.facts.indexes, wheels=tuple(first.wheels))
    again = judge(Matrix(facts, {"torch": tuple(first.builds["torch"])}), *wheels)
    assert again.builds == {}
    assert again.wheels == first.wheels
    assert again.counted == {"confirmed": 2}
