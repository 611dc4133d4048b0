"""The way into this room: text in, findings out."""

from collections.abc import Mapping

from cudafit.lint.deciding import DECIDING
from cudafit.lint.python import UnreadableError, lint_python
from cudafit.model.code_finding import CodeFinding

__all__ = ["DECIDING", "UnreadableError", "configurations_named", "lint_text"]


def lint_text(
    text: str,
    path: str,
    skipped: list[str] | None = None,
    installed: Mapping[str, str] | None = None,
    *,
    quick: bool = False,
) -> list[CodeFinding]:
    """The findings in a Python file, a notebook or a configuration, by the ending of its path, in order.

    Raises UnreadableError where the text is none; `skipped` is given the parts of a notebook that are none. `installed`
    has the versions of packages where the code will run, as far as they are known. `quick`: a file of Python whose
    words can mean no finding is not parsed.
    """
    ending = path.rpartition(".")[2].lower()
    if _is_notebook(text, path):
        from cudafit.lint.notebook import lint_notebook  # noqa: PLC0415 - few files are one

        return lint_notebook(text, path, skipped, installed)
    if ending in ("yaml", "yml", "json", "toml"):
        from cudafit.lint.configs import lint_config  # noqa: PLC0415

        return lint_config(text, path)
    return lint_python(text, path, skipped, installed=installed, quick=quick)


def configurations_named(text: str, path: str) -> frozenset[str]:
    """The names of configurations that code speaks of, by file; of a notebook its cells of code, not its pictures."""
    from cudafit.lint.configs import names_read  # noqa: PLC0415 - for what is read in full alone

    if _is_notebook(text, path):
        from cudafit.lint.notebook import code_of  # noqa: PLC0415

        text = code_of(text)
    return names_read(text)


def _is_notebook(text: str, path: str) -> bool:
    if path == "-":
        return text.lstrip().startswith("{") and '"cells"' in text
    return path.lower().endswith(".ipynb")
