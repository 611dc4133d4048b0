"""What holds for all of torch's builds of a release: what those that were read require, its triton above all."""

import re
from collections.abc import Iterable, Iterator, Sequence

from cudafit.matrix.quotes.row import with_libraries, with_triton, with_twin
from cudafit.model.matrix import DEFAULT_INDEX, Build

TORCH, TRITON = "torch", "triton"
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


def _is_cudnn(text: str) -> bool:
    return text.startswith("nvidia-cudnn-")


def _is_triton(text: str) -> bool:
    return re.match(r"triton(?![a-z-])", text) is not None
