"""pixi.toml: a manifest, with what the machines have beside each platform."""

from typing import TYPE_CHECKING

from cudafit.lock.conda_names import main_name
from cudafit.lock.formats.format import CONDA, Contents, Format, Written
from cudafit.lock.integrity import Integrity, first_channel
from cudafit.system.toml import read_toml

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", _path: str) -> Written:
    from cudafit.lock.pixi_toml import pixi_text  # noqa: PLC0415 - it is to be written

    order = workshop.order(CONDA)
    return Written(pixi_text(order), len(order.picks))


def read(text: str) -> Contents:
    """The packages with a build string, and the first channel."""
    table = read_toml(text)
    built = {name: it for name, it in table["dependencies"].items() if isinstance(it, dict) and "build" in it}
    versions = {main_name(name): f"{str(it['version']).lstrip('=')}={it['build']}" for name, it in built.items()}
    channels = (table.get("workspace") or table.get("project") or {}).get("channels")
    return Contents(versions, Integrity(None, first_channel=first_channel(channels)))


FORMAT = Format(
    name="pixi",
    kind=CONDA,
    pattern=r"pixi\.toml",
    example="pixi.toml",
    files="`pixi.toml`",
    help="a manifest for pixi 0.71 and newer, with what the machines have",
    tools="`pixi install`",
    complete=False,
    edits=False,
    named_indexes=False,
    in_image=None,
    write=write,
    read=read,
)
