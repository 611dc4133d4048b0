"""What holds for all of torch's builds of a release: what those that were read require, its triton above all."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cudafit.matrix.quotes.row import with_libraries, with_triton, with_twin
from cudafit.model.frameworks import TORCH as FRAMEWORK
from cudafit.model.matrix import DEFAULT_INDEX, LOCK, NO_LOCAL, WHEEL, Build
from cudafit.model.versions import natural_key

TORCH, TRITON = "torch", "triton"
FAMILY = (FRAMEWORK.name, *FRAMEWORK.companions)
_MAIN, _ARM = "linux-x86_64", "linux-aarch64"


def completed(rows: Sequence[Build], tritons: Iterable[Build]) -> Iterator[Build]:
    """The rows of PyTorch's indexes with what the default index's wheels of the same release tell."""
    read = {(row.version, row.variant, row.platform): row for row in rows if row.index == DEFAULT_INDEX}
    told: dict[str, tuple[str, str | None, str]] = {}
    for row in rows:
        required = next((text for text in row.requires if _is_triton(text)), None)
        if row.index == DEFAULT_INDEX and required and row.sources:
            told.setdefault(row.version, (required, row.triton, row.sources[0]))
    there = {(row.version, row.platform) for row in tritons}
    pinned = {
        (row.version, row.index): row
        for row in rows
        if row.index != DEFAULT_INDEX and row.platform == _MAIN and any(map(_is_cudnn, row.requires))
    }
    arm = {row.version for row in rows if row.index == DEFAULT_INDEX and row.platform == _ARM and row.requires}
    for row in rows:
        if row.index == DEFAULT_INDEX or not row.variant.startswith("cu"):
            yield row
            continue
        main = pinned.get((row.version, row.index))
        changed = with_libraries(row, main) if main else row
        if not row.platform.startswith("linux"):
            yield changed
            continue
        if main and row.platform == _ARM and row.version in arm and not any(map(_is_cudnn, row.requires)):
            changed = with_twin(changed, main)
        twin = read.get((row.version, row.variant, row.platform))
        if twin is not None and twin.requires:
            yield with_twin(changed, twin)
        elif row.version in told and not any(map(_is_triton, changed.requires)):
            required, version, source = told[row.version]
            yield with_triton(changed, required, version, source) if (version, row.platform) in there else changed
        else:
            yield changed


def unmarked(rows: Sequence[Build]) -> Iterator[Build]:
    """CUDA wheels for aarch64 got their `+cuNNN` with one release of a package: up to the last one that locks quote
    without it, those that no lock quotes have none either."""
    quoted = [row for row in rows if _is_cuda_arm(row) and row.evidence == LOCK and row.local == NO_LOCAL]
    last = max((natural_key(row.version) for row in quoted), default=None)
    for row in rows:
        if last and _is_cuda_arm(row) and row.evidence not in (WHEEL, LOCK) and natural_key(row.version) <= last:
            yield replace(row, local=NO_LOCAL)
        else:
            yield row


def _is_cuda_arm(row: Build) -> bool:
    return row.index != DEFAULT_INDEX and row.platform == _ARM and row.variant.startswith("cu")


def _is_cudnn(text: str) -> bool:
    return text.startswith("nvidia-cudnn-")


def _is_triton(text: str) -> bool:
    return re.match(r"triton(?![a-z-])", text) is not None
