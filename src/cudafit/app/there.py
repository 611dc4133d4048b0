"""What an index or a channel has of the builds that the facts know: a mirror may lack the newest of them.

It is asked once a lock cannot be made, and about the packages of the fit alone. What it lacks is then out of the
question, and the next build that is there and fits is taken.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from cudafit.app.builds import answer_of
from cudafit.conda.solver import UnsolvableError
from cudafit.errors import CudafitError
from cudafit.indexes import Indexes
from cudafit.lock.uv import UvError
from cudafit.model.fit import CPU, NO_FIT, Pick, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build, CondaBuild, Facts, wheel_version
from cudafit.resolve.conda import CONDA_NAMES, FEEDSTOCKS
from cudafit.resolve.conda import INDEX as FORGE
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Book
from cudafit.resolve.request import Request
from cudafit.system.secrets import host_of, redacted

TRIES = 3
# What says that the packages do not go together, or are not there.
NOT_THERE = (UvError, UnsolvableError)
_PYTORCH = "pytorch-"
Held = Mapping[tuple[str, str], Collection[str]]
Builds = Collection[tuple[str, str]]  # versions with conda's builds


@frozen
class AsThere:
    """A book without the builds that were looked for and are not there. `held` are versions by index and package,
    `conda` are builds by feedstock."""

    below: Book
    held: Held
    conda: Mapping[str, Builds]
    cpu: bool = False

    @property
    def version(self) -> str:
        return self.below.version

    @property
    def packages(self) -> Mapping[str, int]:
        return self.below.packages

    @property
    def told(self) -> tuple[str, ...]:
        return self.below.told

    def builds(self, name: str) -> tuple[Build, ...]:
        builds = self.below.builds(name)
        looked = {index for index, package in self.held if package == name}
        return tuple(
            one for one in builds if one.index not in looked or wheel_version(one) in self.held[one.index, name]
        )

    def facts(self, *lists: str) -> Facts:
        facts = self.below.facts(*lists)
        if not self.conda or "conda_builds" not in lists:
            return facts
        return replace(facts, conda_builds=tuple(filter(self._is_there, facts.conda_builds)))

    def _is_there(self, row: CondaBuild) -> bool:
        if row.feedstock not in self.conda:
            return True
        kind = CPU if self.cpu else f"cuda{row.cuda.replace('.', '')}"
        return any(version == row.version and build.startswith(kind) for version, build in self.conda[row.feedstock])


def bounded(
    error: CudafitError, request: Request, answer: Resolution, machines: list[Host], book: Book, indexes: Indexes
) -> tuple[Resolution, Book, tuple[str, ...]]:
    """The answer with what is there, the facts without what is not, and what to say of it. Raises `error` where
    nothing of the fit is lacking, or where the index does not tell; CudafitError where nothing that is there fits."""
    if isinstance(error, UvError) and error.is_unanswered:
        raise error
    there = (
        _of_channel(answer, book, indexes) if isinstance(error, UnsolvableError) else _of_indexes(answer, book, indexes)
    )
    lacking = [pick for pick in answer.picks if there and _is_lacking(pick, there)]
    if there is None or not lacking:
        raise error
    found = answer_of(request, machines, there)
    told = [f"{_where(pick, indexes)} has no {pick.name} {_called(pick)}, which the facts know" for pick in lacking]
    if found.status == NO_FIT:
        raise CudafitError(
            error.what,
            cause=[*told, f"and of what is there {found.reason or 'nothing fits'}"],
            hint="another mirror may have more: it is named by CUDAFIT_CONDA_CHANNEL"
            if isinstance(error, UnsolvableError)
            else "another index may have more: `resolve` without a file shows what the facts know",
        )
    taken = {pick.name: pick for pick in found.picks}
    warnings = [
        f"{text}: {one.name} {_called(one)} is the next that is there and fits"
        if (one := taken.get(pick.name))
        else text
        for pick, text in zip(lacking, told, strict=True)
    ]
    return found, there, tuple(warnings)


def _is_lacking(pick: Pick, there: AsThere) -> bool:
    if pick.index_name == FORGE:
        rows = there.conda.get(FEEDSTOCKS.get(pick.name, ""), None)
        kind = f"cuda{pick.cuda.replace('.', '')}" if pick.cuda else CPU
        return rows is not None and not any(v == pick.version and build.startswith(kind) for v, build in rows)
    versions = there.held.get((pick.index_name, pick.name))
    return versions is not None and pick.requirement.rpartition("==")[2] not in versions


def _of_indexes(answer: Resolution, book: Book, indexes: Indexes) -> AsThere | None:
    import requests  # noqa: PLC0415 - slow, and for what is lacking alone

    from cudafit.matrix.harvest.errors import HarvestError  # noqa: PLC0415
    from cudafit.matrix.harvest.index import default_index, files, wheels_of  # noqa: PLC0415

    platforms = {target.platform for target in answer.targets} | {"any"}
    held = dict(book.held) if isinstance(book, AsThere) else {}
    with requests.Session() as session:
        for pick in answer.picks:
            own = pick.index_name.startswith(_PYTORCH)
            address = indexes.of(pick.index_name, pick.index) if own else indexes.default or default_index()
            try:
                listed = wheels_of(pick.name, files(pick.name, address, session))
            except HarvestError as error:
                if "has no such package" not in f"{error}":
                    return None
                listed = []
            held[pick.index_name, pick.name] = {str(one.version) for one in listed if one.platform in platforms}
    return AsThere(book.below if isinstance(book, AsThere) else book, held, {})


def _of_channel(answer: Resolution, book: Book, indexes: Indexes) -> AsThere | None:
    from cudafit.conda.solver import listed  # noqa: PLC0415
    from cudafit.lock.conda_names import conda_platform  # noqa: PLC0415

    asked = [pick for pick in answer.picks if pick.index_name == FORGE and pick.name in FEEDSTOCKS]
    names = {CONDA_NAMES.get(pick.name, pick.name): FEEDSTOCKS[pick.name] for pick in asked}
    found: dict[str, set[tuple[str, str]]] = {}
    for target in answer.targets:
        rows = listed((indexes.of(FORGE, FORGE),), conda_platform(target.platform), list(names))
        if rows is None:
            return None
        for name, feedstock in names.items():
            of = set(rows.get(name, ()))
            found[feedstock] = found[feedstock] & of if feedstock in found else of
    return AsThere(book.below if isinstance(book, AsThere) else book, {}, found, cpu=answer.status == CPU)


def _where(pick: Pick, indexes: Indexes) -> str:
    if pick.index_name == FORGE:
        return f"the channel {redacted(indexes.of(FORGE, FORGE))}"
    own = pick.index_name.startswith(_PYTORCH)
    address = indexes.of(pick.index_name, pick.index) if own else indexes.default
    return f"the index {host_of(address) or redacted(address)}" if address else "the default index"


def _called(pick: Pick) -> str:
    return f"{pick.version} ({pick.variant})" if pick.variant != "any" else pick.version
