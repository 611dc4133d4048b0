"""conda-lock.yml: conda-lock's unified lock, version 1, of one platform or several."""

from typing import TYPE_CHECKING, Any

from cudafit.lock.conda_names import package_of_file
from cudafit.lock.formats.format import CONDA, Contents, Format, InImage, Written
from cudafit.lock.integrity import Integrity, conda_file

if TYPE_CHECKING:
    from cudafit.lock.workshop import Workshop


def write(workshop: "Workshop", path: str) -> Written:
    from cudafit.lock.conda_lock_yml import conda_lock_text  # noqa: PLC0415 - it is to be written

    text, packages = conda_lock_text(workshop.order(CONDA), workshop.solved(path), path)
    return Written(text, packages)


def read(text: str) -> Contents:
    from cudafit.lock.yaml_text import load  # noqa: PLC0415 - for what is YAML alone

    rows: list[dict[str, Any]] = list(load(text)["package"])
    versions = dict(package_of_file(row["url"]) for row in rows if row["manager"] == "conda")
    files = (conda_file(row["url"], str(row["version"]) if "version" in row else "", row.get("hash")) for row in rows)
    return Contents(versions, Integrity(tuple(files)))


FORMAT = Format(
    name="conda-lock",
    kind=CONDA,
    pattern=r".*conda-lock\.ya?ml",
    example="conda-lock.yml",
    files="`conda-lock.yml`",
    help="conda-lock's unified lock, version 1",
    tools="`conda-lock install`, `micromamba create -f`",
    complete=True,
    edits=False,
    named_indexes=False,
    in_image=InImage(2),
    write=write,
    read=read,
)
