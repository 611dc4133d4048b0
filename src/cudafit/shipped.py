"""Where the files that travel with cudafit lie: the matrices, the templates and the JSON schemas."""

from pathlib import Path

_PACKAGE = Path(__file__).parent

# The matrices as JSON, made when a wheel is built; a checkout has none.
COMPILED = str(_PACKAGE / "_shipped" / "compiled")


def folder(name: str) -> Path:
    """`matrices` or `templates`: beside the code when installed, at the top of a source checkout otherwise."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent.parent / name


def schema_text(name: str) -> str:
    """The JSON Schema of an output, such as `machine-1`."""
    return (_PACKAGE / "schemas" / f"{name}.json").read_text(encoding="utf-8")
