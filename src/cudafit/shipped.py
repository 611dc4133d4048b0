"""Where the files that travel with cudafit lie: the matrices, the templates and the JSON schemas."""

import os

from cudafit.system.reading import read_text

_PACKAGE = os.path.dirname(os.path.abspath(__file__))

# The matrices as JSON, made when a wheel is built; a checkout has none.
COMPILED = os.path.join(_PACKAGE, "_shipped", "compiled")


def folder(name: str) -> str:
    """`matrices`, `templates` or `docs/findings`: beside the installed code, or at the top of a checkout."""
    installed = os.path.join(_PACKAGE, "_shipped", name)
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(os.path.dirname(_PACKAGE)), name)


def schema_text(name: str) -> str:
    """The JSON Schema of an output, such as `machine-1`."""
    return read_text(os.path.join(_PACKAGE, "schemas", f"{name}.json"), 4 << 20)
