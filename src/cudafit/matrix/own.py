"""The user's own layer: the builds that `cudafit matrix update` has read since the facts were shipped.

It is a folder with a folder for each update, and a file `current` that names the one in use:

    current                            one name
    2026.11.29-1f3a/layer.json         date, schema, what it was made over, every file with its size and sha256
    2026.11.29-1f3a/rows/frameworks/torch.yaml, rows/sources.yaml
    2026.11.29-1f3a/compiled/builds-torch.json, facts-sources.json, index.json

A package's builds there stand in place of all builds of that package; its sources are added. What others may have made,
what a newer cudafit wrote and what is not whole is not used, and the reason is told.
"""

import json
import os
import stat
from collections.abc import Mapping

from cudafit.matrix.compiled import FILE_LIMIT, FORMAT, Compiled, open_compiled
from cudafit.model.frozen import frozen
from cudafit.model.versions import natural_key
from cudafit.system.commands import command_text
from cudafit.system.posix import posix
from cudafit.system.reading import read_bytes, read_text

CURRENT = "current"
MANIFEST = "layer.json"
ROWS = "rows"
COMPILED = "compiled"
_LIMIT = 1 << 20
REVERT = command_text("cudafit", "matrix", "revert")
UPDATE = command_text("cudafit", "matrix", "update")


class LayerError(Exception):
    """Why the layer cannot be used: ends a sentence that begins with `your own layer of facts`."""


class NewerError(LayerError):
    """A newer cudafit wrote it: this one must not write over it."""


@frozen
class Layer:
    """The update in use. `base` is the version of the facts that it was made over."""

    path: str
    name: str
    date: str
    base: str
    previous: str | None
    files: Mapping[str, tuple[int, str]]
    packages: tuple[str, ...]

    @property
    def rows(self) -> str:
        return os.path.join(self.path, ROWS)

    def compiled(self) -> Compiled:
        """Raises LayerError."""
        hashes = {
            os.path.basename(name): sha256 for name, (_, sha256) in self.files.items() if name.startswith(COMPILED)
        }
        found = open_compiled(os.path.join(self.path, COMPILED))
        if found is None:
            raise LayerError(f"is damaged (`{COMPILED}/index.json`)")
        return Compiled(found.path, found.version, found.packages, hashes=hashes)

    def is_older_than(self, base: str) -> bool:
        """Whether facts that came later know what it knows: they are newer than those it was made over, and as new as
        the update itself."""
        return natural_key(base) > natural_key(self.base) and natural_key(base) >= natural_key(self.date)


def own_folder(environ: Mapping[str, str] = os.environ) -> str:
    base = environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "cudafit", "matrix")


def own_layer(environ: Mapping[str, str] = os.environ) -> Layer | None:
    """The update in use; None where there is none. Raises LayerError."""
    folder = own_folder(environ)
    if not os.path.lexists(folder):
        return None
    check_folder(folder)
    try:
        name = read_text(os.path.join(folder, CURRENT), _LIMIT).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LayerError(f"cannot be read: {error.strerror or error}") from None
    if not name or name != os.path.basename(name) or name in (".", ".."):
        raise LayerError(f"is damaged (`{CURRENT}`)")
    return _read(os.path.join(folder, name), name)


def check_folder(folder: str) -> None:
    """Raises LayerError for a folder that somebody else may have filled."""
    try:
        found = os.lstat(folder)
    except OSError as error:
        raise LayerError(f"cannot be read: {error.strerror or error}") from None
    if stat.S_ISLNK(found.st_mode):
        raise LayerError("is a link")
    if not stat.S_ISDIR(found.st_mode):
        raise LayerError("is not a folder")
    if os.name != "posix":
        return
    if found.st_uid != posix.geteuid():
        from cudafit.system.folders import user_name  # noqa: PLC0415 - for this message alone

        raise LayerError(f"belongs to {user_name(found.st_uid)}")
    if found.st_mode & 0o022:
        raise LayerError(f"has the mode {stat.S_IMODE(found.st_mode):04o}, so that others may have written in it")


def _read(path: str, name: str) -> Layer:
    check_folder(path)
    try:
        told = json.loads(read_text(os.path.join(path, MANIFEST), _LIMIT))
        schema = int(told["schema"])
        if schema > FORMAT:
            raise NewerError(f"has the schema {schema}, and this cudafit knows {FORMAT}: a newer one wrote it")
        if schema < FORMAT:
            raise LayerError(f"has the schema {schema}, and this cudafit has {FORMAT}: an older one wrote it")
        files = {str(file): (int(size), str(sha256)) for file, (size, sha256) in told["files"].items()}
        layer = Layer(
            path,
            name,
            str(told["date"]),
            str(told["base"]),
            str(told["previous"]) if told["previous"] else None,
            files,
            tuple(map(str, told["packages"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LayerError(f"is not whole (`{MANIFEST}`)") from None
    for file, (size, _) in files.items():
        if not _has_size(os.path.join(path, file), size):
            raise LayerError(f"is not whole (`{file}`)")
    return layer


def _has_size(path: str, size: int) -> bool:
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def check_hashes(layer: Layer) -> None:
    """Every byte of it; raises LayerError."""
    import hashlib  # noqa: PLC0415 - where all is checked

    for file, (_, sha256) in layer.files.items():
        try:
            content = read_bytes(os.path.join(layer.path, file), FILE_LIMIT)
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise LayerError(f"is damaged (`{file}`)")
