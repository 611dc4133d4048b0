"""The lines of requirement files that are no requirement, and the words of `pip install`: where packages come from."""

import os
from collections.abc import Iterable, Iterator, Sequence

from cudafit.model.declaration import Index, Local
from cudafit.model.frozen import frozen
from cudafit.model.installs import PIP, UV, Install
from cudafit.model.requirement import Wanted
from cudafit.project.addresses import by_address, local_code
from cudafit.project.requirement_files import is_address, read_requirement_file
from cudafit.project.tables import Unread, requirement

_MAIN = ("-i", "--index-url", "--default-index")
_MORE = ("--extra-index-url", "--index")
_FILES = ("-f", "--find-links")


@frozen
class Sorted:
    """`lines` are left to installers as they are."""

    wanted: tuple[Wanted, ...]
    indexes: tuple[Index, ...]
    local: tuple[Local, ...]
    lines: tuple[str, ...]


def sorted_lines(lines: Iterable[tuple[str, str]], folder: str) -> Sorted:
    """Lines with the place of each; `folder` is that of the file."""
    wanted: list[Wanted] = []
    indexes: list[Index] = []
    local: list[Local] = []
    rest: list[str] = []
    for line, place in lines:
        option, value = _option(line)
        bare = value if option in ("-e", "--editable") else line
        if option in _MAIN or option in _MORE:
            indexes.append(Index(value, place, default=option in _MAIN))
        elif option in _FILES:
            indexes.append(Index(value, place, name=line))
        elif option and option not in ("-e", "--editable"):
            rest.append(line)
        elif code := _local(line, folder, place):
            local.append(code)
        elif found := by_address(bare, place):
            wanted.append(found)
        else:
            rest.append(line)
    return Sorted(tuple(wanted), tuple(indexes), tuple(local), tuple(rest))


def _local(line: str, folder: str, place: str) -> Local | None:
    """A path is one from the file that it stands in, as uv has it, else from where one is, as pip has it."""
    own = os.path.dirname(place.rpartition(":")[0])
    found = [local_code(line, one, place) for one in dict.fromkeys((own, folder, ""))]
    return next((one for one in found if one and os.path.exists(one.path)), found[0])


def is_folder_of_files(index: Index) -> bool:
    """Of `--find-links`: a list of files, and no index."""
    return index.name.startswith(_FILES)


def as_lines(install: Install) -> Iterator[str]:
    """What a command installs, as lines of a requirement file."""
    for name, value in install.options:
        if name in (*_MAIN, *_MORE, *_FILES, "-e", "--editable"):
            yield f"{name} {value}"
    main = (
        install.variable("PIP_INDEX_URL")
        if install.tool == PIP
        else install.variable("UV_DEFAULT_INDEX", "UV_INDEX_URL")
    )
    more = install.variable("PIP_EXTRA_INDEX_URL" if install.tool == PIP else "UV_EXTRA_INDEX_URL", "UV_INDEX")
    yield from (f"--index-url {one}" for one in (main or "").split()[:1])
    yield from (f"--extra-index-url {one.rpartition('=')[2]}" for one in (more or "").split())
    yield from install.packages


@frozen
class Installed:
    """What commands install: requirements, lines with their places, files they name, and what was not understood."""

    wanted: tuple[Wanted, ...]
    lines: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]
    files: tuple[str, ...]


def installed(installs: Sequence[tuple[Install, str]], folder: str) -> Installed:
    """By pip and uv; each with its place. A file that is named is read where it lies in the folder."""
    wanted: list[Wanted] = []
    lines: list[tuple[str, str]] = []
    unread = Unread()
    files: list[str] = []
    for install, place in installs:
        if install.tool not in (PIP, UV):
            continue
        for line in as_lines(install):
            if line.startswith("-") or is_address(line):
                lines.append((line, place))
            elif "$" in line:
                unread.add(place, f"`{line}` depends on a variable that is not known")
            else:
                wanted += requirement(line, place, unread)
        for name in install.option("-r", "--requirement", "--requirements"):
            beside = [one for one in (name, os.path.basename(name)) if os.path.isfile(os.path.join(folder, one))]
            if not beside:
                unread.add(place, f"`{name}` is not in this folder")
                continue
            read = read_requirement_file(os.path.normpath(os.path.join(folder, beside[0])))
            wanted += read.wanted
            lines += zip(read.other, read.places, strict=True)
            files += read.files
    return Installed(tuple(wanted), tuple(lines), unread.told, tuple(dict.fromkeys(files)))


def _option(line: str) -> tuple[str, str]:
    """`--find-links=x`, `-fx`: the option and its value; none for a line that is no option."""
    if not line.startswith("-"):
        return "", line
    if line.startswith("--"):
        name, _, value = line.replace("=", " ", 1).partition(" ")
        return name, value.strip().strip("\"'")
    return line[:2], line[2:].lstrip(" =").strip("\"'")
