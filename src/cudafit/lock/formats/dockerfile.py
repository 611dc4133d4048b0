"""Dockerfile: an image that installs the lock written beside it."""

from typing import TYPE_CHECKING

from cudafit.lock.formats.format import IMAGE, Format, Written

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", path: str) -> Written:
    from cudafit.lock.containers import dockerfile_text  # noqa: PLC0415 - it is to be written

    lock, form = workshop.installed_by(path)
    return Written(dockerfile_text(workshop.order(form.kind), path, lock, form))


FORMAT = Format(
    name="dockerfile",
    kind=IMAGE,
    pattern=r"(.*\.)?(Docker|Container)file(\..*)?",
    example="Dockerfile",
    files="`Dockerfile`",
    help="an image that installs the lock written beside it",
    tools="`docker build`",
    complete=False,
    edits=False,
    named_indexes=False,
    in_image=None,
    write=write,
    read=None,
)
