"""pyproject.toml: the user's own file, with the fit as dependencies and uv's explicit indexes."""

from typing import TYPE_CHECKING

from cudafit.lock.formats.format import PIP, Contents, Format, Written
from cudafit.lock.integrity import Integrity
from cudafit.model.requirement import normalised, wanted
from cudafit.system.toml import read_toml

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", path: str) -> Written:
    from cudafit.lock.pyproject_toml import pyproject_text  # noqa: PLC0415 - it is to be written
    from cudafit.lock.write import current  # noqa: PLC0415

    order = workshop.order(PIP)
    return Written(pyproject_text(order, current(path, untouched=True), path), len(order.picks))


def read(text: str) -> Contents:
    """The pins among the dependencies, and where uv is to take packages from."""
    table = read_toml(text)
    pins = [item for item in map(wanted, table["project"]["dependencies"]) if item.specifier.startswith("==")]
    versions = {item.name: item.specifier.lstrip("=") for item in pins if not item.specifier.endswith("*")}
    uv = table.get("tool", {}).get("uv", {})
    indexes = {str(row.get("name")): str(row.get("url")) for row in uv.get("index", ())}
    sources: dict[str, str | None] = {}
    for name, source in uv.get("sources", {}).items():
        for one in source if isinstance(source, list) else [source]:
            address = indexes.get(one["index"]) if "index" in one else str(next(iter(one.values()), None))
            sources[normalised(name)] = address
    return Contents(versions, Integrity(None, sources=sources))


FORMAT = Format(
    name="pyproject",
    kind=PIP,
    pattern=r"pyproject\.toml",
    example="pyproject.toml",
    files="`pyproject.toml`",
    help="your own file: dependencies, explicit indexes and sources of uv",
    tools="`uv sync`",
    complete=False,
    edits=True,
    named_indexes=True,
    in_image=None,
    write=write,
    read=read,
)
