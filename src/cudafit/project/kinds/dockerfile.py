"""A Dockerfile: what its RUN lines install, and what its base image brings."""

import os
import re
from collections.abc import Iterator

from cudafit.model.container_files import Stage
from cudafit.model.declaration import Bound, Chosen, Declaration
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.installs import CONDA, installs
from cudafit.model.requirement import Wanted
from cudafit.project.conda_specs import chosen_by, spec_of
from cudafit.project.dockerfile import parse_dockerfile
from cudafit.project.installer_lines import installed, sorted_lines
from cudafit.project.tables import Unread, requirement

_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")


def read(path: str, told: str) -> Declaration | None:
    """Of the stage that is built, with those it goes on from."""
    file = parse_dockerfile(told, path)
    unread = Unread()
    wanted: list[Wanted] = []
    chosen: list[Chosen] = []
    base = file.chain[0]
    wanted += _of_image(base, unread)
    chosen += _cuda_of_image(base)
    found = [(one, one.command.place) for stage in file.chain for one in installs(stage.commands)]
    for install, place in found:
        for told_spec in install.packages if install.tool == CONDA else ():
            if (spec := spec_of(told_spec)) and spec.name != "python":
                chosen += chosen_by(spec, place)
                wanted += requirement(spec.requirement, place, unread) if spec.requirement else ()
    pip = installed(found, os.path.dirname(path))
    rest = sorted_lines(pip.lines, os.path.dirname(path))
    return Declaration(
        path,
        "dockerfile",
        wanted=(*wanted, *pip.wanted, *rest.wanted),
        python=tuple(_python(base)),
        indexes=rest.indexes,
        chosen=tuple(chosen),
        lines=rest.lines,
        local=rest.local,
        unread=(*file.unread, *unread.told, *pip.unread),
        files=(path, *pip.files),
    )


def _image(stage: Stage) -> tuple[str, str]:
    """`docker.io/pytorch/pytorch:2.1.0-cuda11.8-cudnn8`: its last name, and its tag."""
    image = (stage.image or "").partition("@")[0]
    name, _, tag = image.rpartition("/")[2].partition(":")
    return name, tag


def _of_image(stage: Stage, unread: Unread) -> Iterator[Wanted]:
    """A framework that is in the image already. NVIDIA's monthly images tell no version of it."""
    name, tag = _image(stage)
    for one in FRAMEWORKS:
        if name in one.images:
            version = _VERSION.match(tag)
            of_month = (stage.image or "").startswith("nvcr.io/")
            specifier = f"=={version[1]}" if version and not of_month else ""
            yield from requirement(f"{one.name}{specifier}", f"{stage.place} (the base image)", unread)


def _cuda_of_image(stage: Stage) -> Iterator[Chosen]:
    name, tag = _image(stage)
    if name in FRAMEWORKS[0].images and (match := re.search(r"cuda(\d{1,2})\.(\d)", tag)):
        yield Chosen(f"cu{match[1]}{match[2]}", stage.place, name if name != "pytorch" else "torch")


def _python(stage: Stage) -> Iterator[Bound]:
    name, tag = _image(stage)
    if name == "python" and (match := re.match(r"(3\.\d+)", tag)):
        yield Bound(f"=={match[1]}.*", stage.place)
