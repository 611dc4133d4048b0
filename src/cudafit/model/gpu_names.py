"""GPUs by the names that people give them."""

import re
from collections.abc import Iterator
from functools import cache

from cudafit.model.matrix import Facts, GpuModel, PciGpu

# Words that say nothing about which GPU it is.
_IDLE = {"nvidia", "geforce", "corporation", "gpu", "graphics", "card", "the", "a"}

# Words that tell the board that a GPU sits on, not the GPU.
_BOARD = re.compile(r"\d+gb|hbm\d\w*|sxm\d*|pcie|nvl|laptop|mobile|max|q")


@cache
def plain_name(name: str) -> frozenset[str]:
    """The words that tell a GPU: `NVIDIA GeForce RTX 4090` -> {rtx, 4090}."""
    text = re.sub(r"\b([gr]tx)(?=\d)", r"\1 ", name.lower())  # rtx4090
    text = re.sub(r"(?<=\d)(ti|super)\b", r" \1", text)  # 1080ti
    return frozenset(word for word in re.findall(r"[a-z0-9.]+", text) if word not in _IDLE)


def capability_by_name(name: str, facts: Facts) -> str | None:
    """The compute capability of a GPU by its full or partial name; None when it is not known or not clear."""
    found = {row.compute_capability for row in named(name, facts)}
    return found.pop() if len(found) == 1 else None


def named(name: str, facts: Facts) -> list[GpuModel | PciGpu]:
    """The GPUs whose name has all these words; those whose name is just these words when there are any."""
    words = plain_name(name)
    found = _with_words(words, facts)
    # A driver's names tell the memory and the board too: `NVIDIA H100 80GB HBM3`.
    return found or _with_words(frozenset(word for word in words if not _BOARD.fullmatch(word)), facts)


def _with_words(words: frozenset[str], facts: Facts) -> list[GpuModel | PciGpu]:
    if not words:
        return []
    matches = [(row, of) for row, of in _rows(facts) if words <= of]
    exact = [row for row, of in matches if of == words]
    return exact or [row for row, _ in matches]


def closest(name: str, facts: Facts, count: int = 3) -> list[str]:
    """Names that look like this one, the likeliest first."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - for a misspelt name only

    told = " ".join(sorted(plain_name(name)))

    def likeness(row: GpuModel | PciGpu) -> float:
        """Letters in their order, and the letters alone: 4900 is meant for 4090 rather than 4060."""
        other = " ".join(sorted(plain_name(row.name)))
        in_order = SequenceMatcher(None, told, other).ratio()
        return in_order + SequenceMatcher(None, "".join(sorted(told)), "".join(sorted(other))).ratio()

    ranked = sorted(facts.gpus, key=likeness, reverse=True)
    return [row.name for row in ranked[:count]]


def _rows(facts: Facts) -> Iterator[tuple[GpuModel | PciGpu, frozenset[str]]]:
    for model in facts.gpus:
        yield model, plain_name(model.name)
    for device in facts.pci_gpus:
        yield device, plain_name(spoken(device.name))


def spoken(name: str) -> str:
    """The PCI list writes `GM204 [GeForce GTX 980]`: the chip, and in brackets what people call the card."""
    match = re.search(r"\[([^\[\]]+)\]", name)
    return match.group(1) if match else name
