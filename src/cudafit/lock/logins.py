"""The logins that are left out of what is written, and where installers take them from instead.

Sources: pip's documentation ("Authentication": `~/.netrc`), uv's ("HTTP credentials": a netrc file; "Package indexes":
`UV_INDEX_NAME_USERNAME` and `_PASSWORD` of an index with a name), conda's and pixi's, which read `~/.netrc` too.
"""

import re
from collections.abc import Iterator, Sequence

from cudafit.lock.formats import FORMATS
from cudafit.lock.order import PYTORCH, Order
from cudafit.lock.write import Document
from cudafit.system.secrets import has_login, host_of

_FORMATS = {one.name: one for one in FORMATS}


def left_out(order: Order, documents: Sequence[Document]) -> str | None:
    """One line for the user; None where no file names a host that wants a login."""
    hosts = {
        host: None
        for address in _addresses(order)
        if has_login(address) and (host := host_of(address)) and any(host in one.text for one in documents)
    }
    if not hosts:
        return None
    named = " and ".join(f"`{host}`" for host in hosts)
    ways = "installers take it from `~/.netrc`"
    if any(_FORMATS[one.format].named_indexes for one in documents) and (names := list(_variables(order))):
        ways += f", uv from `{names[0]}_USERNAME` and `{names[0]}_PASSWORD` too"
    return f"the login of {named} is not written into files; {ways}"


def _addresses(order: Order) -> Iterator[str]:
    indexes = order.indexes
    yield from (one for one in (indexes.default, indexes.pytorch, indexes.conda) if one)
    for text in (*(one.text for one in order.wanted), *order.lines):
        yield from (word for word in text.split() if "://" in word)


def _variables(order: Order) -> Iterator[str]:
    if order.indexes.pytorch and has_login(order.indexes.pytorch):
        names = dict.fromkeys(pick.index_name for pick in order.picks if pick.index_name.startswith(PYTORCH))
        yield from ("UV_INDEX_" + re.sub(r"\W", "_", name).upper() for name in names)
