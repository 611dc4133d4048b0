"""pylock.toml (PEP 751): every file with its address and hash, as uv compiled it."""

import json
import re
from typing import TYPE_CHECKING

from cudafit.errors import InputError
from cudafit.lock.formats.format import PIP, Contents, Format, InImage, Written
from cudafit.lock.hashes import strong_hash
from cudafit.lock.header import header
from cudafit.lock.integrity import Integrity, Named, file_name
from cudafit.lock.order import Order
from cudafit.model.requirement import normalised
from cudafit.system.toml import read_toml

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
    versions: dict[str, str] = {}
    files = []
    for row in read_toml(text)["packages"]:
        name, version = normalised(row["name"]), str(row.get("version", ""))
        versions[name] = version
        for kind in ("vcs", "directory"):
            if kind in row:
                files.append(Named(name, version, (), row[kind].get("url")))
        one = [row[kind] for kind in ("archive", "sdist") if kind in row]
        for entry in [*one, *row.get("wheels", ())]:
            hashed = strong_hash(entry.get("hashes"))
            address = str(entry.get("url") or f"file:///{entry['path']}")
            file = str(entry.get("name") or file_name(address))
            hashes = (f"{hashed[0]}:{hashed[1]}",) if hashed else ()
            files.append(Named(name, version, hashes, address, file))
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
