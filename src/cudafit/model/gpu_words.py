"""The words of a GPU's name: those that tell the GPU, those that tell the board that it sits on, and how it is shared.

`NVIDIA GeForce RTX 3080 Ti Laptop GPU` is {rtx, 3080, ti} on {mobile}; `NVIDIA A40-8Q` is {a40}, shared.
"""

import re
from functools import cache

from cudafit.model.frozen import frozen

# Words that say nothing about which GPU it is.
_IDLE = frozenset(["nvidia", "geforce", "corporation", "gpu", "graphics", "card", "the", "with", "nvgpu"])
_IDLE |= {"design", "generation", "edition", "series", "virtual", "founders", "engineering", "sample"}
_IDLE |= {"converged", "accelerator"}

# Words that tell the board: its memory, its socket, its make. The same GPU is sold on several.
_BOARD = re.compile(
    r"\d+(\.\d+)?gb|hbm\d\w*|l?p?g?ddr\d\w*|sxm\d*|pcie|nvl\d*|x\d+|mxm|cnx"
    r"|mobile|maxq|refresh|embedded|mac|lhr|dgxs|fhhl|passive|sync|sdi"
    r"|workstation|server|dc|sff|\d+gbps|\d+(\.\d+)?w|\d+sp|es|3e"
)

# Words of one that was made anew. Up to Kepler that was another chip as often as not.
_ANEW = re.compile(r"oem|rebrand|rev\w|v\d")

# The chip (`GK107`, `AD104`) or the board's number (`PG506-207`), where that is not the name of a product too.
_CHIP = re.compile(r"(?!gp100|gv100|gb200|gb300|gh200|gb10$)(g[kmpvabh]|tu|ad)\d{2,3}[a-z]{0,3}|pg\d+\.\d+")

# What people leave out: the family, and the generation where only one has that number.
BRAND = frozenset(["rtx", "gtx", "gt", "gts", "quadro", "tesla", "jetson", "grid", "nvs", "cmp", "drive", "tegra"])
SERIES = frozenset(["rtx", "gtx", "gt", "gts"])
GENERATION = frozenset(["ada", "blackwell", "pascal", "pro"])

_SHARES = (
    re.compile(r"\bmig\b.*$"),  # A100-PCIE-40GB MIG 1g.5gb
    re.compile(r"\b(\d+c\.)?\d+g\.\d+gb(\+[\w.]+)*"),  # 1g.10gb, 1c.3g.20gb, 1g.10gb+me
    re.compile(r"-\d+(-\d+)?[qcab]\d?(me)?(nogfx)?$"),  # A40-8Q, A100-1-5C
    re.compile(r"(?<=\w)-\d{1,2}(-\d{1,2})?$"),  # L4-24, RTX Pro 6000 Blackwell DC-1-12
)
_LONGEST = 200  # no name has more characters; what follows is nobody's
_CUT = ("...", "\u2026")  # at the end, where nvidia-smi had no room


@frozen
class Words:
    """A name, taken apart."""

    core: frozenset[str]
    board: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()
    chip: str | None = None
    share: bool = False  # a part of a GPU: a vGPU, or a slice of MIG
    cut: str | None = None  # the beginning of a word, where nvidia-smi cut the name off; it may be empty

    @property
    def told(self) -> frozenset[str]:
        """All but the idle ones."""
        return self.core | self.board | self.anew

    @property
    def mobile(self) -> bool:
        return bool(self.board & {"mobile", "maxq"})


@cache
def words_of(name: str) -> Words:
    """`rtx3080ti`, `1080 GTX Ti`, `Tesla V100-SXM2-32G`, `GP102 [TITAN X]`, `NVIDIA RTX 6000 Ada Gene...`."""
    text = name.strip()[:_LONGEST].lower()
    whole = text.rstrip(".\u2026").rstrip() if text.endswith(_CUT) else text
    share, cut = False, None
    for pattern in _SHARES:
        rest = pattern.sub("", whole)
        share, whole = share or rest != whole, rest.strip()
    words = _split(whole)
    if text.endswith(_CUT):
        ends = not text.startswith(whole + " ")  # `RTX 3070 ...` was cut between two words
        cut = words.pop() if ends and words else ""
    core, board, anew, chip = [], [], [], None
    for word in words:
        if _BOARD.fullmatch(word):
            board.append(word)
        elif _ANEW.fullmatch(word):
            anew.append(word)
        elif _CHIP.fullmatch(word):
            chip = word
        elif word not in _IDLE:
            core.append(word)
    if not core and chip:  # the name of the chip alone
        core, chip = [chip], None
    return Words(frozenset(core), frozenset(board), frozenset(anew), chip, share, cut)


def _split(text: str) -> list[str]:
    text = re.sub(r"\(r\)|\(tm\)|[®™]", " ", text)
    text = re.sub(r"\bmax[- ]?q\b", "maxq", text)
    text = re.sub(r"\blaptop\b|\bnotebook\b", "mobile", text)
    text = re.sub(r"\blite hash rate\b", "lhr", text)
    text = re.sub(r"\brev\.? ?(\w)\b", r"rev\1", text)
    text = re.sub(r"\b(\d+(?:\.\d+)?)[ -]?(?:gib|gb|g)\b", r"\1gb", text)  # 16 GB, 32G
    text = re.sub(r"\b([gr]tx|gts?|quadro|tesla|mx|cmp|titan)(?=[a-z]?\d)", _apart, text)  # rtx4090, rtxa6000
    text = re.sub(
        r"(?<=\d)(ti|super|(?<=\d{4})d)(?=super|laptop|mobile|v\d|\b)", r" \1 ", text
    )  # 1080ti, 4080super, 4090d
    text = re.sub(r"\bpg(\d+)-(\d+)\b", r"pg\1.\2", text)
    text = re.sub(r"\btisuper\b", "ti super", text)
    return re.findall(r"[a-z0-9.]+", text)


def _apart(match: re.Match[str]) -> str:
    """`mx` is a part of its number: MX450."""
    return match[0] if match[0] == "mx" else f"{match[0]} "
