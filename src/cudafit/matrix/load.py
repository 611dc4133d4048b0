"""Finds the matrix to answer from: the packaged one, with the user's own rows laid over it.

- Installed, the packaged matrix lies compiled beside the code.
- In a checkout it is compiled on first use into the user's cache, keyed by the content of its files.
- A folder of the user's (`matrices` in cudafit's config folder, and then each `--matrix DIR`) is laid over it: a row
  about the same thing replaces the packaged one. A folder with a `matrix.yaml` of its own is a whole matrix, and is
  used instead.
"""

import os
from collections.abc import Mapping, Sequence

from cudafit import shipped
from cudafit.errors import InputError
from cudafit.matrix.compiled import Compiled, compile_matrix, content_key, open_compiled
from cudafit.system.commands import command_text

_KEPT = 8  # compiled matrices in the cache; older ones go


def open_matrix(
    overlays: Sequence[str] = (), pinned: str | None = None, environ: Mapping[str, str] = os.environ
) -> Compiled:
    """The matrix to answer from; raises InputError for a folder that is not one, or another version than `pinned`."""
    packaged = shipped.folder("matrices")
    layers = [*_config_layer(environ), *overlays]
    for layer in overlays:
        if not os.path.isdir(layer):
            raise InputError(f"`--matrix {layer}`: there is no such folder")
    whole = [place for place, layer in enumerate(layers) if os.path.isfile(os.path.join(layer, "matrix.yaml"))]
    stack = layers[whole[-1] :] if whole else [packaged, *layers]
    compiled = _compiled(stack, environ)
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


def _compiled(stack: Sequence[str], environ: Mapping[str, str]) -> Compiled:
    if list(stack) == [shipped.folder("matrices")] and (ready := open_compiled(shipped.COMPILED)):
        return ready
    try:
        key = content_key(path for layer in stack for path in matrix_files(layer))
    except OSError as error:
        raise InputError(f"cannot read `{error.filename}`: {error.strerror or error}") from None
    folder = os.path.join(_cache_folder(environ), key)
    return open_compiled(folder) or _compile(stack, folder)


def matrix_files(folder: str) -> list[str]:
    """The YAML files of a matrix folder, in a fixed order."""
    found = []
    for place in (folder, os.path.join(folder, "frameworks")):
        if os.path.isdir(place):
            found += sorted(os.path.join(place, name) for name in os.listdir(place) if name.endswith((".yaml", ".yml")))
    return found


def _compile(stack: Sequence[str], folder: str) -> Compiled:
    """Compile into the cache, in one step for other processes; where the cache cannot be written, beside it."""
    # YAML above all is slow to import, and needed only here.
    import atexit  # noqa: PLC0415
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    from cudafit.matrix.layers import read_stack  # noqa: PLC0415

    matrix, version = read_stack(stack)
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


def _cache_folder(environ: Mapping[str, str]) -> str:
    base = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "cudafit", "matrix")
