"""The requirement files that the RUN lines of a Dockerfile install, put into these lines: they say what is installed.

A file that is copied into an image lies beside the Dockerfile, or in the folder that it is built from.
"""

import os
from collections.abc import Sequence
from dataclasses import replace

from cudafit.errors import InputError
from cudafit.model.container_files import Command, Dockerfile
from cudafit.model.installs import PIP, UV, installs
from cudafit.project.requirement_files import read_requirement_file

_ASKED = ("-r", "--requirement", "--requirements")
_INDEXES = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")
_MOST = 20  # files that are read for one Dockerfile, or for all of a compose file

Lists = dict[str, tuple[str, ...] | None]


def with_lists(file: Dockerfile, folder: str, read: Lists | None = None) -> Dockerfile:
    """What cannot be read stays as it is written, and is told as not read. `read` is what was read before."""
    read = {} if read is None else read
    stages = tuple(
        replace(stage, commands=tuple(_filled(one, folder, read) for one in stage.commands)) for stage in file.stages
    )
    return replace(file, stages=stages)


def _filled(command: Command, folder: str, read: Lists) -> Command:
    if not any(word.startswith(_ASKED) for word in command.words):
        return command
    (install,) = (*installs((command,)),) or (None,)
    if install is None or install.tool not in (PIP, UV):
        return command
    names = install.option(*_ASKED)
    if len(names) != 1:
        return command
    key = f"{folder}\0{names[0]}"
    if key not in read:
        read[key] = _words_of(names[0], folder) if len(read) < _MOST else None
    words = read[key]
    if words is None:
        return command
    return replace(command, words=(*_without(command.words, names[0]), *words), listed=os.path.basename(names[0]))


def _words_of(name: str, folder: str) -> tuple[str, ...] | None:
    """The requirements of a file of that name, by its place in the image or beside the Dockerfile."""
    beside = [one for one in (name, os.path.basename(name)) if not os.path.isabs(one) and ".." not in one.split("/")]
    path = next((path for one in beside if os.path.isfile(path := os.path.join(folder, one))), None)
    try:
        told = read_requirement_file(os.path.normpath(path)) if path else None
    except InputError:
        return None
    if told is None or told.unread:
        return None
    options = [word for line in told.other if line.startswith(_INDEXES) for word in line.split(None, 1)]
    return (*options, *(one.text for one in told.wanted))


def _without(words: Sequence[str], name: str) -> list[str]:
    """The line without the option and its value: `-r file`, `-rfile`, `--requirement=file`."""
    kept: list[str] = []
    for word in words:
        if word == name and kept and kept[-1] in _ASKED:
            kept.pop()
        elif word not in (f"-r{name}", *(f"{option}={name}" for option in _ASKED)):
            kept.append(word)
    return kept
