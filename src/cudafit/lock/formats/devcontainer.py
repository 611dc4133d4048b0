"""devcontainer.json: an editor's container with the GPUs, from the Dockerfile written beside it."""

from typing import TYPE_CHECKING

from cudafit.lock.formats.format import IMAGE, Format, Written

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", path: str) -> Written:
    from cudafit.lock.containers import devcontainer_text  # noqa: PLC0415 - it is to be written

    return Written(devcontainer_text(workshop.any_order(), workshop.dockerfile(), path))


FORMAT = Format(
    name="devcontainer",
    kind=IMAGE,
    pattern=r"\.?devcontainer\.json",
    example="devcontainer.json",
    files="`devcontainer.json`",
    help="an editor's container with the GPUs, from that image",
    tools="open the folder in the container",
    complete=False,
    edits=False,
    named_indexes=False,
    in_image=None,
    write=write,
    read=None,
)
