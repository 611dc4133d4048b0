"""docs/which-torch.md and its sisters: what `cudafit resolve` picks for the GPUs and drivers that people have."""

import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cache
from itertools import groupby
from pathlib import Path

from cudafit.app.asked import WhichBuilds, WhichFacts, WhichLocks, WhichMachine
from cudafit.app.resolve import Request, resolve
from cudafit.matrix.load import open_matrix
from cudafit.model.frozen import frozen
from cudafit.model.gpu_names import capability_by_name
from cudafit.system.commands import command_text

DOCS = Path(__file__).parents[2] / "docs"
PYTHON = "3.12"
_OLDER = ("470", "535", "550", "570", "580")
_X86, _ARM = "linux-x86_64", "linux-aarch64"


@frozen
class Title:
    """How a framework is called on its page."""

    name: str
    package: str

    @property
    def path(self) -> Path:
        return DOCS / f"which-{self.package}.md"


PAGES = (Title("PyTorch", "torch"), Title("TensorFlow", "tensorflow"), Title("JAX", "jax"))


@frozen
class Cards:
    """GPUs that get the same answer; people look for the first by its name."""

    names: tuple[str, ...]
    platform: str = _X86

    @property
    def capability(self) -> str:
        found = {capability_by_name(name, open_matrix().facts("gpus")) for name in self.names}
        if len(found) != 1 or None in found:
            raise ValueError(f"{', '.join(self.names)} are {found}")
        return str(found.pop())


# The names are those of matrices/gpus.yaml; which of them people ask about is chosen here, and nothing else.
CARDS = (
    Cards(("GTX 680", "GTX 770", "GTX 660", "Quadro K2000")),
    Cards(("GTX 780 Ti", "GTX 780", "GTX TITAN", "Tesla K40", "Tesla K20")),
    Cards(("Tesla K80",)),
    Cards(("GTX 750 Ti", "GTX 750", "940MX", "Quadro K2200", "Tesla M10")),
    Cards(("GTX 980 Ti", "GTX 980", "GTX 970", "GTX 960", "Quadro M4000", "Tesla M40", "Tesla M60")),
    Cards(("Tesla P100", "Quadro GP100")),
    Cards(
        (
            "GTX 1080 Ti",
            "GTX 1080",
            "GTX 1070",
            "GTX 1060",
            "GTX 1050 Ti",
            "TITAN Xp",
            "Quadro P5000",
            "Tesla P40",
            "Tesla P4",
        )
    ),
    Cards(("Tesla V100", "TITAN V", "Quadro GV100")),
    Cards(("RTX 2080 Ti", "RTX 2070", "RTX 2060", "GTX 1660 Ti", "GTX 1650", "Quadro RTX 8000", "T4", "TITAN RTX")),
    Cards(("A100", "A30", "A800")),
    Cards(("RTX 3090", "RTX 3080", "RTX 3070", "RTX 3060", "RTX 3050", "RTX A6000", "RTX A4000", "A10", "A40")),
    Cards(("RTX 4090", "RTX 4080", "RTX 4070", "RTX 4060", "RTX 6000 Ada", "L40S", "L40", "L4")),
    Cards(("H100", "H200", "H800")),
    Cards(("GH200",), _ARM),
    Cards(("B200",)),
    Cards(("GB200",), _ARM),
    Cards(("B300",)),
    Cards(("RTX 5090", "RTX 5080", "RTX 5070", "RTX 5060", "RTX 5050", "RTX PRO 6000 Blackwell Server")),
    Cards(("DGX Spark", "GB10"), _ARM),
)


@frozen
class Cell:
    """What `resolve` answers: the build and the line that installs it, or why there is none."""

    build: str | None
    command: str
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """In the table of all GPUs, where there is little room."""
        last = self.last_branch
        return f"{last} at most" if last else self.build or "none"

    @property
    def last_branch(self) -> str | None:
        """Of a GPU that this driver no longer drives."""
        found = [match[1] for text in self.warnings if (match := re.search(r"the last branch for \w+ is (\d+)", text))]
        return found[0] if found else None


@cache
def drivers() -> tuple[str, ...]:
    """The branches that people have, and the newest that there is."""
    return (*_OLDER, max(row.branch for row in open_matrix().facts("drivers").drivers))


def words(package: str, gpu: str, driver: str, platform: str) -> list[str]:
    """The command whose answer a cell is."""
    return ["resolve", package, "--gpu", gpu, "--driver", driver, "--platform", platform, "--python", PYTHON]


def cell(package: str, gpu: str, driver: str, platform: str) -> Cell:
    machine = WhichMachine(gpus=(gpu,), driver=driver, platform=platform)
    asked = Request(WhichBuilds((package,), python=PYTHON), machine, WhichFacts(), WhichLocks(offline=True))
    record = resolve(asked, None, print, nullcontext).results[0].record
    if not record["picks"]:
        others = [one.text for one in record["alternatives"] if one.kind != "cpu"]
        return Cell(None, "; ".join(others) or "no build of any kind works")
    first = record["picks"][0]
    build = first.version + (f" ({first.variant})" if first.variant.startswith("cu") else "")
    return Cell(build, command_text(*record["command"]), tuple(record["warnings"]), tuple(record["notes"]))


def page(title: Title) -> str:
    return "\n".join(_lines(title)) + "\n"


def _lines(title: Title) -> Iterator[str]:
    facts = open_matrix()
    yield f"# Which {title.name} for my GPU and driver\n"
    others = " and ".join(f"[{one.name}]({one.path.name})" for one in PAGES if one != title)
    yield (
        "`nvidia-smi` shows your driver and your GPU. Take the GPU's row and the driver's column: the name leads\n"
        f"to the line that installs the build. On the machine itself `cudafit resolve {title.package}` says it.\n"
    )
    yield (
        f'For Linux and Python {PYTHON}; facts of {facts.version}. "470 at most": newer drivers do not run this GPU.\n'
        '"none": no build works there. A driver that came out before the GPU does not run it, whatever the row says.\n'
        f"The same for {others}.\n"
    )
    branches = drivers()
    cells = {cards: [cell(title.package, cards.names[0], one, cards.platform) for one in branches] for cards in CARDS}
    yield f"| GPU, driver: | {' | '.join(branches)} |"
    yield "| --- |" + " --- |" * len(branches)
    for cards, answers in cells.items():
        link = f"[{cards.names[0]}](#{anchor(_heading(title, cards))})"
        others = "".join(f", {name}" for name in cards.names[1:4])
        yield f"| {link}{others} | {' | '.join(one.shown for one in answers)} |"
    for cards, answers in cells.items():
        yield from _section(title, cards, list(zip(branches, answers, strict=True)))


def _section(title: Title, cards: Cards, answers: Sequence[tuple[str, Cell]]) -> Iterator[str]:
    yield f"\n## {_heading(title, cards)}\n"
    others = f"Also {', '.join(cards.names[1:])}. " if cards.names[1:] else ""
    arm = ", on ARM (linux-aarch64)" if cards.platform == _ARM else ""
    yield f"{others}Compute capability {cards.capability}{arm}.\n"
    yield f"| driver | {title.name} | install |"
    yield "| --- | --- | --- |"
    working = [(driver, one) for driver, one in answers if not one.last_branch]
    for (build, command), group in groupby(working, key=lambda pair: (pair[1].build, pair[1].command)):
        branches = ", ".join(driver for driver, _ in group)
        yield f"| {branches} | {build or 'none'} | {f'`{command}`' if build else command} |"
    if last := next((one.last_branch for _, one in answers if one.last_branch), None):
        yield f"| above {last} | none | newer drivers do not run this GPU: stay at {last} |"
    said = dict.fromkeys(text for _, one in working for text in (*one.notes, *one.warnings))
    if said:
        yield ""
        yield from (f"- {text}" for text in said)


def _heading(title: Title, cards: Cards) -> str:
    name = cards.names[0]
    return f"Which {title.name} for {'an' if name[0] in 'AEFHILMNORSX' else 'a'} {name}"


def anchor(heading: str) -> str:
    """As GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
