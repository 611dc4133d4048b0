"""setup.cfg. Source: setuptools' documentation, "Configuring setuptools using setup.cfg files"."""

import configparser
import os
import re
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.model.declaration import Bound, Declaration
from cudafit.model.requirement import Wanted, normalised
from cudafit.project.requirement_files import read_requirement_file
from cudafit.project.tables import Unread, requirements


def read(path: str, told: str) -> Declaration | None:
    """None for one that only holds the settings of tools."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    try:
        parser.read_string(told)
    except configparser.Error as error:
        raise InputError(f"`{path}` is not INI: {str(error).partition(chr(10))[0]}") from None
    if not parser.has_section("options") and not parser.has_section("options.extras_require"):
        return None
    unread, lines = Unread(), told.splitlines()
    files = [path]

    def listed(section: str, option: str) -> tuple[Wanted, ...]:
        value = parser.get(section, option, fallback="")
        if named := re.fullmatch(r"\s*file:\s*(.+)", value, re.DOTALL):
            return tuple(_of_files(path, named[1], files))
        return requirements([(line, _place(path, lines, line)) for line in _entries(value)], unread)

    extras = parser.options("options.extras_require") if parser.has_section("options.extras_require") else []
    bound = parser.get("options", "python_requires", fallback="").replace(" ", "")
    return Declaration(
        path,
        "setup.cfg",
        wanted=listed("options", "install_requires"),
        extras={normalised(name): listed("options.extras_require", name) for name in extras},
        name=normalised(parser.get("metadata", "name", fallback="").strip()),
        python=(Bound(bound, _place(path, lines, "python_requires")),) if bound else (),
        unread=unread.told,
        files=tuple(files),
    )


def _entries(value: str) -> Iterator[str]:
    """One a line; on one line they are parted by semicolons."""
    for line in value.splitlines():
        if plain := line.strip():
            yield from (
                [plain] if "\n" in value.strip() or ";" not in plain else filter(None, map(str.strip, plain.split(";")))
            )


def _of_files(path: str, names: str, files: list[str]) -> Iterator[Wanted]:
    for name in re.split(r"[,\n]", names):
        if name.strip():
            read = read_requirement_file(os.path.normpath(os.path.join(os.path.dirname(path), name.strip())))
            files.extend(read.files)
            yield from read.wanted


def _place(path: str, lines: list[str], text: str) -> str:
    number = next((number for number, line in enumerate(lines, start=1) if line.strip().startswith(text)), None)
    return f"{path}:{number}" if number else path
