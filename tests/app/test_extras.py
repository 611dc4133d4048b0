"""What a package brings only with an extra, told where another version of it brings it by itself."""

from dataclasses import replace

import pytest

from cudafit.app.asked import WhichMachine
from cudafit.app.extras import framework_by_extra
from cudafit.app.machines import hosts
from cudafit.matrix.harvest.released import Needs, Released
from cudafit.matrix.load import open_matrix
from cudafit.model.fit import Resolution
from cudafit.model.requirement import wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.problem import Library
from cudafit.resolve.request import Request

BOOK = open_matrix((), None)
MACHINE = hosts(WhichMachine(driver="580.65.06", gpus=("RTX 3060",), platform="linux-x86_64"), None, BOOK.facts)


def answer(*words: str) -> Resolution:
    return resolve(Request(tuple(map(wanted, words)), python="3.12"), MACHINE, BOOK)


def told(found: Resolution, *, offline: bool = False) -> list[str]:
    return list(framework_by_extra(found, Library(BOOK), offline=offline))


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = Needs("0.5.2", ("numpy", 'torch==2.8.0 ; extra == "srt"'))
    monkeypatch.setattr(Released, "of", lambda _self, name, _version: needs if name == "sglang" else None)


def test_a_version_that_brings_torch_with_an_extra_alone() -> None:
    found = answer("sglang==0.5.2")
    assert told(found) == [
        "sglang 0.5.2 brings no torch, which other versions of it need; with `sglang[srt]` it would be torch"
    ]
    assert told(found, offline=True) == []
    unread = replace(found, picks=tuple(replace(one, name="vllm") for one in found.picks))
    assert told(unread) == ["vllm 0.5.2 brings no torch, which other versions of it need"]


def test_of_what_needs_no_framework_and_beside_one_nothing_is_told() -> None:
    assert told(answer("cupy-cuda12x")) == []
    assert told(answer("sglang==0.5.2", "torch")) == []
