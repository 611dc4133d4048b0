"""The formats as the tests go through them, and the table of them in docs/locks.md."""

from pathlib import Path

from cudafit.lock.formats import CONDA, FORMATS, Format

TOP = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
READ = tuple(one for one in FORMATS if one.read)
COMPLETE = tuple(one for one in FORMATS if one.complete)
HEAD = "| file | what it is | use it with |\n| --- | --- | --- |\n"


def needs_conda(form: Format) -> bool:
    """Whether conda's own tools are needed to write it."""
    return form.kind == CONDA and form.complete


def table() -> str:
    return HEAD + "".join(f"| {one.files} | {one.help} | {one.tools} |\n" for one in FORMATS)
