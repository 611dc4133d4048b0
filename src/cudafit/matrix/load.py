"""Finds the matrix to answer from: the newest facts that there are, with the user's own over them.

- Installed, the packaged matrix lies compiled beside the code, or in the package `cudafit-matrices` (`bases`).
- In a checkout it is compiled on first use into the user's cache, keyed by the content of its files.
- What `cudafit matrix update` read since then is laid over it, package by package (`own`).
- A folder of the user's (`matrices` in cudafit's config folder, and then each `--matrix DIR`) is laid over it: a row
  about the same thing replaces the packaged one. A folder with a `matrix.yaml` of its own is a whole matrix, and is
  used instead.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cudafit.errors import InputError
from cudafit.matrix.bases import Base, base
from cudafit.matrix.compiled import Compiled, compile_matrix, content_key, open_compiled
from cudafit.matrix.own import REVERT, UPDATE, Layer, LayerError, own_layer
from cudafit.system.commands import command_text
from cudafit.system.own_cache import own_cache

_KEPT = 8  # compiled matrices in the cache; older ones go
_SHOWN = 4


def open_matrix(
    overlays: Sequence[str] = (), pinned: str | None = None, environ: Mapping[str, str] = os.environ
) -> Compiled:
    """The matrix to answer from; raises InputError for a folder that is not one, or another version than `pinned`."""
    layers = [*_config_layer(environ), *overlays]
    for layer in overlays:
        if not os.path.isdir(layer):
            raise InputError(f"`--matrix {layer}`: there is no such folder")
    whole = [place for place, layer in enumerate(layers) if os.path.isfile(os.path.join(layer, "matrix.yaml"))]
    compiled = _compiled(layers[whole[-1] :], environ) if whole else _newest(layers, environ)
    if pinned is not None and compiled.version != pinned:
        raise InputError(
            f"matrix {pinned} was asked for, but this one is {compiled.version}",
            hint=f"give its folder with `--matrix DIR`, or leave out `{command_text('--matrix-version', pinned)}`",
        )
    return compiled


def _config_layer(environ: Mapping[str, str]) -> list[str]:
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = os.path.join(base, "cudafit", "matrices")
    return [path] if os.path.isdir(path) else []


def packaged(environ: Mapping[str, str] = os.environ) -> Compiled:
    """The newest facts that came with cudafit or as a package, without anything of the user's."""
    return _packaged(base(), environ)


def _packaged(found: Base, environ: Mapping[str, str]) -> Compiled:
    ready = found.compiled or _compiled([found.rows], environ)
    return replace(ready, told=found.told, ignored=found.ignored) if found.told or found.ignored else ready


def _newest(layers: Sequence[str], environ: Mapping[str, str]) -> Compiled:
    """The packaged facts with the user's update over them, and then the user's own rows."""
    found = base()
    below = _packaged(found, environ)
    try:
        layer = own_layer(environ)
        if layer is not None and layer.is_older_than(below.version):
            text = f"your update of {layer.date} is not used: the facts of {below.version} are newer"
            return _with_own(replace(below, ignored=(*below.ignored, text)), below, [found.rows, *layers], environ)
        over = layer.compiled() if layer else None
    except LayerError as error:
        text = f"your own layer of facts is not used: it {error}; `{UPDATE}` makes it anew, `{REVERT}` takes it away"
        below = replace(below, ignored=(*below.ignored, text), told=(*below.told, text))
        return _with_own(below, below, [found.rows, *layers], environ)
    if layer is None or over is None:
        return _with_own(below, below, [found.rows, *layers], environ)
    it = "it" if len(layer.packages) == 1 else "them"
    text = (
        f"{_names(layer.packages) or 'what locks quote'} as you read {it} on {layer.date}; `{REVERT}` takes that back"
    )
    joined = replace(below.under(over, f"{below.version}+{over.version}"), told=(*below.told, text))
    return _with_own(joined, below, [found.rows, layer.rows, *layers], environ, layer)


def _with_own(
    below: Compiled, lowest: Compiled, stack: Sequence[str], environ: Mapping[str, str], layer: Layer | None = None
) -> Compiled:
    """Own rows are laid over the facts below, of which `lowest` are the packaged ones, and all is compiled once."""
    if len(stack) == (1 if layer is None else 2):
        return below
    whole = _compiled(stack, environ, layer.rows if layer else None, lowest)
    return replace(whole, told=below.told, ignored=below.ignored)


def _names(packages: Sequence[str]) -> str:
    shown = ", ".join(packages[:_SHOWN])
    return shown if len(packages) <= _SHOWN else f"{shown} and {len(packages) - _SHOWN} more packages"


def _compiled(
    stack: Sequence[str], environ: Mapping[str, str], update: str | None = None, lowest: Compiled | None = None
) -> Compiled:
    try:
        key = content_key(path for layer in stack for path in matrix_files(layer))
    except OSError as error:
        raise InputError(f"cannot read `{error.filename}`: {error.strerror or error}") from None
    folder = os.path.join(cache_folder(environ), key)
    return open_compiled(folder) or _compile(stack, folder, update, lowest)


def matrix_files(folder: str) -> list[str]:
    """The YAML files of a matrix folder, in a fixed order."""
    found = []
    for place in (folder, os.path.join(folder, "frameworks")):
        if os.path.isdir(place):
            found += sorted(os.path.join(place, name) for name in os.listdir(place) if name.endswith((".yaml", ".yml")))
    return found


def _compile(stack: Sequence[str], folder: str, update: str | None, lowest: Compiled | None) -> Compiled:
    """Compile into the cache, in one step for other processes; where the cache cannot be written, beside it."""
    # YAML above all is slow to import, and needed only here.
    import atexit  # noqa: PLC0415
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    from cudafit.matrix.layers import read_stack  # noqa: PLC0415

    matrix, version = read_stack(stack, update, lowest)
    parent = os.path.dirname(folder)
    try:
        os.makedirs(parent, exist_ok=True)
        temporary = tempfile.mkdtemp(prefix=".new-", dir=parent)
    except OSError:
        temporary = tempfile.mkdtemp(prefix="cudafit-matrix-")  # it is read as long as this process asks
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return compile_matrix(matrix, version, temporary)
    compiled = compile_matrix(matrix, version, temporary)
    try:
        os.replace(temporary, folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)  # another process was quicker
    for path in _old(parent):
        shutil.rmtree(path, ignore_errors=True)
    return open_compiled(folder) or compiled


def _old(parent: str) -> list[str]:
    folders = [entry for entry in os.scandir(parent) if entry.is_dir(follow_symlinks=False)]
    return [entry.path for entry in sorted(folders, key=lambda entry: entry.stat().st_mtime, reverse=True)[_KEPT:]]


def cache_folder(environ: Mapping[str, str]) -> str:
    return own_cache(environ, "matrix")
