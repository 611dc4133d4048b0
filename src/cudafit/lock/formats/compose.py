"""compose.yaml: a service with the GPUs, from the Dockerfile written beside it."""

from typing import TYPE_CHECKING

from cudafit.lock.formats.format import IMAGE, Format, Written

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", path: str) -> Written:
    from cudafit.lock.containers import compose_text  # noqa: PLC0415 - it is to be written

    return Written(compose_text(workshop.any_order(), workshop.dockerfile(), path))


FORMAT = Format(
    name="compose",
    kind=IMAGE,
    pattern=r"(docker-)?compose.*\.ya?ml",
    example="compose.yaml",
    files="`compose.yaml`",
    help="a service with the GPUs, from that image",
    tools="`docker compose up`",
    complete=False,
    edits=False,
    named_indexes=False,
    in_image=None,
    write=write,
    read=None,
)
