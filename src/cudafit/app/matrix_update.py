"""The matrix, read anew from the published wheels."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from cudafit import shipped
from cudafit.atomic import write_text
from cudafit.errors import CudafitError, InputError
from cudafit.matrix.folder import BUILDS, Folder, MatrixFile, file_text, read_folder
from cudafit.matrix.harvest.cache import Cache, default_folder
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.harvest import Group, Harvest, harvest
from cudafit.matrix.harvest.index import default_index
from cudafit.matrix.harvest.readers import READERS
from cudafit.matrix.merge import merged_files
from cudafit.model.frozen import frozen
from cudafit.model.versions import natural_key
from cudafit.system.commands import command_text, path_word
from cudafit.system.diffs import difference, lines_of

DEFAULT_NAME = "pypi"


@frozen
class Request:
    """Without `packages` all that can be read; `since` is the oldest version that is looked at, `index_name` what
    indexes.yaml calls the index. Without a `folder` the one of this checkout is meant. What the rows were read from is
    read `again` when readers have learnt more."""

    packages: tuple[str, ...] = ()
    since: str | None = None
    index: str | None = None
    index_name: str | None = None
    folder: str | None = None
    workers: int = 6
    dry_run: bool = False
    again: bool = False


@frozen
class Change:
    """A file of the matrix as it would be."""

    path: str
    text: str
    diff: tuple[str, ...]


@frozen
class Update:
    """What was read, and the files that differ."""

    harvest: Harvest
    changes: tuple[Change, ...]


def is_for_folder(folder: str | None) -> bool:
    """Whether there is a folder of matrix files to update: one that is named, or that of a checkout."""
    return folder is not None or "_shipped" not in shipped.folder("matrices")


def update(request: Request, progress: Callable[[int, int], None]) -> Update:
    """Reads; nothing is written."""
    refuse(request.packages, request.index, request.index_name)
    folder, read = folder_of(request.folder)
    chosen = request.packages or tuple(READERS)
    result = harvested(request, _oldest(read, chosen), progress, os.environ, known(read))
    texts = merged_files(read, result.builds, result.sources)
    if texts and not request.packages and read.version:
        texts["matrix.yaml"] = _dated(read.files["matrix.yaml"])
    return Update(result, tuple(changes_of(folder, read, texts)))


def harvested(
    request: Request,
    oldest: Mapping[str, str],
    progress: Callable[[int, int], None],
    environ: Mapping[str, str],
    known: Callable[[Group], bool],
) -> Harvest:
    """What the index has, from the `oldest` versions on where the request tells none; raises InputError."""
    chosen = request.packages or tuple(READERS)
    try:
        return harvest(
            chosen,
            request.index or default_index(environ),
            request.index_name or DEFAULT_NAME,
            datetime.now(timezone.utc).date().isoformat(),
            cache=Cache(default_folder(environ)),
            since=dict.fromkeys(chosen, request.since) if request.since else oldest,
            workers=request.workers,
            progress=progress,
            known=(lambda _group: False) if request.again else known,
        )
    except HarvestError as error:
        raise InputError(f"`--since {error.file}` {error.reason}") from None


def version_of_today() -> str:
    """As matrices are dated: `2026.11.21`."""
    day = datetime.now(timezone.utc).date()
    return f"{day.year}.{day.month}.{day.day}"


def write(change: Change) -> None:
    try:
        write_text(change.path, change.text)
    except OSError as error:
        raise InputError(f"cannot write `{os.path.basename(change.path)}`: {error.strerror or error}") from None


def refuse(packages: Sequence[str], index: str | None, index_name: str | None) -> None:
    """What cannot be meant; raises InputError."""
    unknown = [name for name in packages if name not in READERS]
    if unknown:
        raise InputError(f"no reader for `{unknown[0]}`", hint=f"there is one for {', '.join(sorted(READERS))}")
    if (index is None) != (index_name is None):
        raise InputError("`--index` and `--index-name` go together", hint="the name is that of a row of indexes.yaml")


def folder_of(named: str | None) -> tuple[str, Folder]:
    """The matrix that is to be renewed; raises CudafitError where there is none, or one with flaws."""
    path = named or shipped.folder("matrices")
    if not os.path.isdir(path):
        raise InputError(f"no matrix folder to update: `{path}`", hint="name one with `--folder DIR`")
    read = read_folder(path)
    if read.flaws or "sources.yaml" not in read.files:
        check = command_text("cudafit", "matrix", "check", path_word(path))
        raise CudafitError(f"the matrix `{path}` has flaws", hint=f"`{check}` names them")
    return path, read


def known(read: Folder) -> Callable[[Group], bool]:
    """Whether a row of the folder was read from these very bytes, and for the same Pythons."""
    pythons: dict[str, set[str]] = {}
    hashes = {entry.record.name: entry.record.sha256 for entry in read.entries("sources") if entry.record.sha256}
    for entry in read.entries(BUILDS):
        for name in entry.record.sources:
            if name in hashes:
                pythons.setdefault(hashes[name], set()).update(entry.record.pythons)

    def is_known(group: Group) -> bool:
        told = pythons.get(group.chosen.sha256 or "")
        return told is not None and {python for file in group.files for python in file.pythons} <= told

    return is_known


def _oldest(read: Folder, packages: Sequence[str]) -> dict[str, str]:
    """The first version of each package that the matrix holds; a new package has none, and is read whole."""
    builds = read.matrix().builds
    versions = {name: [build.version for build in builds.get(name, ()) if build.index == "pypi"] for name in packages}
    return {name: min(held, key=natural_key) for name, held in versions.items() if held}


def _dated(file: MatrixFile) -> str:
    """All of it was read today, which is its version: by that the newer of two is told."""
    return file_text(file.comment, {**file.scalars, "version": version_of_today()}, {})


def changes_of(folder: str, read: Folder, texts: Mapping[str, str]) -> Iterator[Change]:
    """The files that differ, each with its difference."""
    for name, text in texts.items():
        old = read.files[name].text if name in read.files else ""
        diff = difference(lines_of(old), lines_of(text), f"old/{name}", f"new/{name}", around=0)
        yield Change(os.path.join(folder, name), text, tuple(diff))
