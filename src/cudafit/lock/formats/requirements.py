"""requirements.txt: a pin with the hashes of its files, or the address of a wheel, for each package."""

import json
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from cudafit.lock.formats.format import PIP, Contents, Format, InImage, Written
from cudafit.lock.hashes import STRONG, is_hash
from cudafit.lock.integrity import Integrity, Named, file_name
from cudafit.lock.lines import VCS, logical_lines, option_of
from cudafit.model.requirement import Wanted, wanted
from cudafit.system.secrets import redacted

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop

_ASKS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")


def write(workshop: "Workshop", _path: str) -> Written:
    """Without hashes where no index may be asked."""
    from cudafit.lock.requirements_txt import offline_text, requirements_text  # noqa: PLC0415 - it is to be written

    order = workshop.order(PIP)
    if order.offline:
        return Written(offline_text(order), len(order.picks))
    compiled = workshop.compiled()
    return Written(requirements_text(order, compiled), len(compiled.packages))


def read(text: str) -> Contents:
    versions: dict[str, str] = {}
    files, faults, asks = [], [], []
    for line in logical_lines(text):
        if not line.startswith("-"):
            item, file = _pinned(line)
            files.append(file)
            if item.url or item.specifier.startswith("=="):
                versions[item.name] = _wheel_version(item.url) if item.url else file.version
            continue
        name, value = option_of(line)
        if name in _ASKS:
            asks.append(value)
        elif name == "--trusted-host":
            faults.append(f"it turns off the check of certificates for {value}")
        elif name in ("-e", "--editable"):
            files.append(Named(redacted(value), "", ()))
    return Contents(versions, Integrity(tuple(files), tuple(faults), tuple(asks)))


def _pinned(line: str) -> tuple[Wanted, Named]:
    plain, *options = map(str.strip, re.split(r"\s(?=--[a-z])", line))
    told = [(kind, digest) for kind, _, digest in (value.partition(":") for value in _hashes(options))]
    item = wanted(plain)
    if item.url and (fragment := re.fullmatch(r"(sha\d+)=(.*)", urlsplit(item.url).fragment)):
        told.append((fragment[1], fragment[2]))
    broken = any(kind in STRONG and not is_hash(kind, digest) for kind, digest in told)
    hashes = tuple(f"{kind}:{digest.lower()}" for kind, digest in told if kind in STRONG)
    if broken or (item.url and VCS.match(item.url)):
        hashes = ()
    version = item.specifier.lstrip("=") if item.specifier.startswith("==") else ""
    return item, Named(item.name, version, hashes, item.url, file_name(item.url) if item.url else None)


def _hashes(options: list[str]) -> Iterator[str]:
    for option in options:
        name, value = option_of(option)
        if name != "--hash":
            raise ValueError(f"`{option}` is an option that cudafit does not know")
        yield value


def _wheel_version(url: str) -> str:
    from packaging.utils import InvalidWheelFilename  # noqa: PLC0415 - for addresses alone

    from cudafit.model.wheel_names import wheel_parts  # noqa: PLC0415

    try:
        return str(wheel_parts(unquote(os.path.basename(urlsplit(url).path)))[1])
    except InvalidWheelFilename:
        return ""


def _line(file: str) -> str:
    return f"RUN pip install --no-cache-dir --no-deps --require-hashes -r {json.dumps(file)}"


FORMAT = Format(
    name="requirements",
    kind=PIP,
    pattern=r".*requirements.*\.txt|.*\.lock\.txt",
    example="requirements.txt",
    files="`requirements*.txt`, `*.lock.txt`",
    help="every package, pinned, with hashes",
    tools="`pip install -r`, `uv pip sync`",
    complete=True,
    edits=False,
    named_indexes=False,
    in_image=InImage(0, _line),
    write=write,
    read=read,
)
