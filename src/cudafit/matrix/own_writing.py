"""The user's own layer is written whole beside the one in use, looked at, and then named in one step."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping

from cudafit.atomic import write_text
from cudafit.errors import CudafitError, InputError
from cudafit.matrix.compiled import FILE_LIMIT, FORMAT, compile_layer
from cudafit.matrix.folder import BUILDS, FRAMEWORKS, file_text, read_folder
from cudafit.matrix.own import (
    COMPILED,
    CURRENT,
    MANIFEST,
    ROWS,
    Layer,
    LayerError,
    check_folder,
    check_hashes,
    own_folder,
    own_layer,
)
from cudafit.model.matrix import Matrix
from cudafit.system.reading import read_bytes

_NEW = ".new-"
_LEFT_S = 3600.0  # so old is what a killed update left
_KEPT = 5  # updates that can be taken back, one after the other


def write_layer(matrix: Matrix, date: str, base: str, before: Layer | None, environ: Mapping[str, str]) -> Layer:
    """Makes it the one in use; raises OSError, CudafitError. Whatever fails, the one before stays as it was."""
    folder = own_folder(environ)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    _refuse_foreign(folder)
    temporary = tempfile.mkdtemp(prefix=_NEW, dir=folder)
    try:
        _fill(temporary, matrix, date, base, before)
        _refuse_raced(before, environ)
        name = f"{date}-{os.path.basename(temporary).removeprefix(_NEW)}"
        os.rename(temporary, os.path.join(folder, name))
        temporary = os.path.join(folder, name)
        _sync(folder)
        write_text(os.path.join(folder, CURRENT), f"{name}\n")
        _sync(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    found = own_layer(environ)
    if found is None or found.name != name:
        raise CudafitError("another update was written meanwhile", hint="run it again: what was read is kept")
    _forget(folder, found)
    return found


def revert(environ: Mapping[str, str]) -> tuple[str, Layer | None]:
    """Takes the last update back: the name of it, and the update in use now. Raises CudafitError, OSError."""
    folder = own_folder(environ)
    if not os.path.lexists(folder):
        raise _nothing()
    _refuse_foreign(folder)
    current = os.path.join(folder, CURRENT)
    if not os.path.lexists(current):
        raise _nothing()
    try:
        layer = own_layer(environ)
    except LayerError:
        layer = None  # what cannot be used is taken away as well
    previous = layer.previous if layer else None
    if previous and os.path.isdir(os.path.join(folder, previous)):
        write_text(current, f"{previous}\n")
    else:
        os.unlink(current)
    _sync(folder)
    with contextlib.suppress(LayerError):
        now = own_layer(environ)
        _forget(folder, now)
        return (layer.date if layer else ""), now
    return (layer.date if layer else ""), None


def _nothing() -> InputError:
    return InputError("you have made no update that could be undone")


def _refuse_foreign(folder: str) -> None:
    try:
        check_folder(folder)
    except LayerError as error:
        raise InputError(
            f"your own layer of facts in `{folder}` {error}, so nothing was changed",
            hint="move it out of the way",
        ) from None


def _refuse_raced(before: Layer | None, environ: Mapping[str, str]) -> None:
    try:
        now = own_layer(environ)
    except LayerError:
        now = None
    if (now.name if now else None) != (before.name if before else None):
        raise CudafitError("another update was written meanwhile", hint="run it again: what was read is kept")


def _fill(path: str, matrix: Matrix, date: str, base: str, before: Layer | None) -> None:
    rows = os.path.join(path, ROWS)
    os.makedirs(os.path.join(rows, FRAMEWORKS))
    for package, builds in matrix.builds.items():
        comment = f"Builds of {package}, read from the wheels by `cudafit matrix update`."
        text = file_text(comment, {"package": package}, {BUILDS: builds})
        _write(os.path.join(rows, FRAMEWORKS, f"{package}.yaml"), text)
    text = file_text("What was read.", {}, {"sources": matrix.facts.sources})
    _write(os.path.join(rows, "sources.yaml"), text)
    if matrix.facts.wheels:
        text = file_text("Files that locks quote.", {}, {"wheels": matrix.facts.wheels})
        _write(os.path.join(rows, "wheels.yaml"), text)
    if matrix.facts.conda_builds:
        text = file_text("Builds of conda, as locks have them.", {}, {"conda_builds": matrix.facts.conda_builds})
        _write(os.path.join(rows, "conda.yaml"), text)
    read = read_folder(rows)
    if read.flaws:
        raise CudafitError(f"what was read is not a valid row, so nothing was changed: {read.flaws[0]}")
    key = hashlib.sha256("".join(sorted(file.text for file in read.files.values())).encode()).hexdigest()[:8]
    compiled = compile_layer(read.matrix(), f"update.{date}.{key}", os.path.join(path, COMPILED))
    if compiled.facts("sources").sources != matrix.facts.sources:
        raise CudafitError("what was read is not a valid source, so nothing was changed")
    files = {os.path.relpath(file, path).replace(os.sep, "/"): _told(file) for file in sorted(_files(path))}
    told = {
        "schema": FORMAT,
        "date": date,
        "base": base,
        "previous": before.name if before else None,
        "packages": sorted(matrix.builds),
        "files": files,
    }
    _write(os.path.join(path, MANIFEST), json.dumps(told, indent=1) + "\n")
    for file in (*_files(path), rows, path):
        _sync(file)


def _files(path: str) -> Iterable[str]:
    return [os.path.join(place, name) for place, _, names in os.walk(path) for name in names]


def _told(path: str) -> tuple[int, str]:
    content = read_bytes(path, FILE_LIMIT)
    return len(content), hashlib.sha256(content).hexdigest()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _sync(path: str) -> None:
    """What is written lasts, also a folder's list of names, where the system has a call for that."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(folder: str, now: Layer | None) -> None:
    """All but the update in use and those that it can be taken back to."""
    kept: set[str] = {CURRENT}
    name = now.name if now else None
    while name and name not in kept and len(kept) <= _KEPT:
        kept.add(name)
        name = _previous(os.path.join(folder, name))
    for entry in list(os.scandir(folder)):
        if entry.name in kept or not entry.is_dir(follow_symlinks=False):
            continue
        if not entry.name.startswith(_NEW) or time.time() - entry.stat().st_mtime > _LEFT_S:
            shutil.rmtree(entry.path, ignore_errors=True)


def _previous(path: str) -> str | None:
    try:
        name = json.loads(read_bytes(os.path.join(path, MANIFEST), FILE_LIMIT))["previous"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def check_written(layer: Layer) -> None:
    """Raises CudafitError where the disk has not kept what was written."""
    try:
        check_hashes(layer)
    except LayerError as error:
        raise CudafitError(f"your own layer of facts {error}") from None
