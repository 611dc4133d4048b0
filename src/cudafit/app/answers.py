"""The answer to a request: with what its packages need, and with versions that came after the facts."""

from collections.abc import Callable
from dataclasses import replace

from cudafit.app.newer import answer_with_index
from cudafit.model.fit import Resolution
from cudafit.model.frameworks import LEADING_BUILDS
from cudafit.resolve.conda import in_our_names
from cudafit.resolve.host import Host
from cudafit.resolve.names import refuse_misspelt
from cudafit.resolve.problem import Book, Library
from cudafit.resolve.request import Request


def answered(
    request: Request,
    machines: list[Host],
    book: Book,
    say: Callable[[str], None],
    *,
    every: bool = False,
    offline: bool = False,
) -> tuple[Request, Resolution, Book]:
    """The request with what its packages need, the answer, and the facts that it is from. May ask the package index."""
    if request.conda:
        request = in_our_names(request, machines)
    if not request.as_written:
        refuse_misspelt(request, Library(book))
    if request.files:
        from cudafit.app.honoured import honoured, meant  # noqa: PLC0415 - for what stands in files alone

        request = meant(request, Library(book))
    if any(one.url for one in request.wanted):
        from cudafit.app.given_wheels import suited  # noqa: PLC0415 - for what is given by its address

        request = suited(request, machines, Library(book))
    if request.files:
        request = honoured(request, machines, book)
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if not request.conda and any(one.name not in book.packages for one in request.wanted):
        from cudafit.app.closing import closed  # noqa: PLC0415 - uv and an index, for what the facts do not hold

        found = closed(request, machines, book, offline=offline)
        request, unseen, notes = found.request, found.unseen, found.notes
    answer, book = answer_with_index(request, machines, book, say, every=every, offline=offline)
    if not request.conda and any(one.extras for one in request.wanted):
        from cudafit.app.extras import absent_extras, has_extras  # noqa: PLC0415 - an index, for what has extras

        if has_extras(request):
            unseen += tuple(absent_extras(request, answer, offline=offline))
    if not request.conda and any(pick.requested and pick.name not in LEADING_BUILDS for pick in answer.picks):
        from cudafit.app.extras import framework_by_extra  # noqa: PLC0415 - as above

        notes = (*notes, *framework_by_extra(answer, Library(book), offline=offline))
    told = replace(
        answer,
        warnings=(*request.warnings, *answer.warnings, *unseen),
        notes=(*request.notes, *answer.notes, *notes),
    )
    return request, told, book
