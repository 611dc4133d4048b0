"""The way into this room: text in, findings out."""

from cudafit.lint.python import UnreadableError, lint_python
from cudafit.model.code_finding import CodeFinding

__all__ = ["UnreadableError", "lint_text"]


def lint_text(text: str, path: str, skipped: list[str] | None = None) -> list[CodeFinding]:
    """The findings in a Python file, a notebook or a configuration, by the ending of its path, in order.

    Raises UnreadableError where the text is none; `skipped` is given the parts of a notebook that are none.
    """
    ending = path.rpartition(".")[2].lower()
    if ending == "ipynb" or (path == "-" and text.lstrip().startswith("{") and '"cells"' in text):
        from cudafit.lint.notebook import lint_notebook  # noqa: PLC0415 - few files are one

        return lint_notebook(text, path, skipped)
    if ending in ("yaml", "yml", "json", "toml"):
        from cudafit.lint.configs import lint_config  # noqa: PLC0415

        return lint_config(text, path)
    return lint_python(text, path, skipped)
