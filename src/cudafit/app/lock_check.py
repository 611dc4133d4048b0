"""`cudafit resolve --check -o FILE`: whether a lock still fits, for CI and pre-commit."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cudafit.app.asked import WhichLocks
from cudafit.app.judged import judged
from cudafit.app.resolve import Request, read
from cudafit.errors import CudafitError
from cudafit.indexes import configured
from cudafit.lock.check import problems
from cudafit.lock.formats import CONDA, Format
from cudafit.lock.held import Held, read_lock
from cudafit.lock.integrity import Integrity, listed
from cudafit.lock.lines import option_of
from cudafit.lock.order import CONDA as CONDA_FORGE
from cudafit.lock.order import PYTORCH
from cudafit.lock.origins import Origins, elsewhere, origin_problems, origins_of
from cudafit.lock.whose import of_another_index
from cudafit.model.fit import SCHEMA
from cudafit.model.frozen import frozen
from cudafit.model.record import fields_of
from cudafit.resolve.conda import in_our_names

if TYPE_CHECKING:
    from cudafit.lock.listing import Compared
    from cudafit.machine.question import Question
    from cudafit.model.fit import Resolution
    from cudafit.resolve.host import Host
    from cudafit.resolve.problem import Book
    from cudafit.resolve.request import Request as Builds

COMPARED, PARTLY, NOT_COMPARED = "compared", "partly", "not compared"


@frozen
class Verdict:
    """On one lock. `hashes` is None for a format that has none."""

    path: str
    resolution: "Resolution"
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    hashes: str | None = None


@frozen
class Checked:
    """The verdicts on all the locks that were given."""

    verdicts: tuple[Verdict, ...]
    schema = SCHEMA

    @property
    def record(self) -> dict[str, Any]:
        checks = [
            {"path": it.path, "fits": not it.problems, "problems": it.problems, "notes": it.notes, "hashes": it.hashes}
            for it in self.verdicts
        ]
        return {**fields_of(self.verdicts[0].resolution), "checks": checks}

    @property
    def exit_code(self) -> int:
        return int(any(one.problems for one in self.verdicts))


def check(request: Request, question: "Question | None", say: Callable[[str], None]) -> Checked:
    """Raises InputError for a file that is no lock."""
    asked = read(request, question, say)
    held = [(read_lock(path, form), form) for path, form in asked.files]
    judged = [_judge(one, form, asked.builds, list(asked.machines), asked.book, request.locks) for one, form in held]
    return Checked(tuple(judged))


def _judge(
    held: Held, form: Format, builds: "Builds", machines: "list[Host]", book: "Book", how: WhichLocks
) -> Verdict:
    asked = replace(builds, conda=form.kind == CONDA, python=builds.python or held.python)
    if asked.conda:
        asked = in_our_names(asked, machines)
    whole = judged(held.versions, asked, machines, book)
    resolution = whole.resolution
    picked = {pick.name for pick in resolution.picks}
    others = [want for want in builds.wanted if want.name not in picked and want.name not in book.packages]
    told = list(problems(held, resolution, others))
    lock = held.integrity
    addresses = {row.name: row.url for row in book.facts("indexes").indexes}
    named = [option_of(line)[1] for line in builds.lines if line.startswith("-")]
    origins = origins_of(resolution.picks, configured(), addresses, named)
    told += origin_problems(lock, origins, hashless=how.allow_unhashed)
    if any(pick.index_name.startswith(PYTORCH) for pick in resolution.picks):
        told += of_another_index(lock, resolution.picks, book.facts("wheels").wheels, addresses)
    unknown = [f"{one} is not among the facts: it was not judged" for one in whole.unknown]
    if not lock.files:
        return Verdict(held.path, resolution, tuple(told), tuple(unknown))
    compared = _compared(lock, form, resolution, origins, how)
    told += compared.problems
    told += _from_elsewhere(lock, form, origins, compared)
    return Verdict(held.path, resolution, tuple(told), (*unknown, *_notes(lock, compared)), _state(lock, compared))


def _compared(lock: Integrity, form: Format, resolution: "Resolution", origins: Origins, how: WhichLocks) -> "Compared":
    from cudafit.lock.listing import Compared, compared  # noqa: PLC0415 - for locks with hashes alone

    files = lock.files or ()
    if how.offline:
        return Compared(reason="`--offline` asks no index")
    if form.kind != CONDA:
        return compared(files, origins)
    from cudafit.lock.conda_listing import conda_compared  # noqa: PLC0415

    if len(resolution.targets) != 1:
        return Compared(reason="the lock is for several platforms")
    try:
        return conda_compared(files, configured().of(CONDA_FORGE, CONDA_FORGE), resolution.targets[0])
    except CudafitError as error:
        return Compared(reason=error.what)


def _from_elsewhere(lock: Integrity, form: Format, origins: Origins, compared: "Compared") -> Iterator[str]:
    """By the addresses, where no index told; of conda's packages they tell the channel in any case."""
    found: dict[str, list[str]] = {}
    for package, site in elsewhere(lock, origins):
        if form.kind == CONDA or package not in compared.answered:
            found.setdefault(site, []).append(package)
    for site, names in found.items():
        yield f"{listed(list(dict.fromkeys(names)))} would come from {site}, which the matrix does not know"


def _notes(lock: Integrity, compared: "Compared") -> Iterator[str]:
    left = [one.package for one in lock.files or () if one.package not in compared.answered]
    if lock.bare:
        yield "it has no hashes: what is installed is whatever its index has then"
    elif left:
        why = f" ({compared.reason})" if compared.reason else ""
        which = "hashes" if not compared.answered else f"the hashes of {listed(list(dict.fromkeys(left)))}"
        yield f"{which} were not compared with an index{why}"


def _state(lock: Integrity, compared: "Compared") -> str:
    packages = {one.package for one in lock.files or ()}
    if lock.bare or not compared.answered:
        return NOT_COMPARED
    return COMPARED if packages <= compared.answered else PARTLY
