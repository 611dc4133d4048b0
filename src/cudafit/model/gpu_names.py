"""GPUs by the names that people and drivers give them. A name is never completed to another GPU."""

import re
from collections.abc import Iterator
from functools import cache

from cudafit.model.gpu_words import BRAND, GENERATION, SERIES, Words, words_of
from cudafit.model.matrix import Facts, GpuModel, PciGpu

Named = GpuModel | PciGpu


def plain_name(name: str) -> frozenset[str]:
    """The words that tell a GPU and its board: `NVIDIA GeForce RTX 4090` -> {rtx, 4090}."""
    return words_of(name).told


def capability_by_name(name: str, facts: Facts) -> str | None:
    """The compute capability of a GPU by its name; None when it is not known or not clear."""
    found = {row.compute_capability for row in named(name, facts)}
    return found.pop() if len(found) == 1 else None


def named(name: str, facts: Facts) -> list[Named]:
    """The GPUs that this may be the name of. More than one where it leaves open which, or on which board it is."""
    words = words_of(name)
    if not words.core:
        return []
    if words.cut is not None:
        rows = list(_rows(facts, words.core))
        return [row for row, of in rows if _begins(words, of)]
    for core in _spellings(words):
        rows = list(_rows(facts, core))
        same = [(row, of) for row, of in rows if of.core == core]
        same = same or [(row, of) for row, of in rows if _meant(core, of.core, row.name)]
        if same := [(row, of) for row, of in same if of.anew == words.anew or _told_by_number(row)]:
            return _narrowed(words, same)
    return []


def _spellings(words: Words) -> Iterator[frozenset[str]]:
    """The words; of a vGPU also without what only the vGPU software says: `GRID V100DX-8Q` is on a V100."""
    yield words.core
    if words.share:
        yield words.core - {"grid"}
        yield frozenset(re.sub(r"(?<=\d)[a-z]{1,3}$", "", word) for word in words.core - {"grid"})


def _told_by_number(row: Named) -> bool:
    """From Maxwell on a number is one generation, however often the card was made anew."""
    return int(row.compute_capability.partition(".")[0]) >= 5


def wider(name: str, facts: Facts) -> list[Named]:
    """The GPUs whose names have all these words and more of them: `RTX`, `Titan`."""
    core = words_of(name).core
    return [row for row, of in _rows(facts) if core and core <= of.core]


def _meant(asked: frozenset[str], core: frozenset[str], name: str) -> bool:
    """Whether only words were left out or added that change nothing: `4090`, `AGX Orin`, `Tesla A100`, `RTX 6000`."""
    missing, added = core - asked, asked - core
    if missing and added:
        return False
    if added:
        return added <= BRAND and not core & BRAND and "geforce" not in name.lower()
    if asked & BRAND and missing & SERIES:
        return False  # `Quadro 4000` is no Quadro RTX 4000
    telling = asked - BRAND - GENERATION
    numbered = any(re.search(r"\d", word) for word in telling)
    return missing <= BRAND | GENERATION and (numbered or len(telling) > 1)


def _begins(words: Words, row: Words) -> bool:
    """Whether a name that was cut off may be this row's. Without a number it may be anything."""
    rest = words.cut or ""
    known = words.core | ({rest} if rest else frozenset())
    if not words.core <= row.core or not any(re.search(r"\d", word) for word in known):
        return False
    return words.core == row.core or any(word.startswith(rest) for word in row.told - words.core)


def _narrowed(words: Words, rows: list[tuple[Named, Words]]) -> list[Named]:
    """Of the same name those whose chip and whose board are told; these count only where they decide."""
    if words.chip and (same := [(row, of) for row, of in rows if _chip(row).startswith(words.chip)]):
        rows = same
    if len({row.compute_capability for row, _ in rows}) > 1:
        told = words.board | words.anew
        # The few of a name that sit on another chip have the chip in their name: `GeForce GTX 750 GM206`.
        fits = [(row, of) for row, of in rows if of.board | of.anew <= told and (words.chip or not of.chip)]
        most = max((len(of.board | of.anew) for _, of in fits), default=0)
        rows = [(row, of) for row, of in fits if len(of.board | of.anew) == most] or rows
    return [row for row, _ in rows]


def _chip(row: Named) -> str:
    if isinstance(row, GpuModel):
        return (row.chip or "").lower()
    return row.name.partition(" ")[0].lower()


def closest(name: str, facts: Facts, count: int = 3) -> list[str]:
    """Names that look like this one, the likeliest first."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - for a misspelt name only

    told = " ".join(sorted(plain_name(name)))

    def likeness(row: GpuModel) -> float:
        """Letters in their order, and the letters alone: 4900 is meant for 4090 rather than 4060."""
        other = " ".join(sorted(plain_name(row.name)))
        in_order = SequenceMatcher(None, told, other).ratio()
        return in_order + SequenceMatcher(None, "".join(sorted(told)), "".join(sorted(other))).ratio()

    ranked = sorted(facts.gpus, key=likeness, reverse=True)
    return [row.name for row in ranked[:count]]


def _rows(facts: Facts, core: frozenset[str] = frozenset()) -> Iterator[tuple[Named, Words]]:
    """Those that can have these words of a name; only they are taken apart, which is most of the time it takes."""
    must = [word.partition(".")[0] for word in core - BRAND]
    for model in facts.gpus:
        if _holds(model.name, must):
            yield model, words_of(model.name)
    for device in facts.pci_gpus:
        if _holds(device.name, must):
            for one in spoken(device.name).split(" / "):  # `GeForce 945M / 945A`, `GeForce GTX 1650 Mobile / Max-Q`
                if (words := words_of(one)).core:
                    yield device, words


def _holds(name: str, must: list[str]) -> bool:
    text = name.lower()
    return all(word in text for word in must)


@cache
def spoken(name: str) -> str:
    """The PCI list writes `GM204 [GeForce GTX 980]`: the chip, and in brackets what people call the card."""
    match = re.search(r"\[([^\[\]]+)\]", name)
    return match.group(1) if match else name
