"""The facts that come as a whole: those that travel with cudafit, and those of the package `cudafit-matrices`.

The newer of the two are used. The package holds nothing but data, so it is found and never imported.
"""

import os
from importlib.machinery import PathFinder

from cudafit import shipped
from cudafit.matrix.compiled import FORMAT, Compiled, open_compiled, read_index
from cudafit.model.frozen import frozen
from cudafit.model.versions import natural_key

PACKAGE = "cudafit-matrices"
_MODULE = "cudafit_matrices"


@frozen
class Base:
    """`rows` is the folder of its YAML files; answers say what is `told`; `ignored` is what was left aside."""

    rows: str
    compiled: Compiled | None
    told: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def base() -> Base:
    """The newest that this cudafit can read."""
    own = open_compiled(shipped.COMPILED)
    rows = shipped.folder("matrices")
    folder = _installed()
    if folder is None:
        return Base(rows, own)
    try:
        index = read_index(os.path.join(folder, "compiled"))
        schema, version = int(index["format"]), str(index["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Base(rows, own, ignored=(f"{PACKAGE} in `{folder}` is damaged, and not used",))
    found = open_compiled(os.path.join(folder, "compiled"))
    if schema > FORMAT:
        why = f"it has the schema {schema}, and this cudafit knows {FORMAT}: a newer cudafit reads it"
    elif found is None:
        why = f"it has the schema {schema}, and this cudafit has {FORMAT}: a newer {PACKAGE} has it"
    elif natural_key(version) <= natural_key(shipped_version := own.version if own else _version_of(rows)):
        why = f"cudafit itself has the facts of {shipped_version}"
    else:
        return Base(os.path.join(folder, "matrices"), found, (f"those of {PACKAGE} {version}",))
    return Base(rows, own, ignored=(f"{PACKAGE} {version} is not used: {why}",))


def _installed() -> str | None:
    """Where the package lies: one look along the path, for one name."""
    spec = PathFinder.find_spec(_MODULE)
    return os.path.dirname(spec.origin) if spec is not None and spec.origin else None


def _version_of(rows: str) -> str:
    """Of a checkout, whose facts are not compiled."""
    from cudafit.system.reading import read_text  # noqa: PLC0415 - in a checkout alone

    try:
        lines = read_text(os.path.join(rows, "matrix.yaml"), 1 << 20).splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("version:")), "")
