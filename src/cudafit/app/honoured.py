"""The kinds of builds that a project chooses by its indexes: honoured where they work here, else contradicted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cudafit.errors import UndeterminedError
from cudafit.model.declaration import Chosen
from cudafit.model.fit import CPU, NO_FIT
from cudafit.model.frameworks import TORCH
from cudafit.model.requirement import COMMAND_LINE, Wanted, applies
from cudafit.resolve.answer import DEFAULT_PYTHON, resolve
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Book, Library
from cudafit.resolve.request import Request


def honoured(request: Request, machines: Sequence[Host], book: Book) -> Request:
    """What `--cuda` and `--cpu` say goes before; a kind of which nothing fits here is let go, and that is said."""
    chosen = tuple(dict.fromkeys(_of_family(request, _here(request, machines))))
    if not chosen:
        return replace(request, chosen=())
    if request.cpu or request.cuda:
        word = "--cpu" if request.cpu else f"--cuda {request.cuda}"
        return _without(request, chosen, f"`{word}` goes before it")
    held = replace(request, chosen=chosen)
    told = [f"{_what(one)} for the CPU, as {one.origin} says" for one in chosen if one.variant == CPU]
    if _fits(held, machines, book) or not _fits(replace(request, chosen=()), machines, book):
        return replace(held, notes=(*request.notes, *dict.fromkeys(told)))
    return _without(request, chosen, "no build of that kind fits here, so another one is taken")


def _here(request: Request, machines: Sequence[Host]) -> Iterator[Chosen]:
    """Those whose markers hold on all machines."""
    python = request.python or DEFAULT_PYTHON
    for one in request.chosen:
        want = Wanted("", "", (), "", one.origin, one.marker)
        if all(applies(want, host.kind.platform, python) for host in machines):
            yield one


def _of_family(request: Request, chosen: Iterator[Chosen]) -> Iterator[Chosen]:
    """What is compiled against torch comes from where torch does, unless it is said otherwise."""
    told = list(chosen)
    yield from told
    named = {one.package for one in told}
    for one in told:
        if one.package == TORCH.name:
            for name in TORCH.companions:
                if name not in named and any(want.name == name for want in request.wanted):
                    yield replace(one, package=name)


def _fits(request: Request, machines: Sequence[Host], book: Book) -> bool:
    try:
        return resolve(request, list(machines), book).status != NO_FIT
    except UndeterminedError:  # it is raised where the answer is made
        return True


def _without(request: Request, chosen: Sequence[Chosen], why: str) -> Request:
    told = dict.fromkeys(f"{one.origin} takes {_what(one)} for {_kind(one.variant)}: {why}" for one in chosen)
    return replace(request, chosen=(), warnings=(*request.warnings, *told))


def _what(one: Chosen) -> str:
    return one.package or "torch and what belongs to it"


def _kind(variant: str) -> str:
    digits = variant[2:]
    if variant.startswith("cu") and digits.isdigit():
        return f"CUDA {digits[:2]}" + (f".{digits[2:]}" if digits[2:] else "")
    return "the CPU" if variant == CPU else variant


def meant(request: Request, library: Library) -> Request:
    """Names in files that no index has under the name that is meant: `tensorflow-gpu`, `pytorch`. Typed ones are
    refused, with the right one."""
    wanted: list[Wanted] = []
    told: list[str] = []
    altered: list[str] = []
    for want in request.wanted:
        means = library.means(want.name, "wrong")
        if want.origin == COMMAND_LINE or len(means) != 1 or want.url:
            wanted.append(want)
            continue
        wanted.append(replace(want, name=means[0], text=want.text.replace(want.text[: len(want.name)], means[0], 1)))
        told.append(f"`{want.name}` ({want.origin}) is no package to install: {means[0]} is meant")
        altered.append(want.origin)
    if not told:
        return request
    notes = (*request.notes, *told)
    return replace(request, wanted=tuple(wanted), notes=notes, altered=(*request.altered, *altered))
