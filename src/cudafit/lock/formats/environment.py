"""environment.yml: builds for CUDA by their build strings, and the CUDA version that the fit decided."""

import re
from typing import TYPE_CHECKING, Any

from cudafit.lock.conda_names import main_name
from cudafit.lock.formats.format import CONDA, Contents, Format, InImage, Written
from cudafit.lock.integrity import Integrity, first_channel
from cudafit.lock.lines import option_of

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop

_ASKS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")


def write(workshop: "Workshop", _path: str) -> Written:
    from cudafit.lock.environment_yml import environment_text  # noqa: PLC0415 - it is to be written

    order = workshop.order(CONDA)
    return Written(environment_text(order), len(order.picks))


def read(text: str) -> Contents:
    """The packages with a build string, the first channel, and the indexes that its pip side asks."""
    from cudafit.lock.yaml_text import load  # noqa: PLC0415 - for what is YAML alone

    value: Any = load(text)
    versions: dict[str, str] = {}
    asks = []
    for entry in value["dependencies"]:
        if isinstance(entry, str):
            name, *rest = re.split(r"=+", entry)
            if len(rest) > 1:
                versions[main_name(name)] = f"{rest[0]}={rest[1]}"
        for line in entry.get("pip", ()) if isinstance(entry, dict) else ():
            option, address = option_of(str(line))
            if option in _ASKS:
                asks.append(address)
    return Contents(versions, Integrity(None, asks=tuple(asks), first_channel=first_channel(value.get("channels"))))


FORMAT = Format(
    name="environment",
    kind=CONDA,
    pattern=r".*environment.*\.ya?ml",
    example="environment.yml",
    files="`environment*.yml`",
    help="a conda environment by build strings",
    tools="`conda env create -f`",
    complete=False,
    edits=False,
    named_indexes=False,
    in_image=InImage(4, solved=True),
    write=write,
    read=read,
)
