"""pylock.toml (PEP 751): every file with its address and hash, as uv compiled it."""

import json
import re
from typing import TYPE_CHECKING

from cudafit.errors import InputError
from cudafit.lock.formats.format import PIP, Contents, Format, InImage, Written
from cudafit.lock.hashes import strong_hash
from cudafit.lock.header import header
from cudafit.lock.integrity import Integrity, Named
from cudafit.lock.order import Order

if TYPE_CHECKING:
    from cudafit.lock.uv import Compiled
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", path: str) -> Written:
    """Raises InputError where no index may be asked."""
    order = workshop.order(PIP)
    if order.offline:
        raise InputError(
            f"`-o {path}`: a pylock has an address and a hash for each file, which only the index knows",
            hint="leave out `--offline`, or write `-o requirements.txt`",
        )
    compiled = workshop.compiled()
    return Written(pylock_text(order, compiled), len(compiled.packages))


def pylock_text(order: Order, compiled: "Compiled") -> str:
    """uv's own data below our header; `created-by` is the tool that decided."""
    body = re.sub(r'^created-by = ".*"$', 'created-by = "cudafit"', compiled.pylock, count=1, flags=re.MULTILINE)
    return header(order) + "\n" + body


def read(text: str) -> Contents:
    from cudafit.lock.pylock_file import files_of, hashes_of, name_of, read_pylock  # noqa: PLC0415 - it is to be read

    versions: dict[str, str] = {}
    files = []
    for package in read_pylock(text).packages:
        name, version = str(package.name), str(package.version or "")
        versions[name] = version
        if built := package.vcs or package.directory:
            files.append(Named(name, version, (), getattr(built, "url", None)))
        for file in files_of(package):
            hashed = strong_hash(hashes_of(file))
            hashes = (f"{hashed[0]}:{hashed[1]}",) if hashed else ()
            files.append(Named(name, version, hashes, file.url or f"file:///{file.path}", name_of(file)))
    return Contents(versions, Integrity(tuple(files)))


def _line(file: str) -> str:
    copy = "COPY --from=ghcr.io/astral-sh/uv:latest /uv /usr/local/bin/uv"
    return f"{copy}\nRUN uv pip sync --no-cache --python /opt/venv/bin/python {json.dumps(file)}"


FORMAT = Format(
    name="pylock",
    kind=PIP,
    pattern=r"pylock(\.[^.]+)?\.toml",
    example="pylock.toml",
    files="`pylock*.toml`",
    help="PEP 751: addresses and hashes",
    tools="`uv pip sync`, `pip install -r` (pip 26.1 and newer)",
    complete=True,
    edits=False,
    named_indexes=False,
    in_image=InImage(1, _line),
    write=write,
    read=read,
)
