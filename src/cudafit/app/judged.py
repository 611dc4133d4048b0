"""A set of packages, judged as a whole by the rules of the fit: what was asked for, and what came along with it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cudafit.errors import CudafitError
from cudafit.model.fit import NO_FIT, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.conda import FEEDSTOCKS
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Book
from cudafit.resolve.request import Request
from cudafit.resolve.together import Agreements

IN_THE_LOCK = "in the lock"


@frozen
class Judged:
    """`unknown` are the packages of ours in a version that the facts do not have."""

    resolution: Resolution
    unknown: tuple[str, ...]


def judged(versions: Mapping[str, str], request: Request, machines: list[Host], book: Book) -> Judged:
    """`versions` are those of all packages: `2.14.1+cu126`, of conda `2.13.0=cuda130_0`."""
    asked = {want.name for want in request.wanted if not want.constraint}
    known: Callable[[str], object] = FEEDSTOCKS.__contains__ if request.conda else book.packages.__contains__
    wanted, unknown = [*request.wanted], []
    for name, version in versions.items():
        if name in asked or not known(name):
            continue
        if request.conda or any(build.version == _public(version) for build in book.builds(name)):
            wanted.append(Wanted(name, "", (), name, IN_THE_LOCK))
        else:
            unknown.append(f"{name} {version}")
    if not request.conda:
        wanted += _others(versions, book)
    held = replace(request, wanted=tuple(wanted), locked=versions, prefer="newest")
    return Judged(resolve(held, machines, book), tuple(unknown))


def _others(versions: Mapping[str, str], book: Book) -> list[Wanted]:
    """What is not ours, where it must agree with something: numpy with torch."""
    named = Agreements(book.facts("agreements").agreements, book.packages).named
    found = [(name, f"=={versions[name]}") for name in sorted(named & versions.keys())]
    return [Wanted(name, exact, (), f"{name}{exact}", IN_THE_LOCK, constraint=True) for name, exact in found]


def refuse_unfit(what: str, versions: Mapping[str, str], request: Request, machines: list[Host], book: Book) -> None:
    """Before it is written or made: what came along with the fit must fit as well. Raises CudafitError."""
    answer = judged(versions, request, machines, book).resolution
    if answer.status == NO_FIT:
        raise CudafitError(
            f"{what} would not work here: {answer.reason or 'its packages do not go together'}", cause=answer.causes
        )


def _public(version: str) -> str:
    return version.partition("+")[0].partition("=")[0]
