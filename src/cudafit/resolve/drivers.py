"""Whether a driver runs a build's CUDA, and how well.

Sources: CUDA Toolkit Release Notes, tables 2 and 3 (the driver packaged with each toolkit; the floor of each major);
CUDA Compatibility guide (minor-version and forward compatibility).
"""

import re
from collections.abc import Iterable

from cudafit.model.fit import FORWARD, MINOR, NATIVE, Compat
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build, Facts, Floor, ToolkitRelease
from cudafit.model.versions import numbers
from cudafit.resolve.host import Kind

FACTS = ("toolkits", "floors", "drivers", "architectures")


@frozen
class Verdict:
    """`compat` is None where the driver is too old; `driver` is then the oldest that will do.

    `native_driver` is the one from which on the driver can also compile the build's PTX; `ptx` says that it can now.
    """

    compat: Compat | None
    ptx: bool
    driver: str | None = None
    native_driver: str | None = None


def build_cuda(build: Build) -> tuple[int, int | None] | None:
    """The CUDA of a build: (12, 6), or (12, None) for one that is for a whole major; None where it tells none."""
    if build.cuda:
        major, minor, *_ = (*numbers(build.cuda), 0)
        return major, minor
    match = re.fullmatch(r"cu(\d{2})(\d)?", build.variant)
    if match is None:
        return None
    return int(match[1]), int(match[2]) if match[2] else None


class Drivers:
    """The tables of drivers, indexed for the questions that the rules ask; the answers are kept."""

    def __init__(self, facts: Facts, today: str) -> None:
        self._toolkits = facts.toolkits
        self._floors = {floor.major: floor for floor in facts.floors}
        self._branches = {row.branch: row for row in facts.drivers}
        self._today = today
        self._kept: dict[tuple[object, ...], Verdict] = {}
        self._every: tuple[tuple[int, int | None] | None, ...] | None = None

    def verdict(self, cuda: tuple[int, int | None] | None, kind: Kind) -> Verdict:
        """Of a build's CUDA on a machine that has a driver (or none, which is too old for everything)."""
        key = (cuda, kind.driver, kind.cuda, kind.platform, kind.wsl, kind.data_centre)
        if key not in self._kept:
            self._kept[key] = self._judge(cuda, kind)
        return self._kept[key]

    def _judge(self, cuda: tuple[int, int | None] | None, kind: Kind) -> Verdict:
        if kind.driver is None and kind.cuda is None:
            return Verdict(None, ptx=False, driver=self._oldest(cuda, kind.platform))
        if cuda is None:
            return Verdict(NATIVE, ptx=False)
        major, minor = cuda
        native_driver = self._packaged(cuda, kind.platform)
        if all(int(other) > major for other in self._floors):
            return self._judge_by_limit((major, minor or 0), kind)
        newest = self._major(kind)
        if newest > major:
            return Verdict(NATIVE, ptx=True)
        if newest == major:
            if minor is None:
                # Its kernels are for the major's first toolkit; of its PTX nobody knows.
                return Verdict(NATIVE, ptx=False, native_driver=self._oldest((major + 1, 0), kind.platform))
            if self._is_native((major, minor), native_driver, kind):
                return Verdict(NATIVE, ptx=True)
            return Verdict(MINOR, ptx=False, native_driver=native_driver)
        if self._can_be_bridged(kind):
            return Verdict(FORWARD, ptx=True)
        return Verdict(None, ptx=False, driver=self._oldest(cuda, kind.platform), native_driver=native_driver)

    def _judge_by_limit(self, cuda: tuple[int, int], kind: Kind) -> Verdict:
        """Majors before minor-version compatibility: the driver knows the toolkit, or does not run it."""
        if (self.limit(kind) or (0, 0)) >= cuda:
            return Verdict(NATIVE, ptx=True)
        driver = self._packaged(cuda, kind.platform)
        return Verdict(None, ptx=False, driver=driver, native_driver=driver)

    def abilities(self, kind: Kind) -> tuple[Verdict, ...]:
        """What the driver can do for every CUDA that a build can have: drivers that agree in it are alike."""
        if self._every is None:
            versions = sorted({numbers(row.cuda)[:2] for row in self._toolkits})
            majors = sorted({major for major, *_ in versions} | {int(major) for major in self._floors})
            whole: list[tuple[int, int | None]] = [(major, None) for major in majors]
            self._every = (None, *((major, minor) for major, minor in versions), *whole)
        return tuple(self.verdict(cuda, kind) for cuda in self._every)

    def limit(self, kind: Kind) -> tuple[int, int] | None:
        """The newest CUDA that the driver runs: by its own word, else by the table of its branch."""
        if kind.cuda:
            major, minor = numbers(kind.cuda)[:2]
            return major, minor
        if not kind.driver:
            return None
        branch = numbers(kind.driver)[0]
        known = [row for row in self._branches.values() if row.cuda and int(row.branch) <= branch]
        if not known:
            return (0, 0)  # older than any branch that the table knows
        newest = max(known, key=lambda row: int(row.branch))
        major, minor = numbers(newest.cuda or "0.0")[:2]
        return major, minor

    def limit_text(self, kind: Kind) -> str | None:
        limit = self.limit(kind)
        return f"{limit[0]}.{limit[1]}" if limit and limit > (0, 0) else None

    def maintained(self, branch: str) -> bool:
        """Whether NVIDIA still maintains the branch at the matrix's date."""
        row = self._branches.get(branch)
        return bool(row and row.kind in ("LTS", "PB") and row.until and row.until >= self._today)

    def production(self, driver: str) -> bool:
        """Whether a driver is of a long-term or production branch, maintained or not."""
        row = self._branches.get(str(numbers(driver)[0]))
        return bool(row and row.kind in ("LTS", "PB"))

    def branch_to_install(self, at_least: str, last_branch: str | None) -> str | None:
        """The maintained branch for somebody who has to install one: long-term before newest."""
        need = numbers(at_least)[0]
        known = [
            row
            for row in self._branches.values()
            if int(row.branch) >= need
            and self.maintained(row.branch)
            and (not last_branch or int(row.branch) <= int(last_branch))
        ]
        known.sort(key=lambda row: (row.kind != "LTS", -int(row.branch)))
        return known[0].branch if known else None

    def _major(self, kind: Kind) -> int:
        """The newest CUDA major that the driver runs at all, by the majors' floors; 0 for none.

        Under WSL the driver is Windows' own and its number says nothing here, so its word is taken.
        """
        told = numbers(kind.cuda)[0] if kind.cuda else None
        if kind.driver is None or (kind.wsl and told is not None):
            return told or 0
        majors = [
            int(major) for major in self._floors if self._reaches(self._oldest((int(major), 0), kind.platform), kind)
        ]
        reached = max(majors, default=0)
        return reached if told is None else min(told, reached)

    def _is_native(self, cuda: tuple[int, int], native_driver: str | None, kind: Kind) -> bool:
        """By the driver's own word where it was asked, else by the driver that is packaged with the toolkit."""
        if kind.cuda:
            return numbers(kind.cuda)[:2] >= cuda
        return native_driver is not None and self._reaches(native_driver, kind)

    def _reaches(self, need: str | None, kind: Kind) -> bool:
        return need is not None and kind.driver is not None and at_least(kind.driver, need)

    def _packaged(self, cuda: tuple[int, int | None], platform: str) -> str | None:
        """The oldest driver packaged with any release of the toolkit; the branch where the table tells none."""
        rows = [row for row in self._toolkits if numbers(row.cuda)[:2] == cuda]
        told = [driver for row in rows if (driver := _column(row, platform))]
        if told:
            return min(told, key=numbers)
        return self._first_branch(cuda) if cuda[1] is not None else None

    def _oldest(self, cuda: tuple[int, int | None] | None, platform: str) -> str | None:
        """The oldest driver that runs the build at all: its major's floor."""
        if cuda is None:
            return None
        floor = self._floors.get(str(cuda[0]))
        return (_column(floor, platform) if floor else None) or self._first_branch((cuda[0], 0))

    def _first_branch(self, cuda: tuple[int, int | None]) -> str | None:
        able = [row for row in self._branches.values() if row.cuda and numbers(row.cuda)[:2] >= cuda]
        return min((row.branch for row in able), key=int, default=None)

    def _can_be_bridged(self, kind: Kind) -> bool:
        """Forward compatibility: Linux, data-centre GPUs, and a base branch that is still maintained."""
        if not kind.platform.startswith("linux") or kind.wsl or not kind.data_centre or not kind.driver:
            return False
        return self.maintained(str(numbers(kind.driver)[0]))


def at_least(have: str, need: str) -> bool:
    """A driver that is given by its branch alone (`580`) stands for the newest of that branch."""
    wanted, given = numbers(need), numbers(have)
    return given >= wanted[: len(given)]


def newest(drivers: Iterable[str]) -> str | None:
    return max(drivers, key=numbers, default=None)


def _column(row: ToolkitRelease | Floor, platform: str) -> str | None:
    return row.windows_driver if platform.startswith("windows") else row.linux_driver
