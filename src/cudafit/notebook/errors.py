"""What the error of a cell means in this kernel: by its traceback, and by what is found here."""

import traceback
from collections.abc import Sequence

from cudafit.app.texts import beside_world, book, is_asked
from cudafit.messages.scanning import Scanner
from cudafit.notebook.kernel import this_kernel
from cudafit.render.explain_rows import explanation_rows
from cudafit.render.row import Row
from cudafit.system.secrets import redacted_tree


def error_rows(error: BaseException) -> Sequence[Row]:
    """None where it is no matter of a GPU, or where nothing is known of it."""
    known = book()
    scanner = Scanner(known.rules)
    for part in traceback.format_exception(type(error), error, error.__traceback__):
        scanner.feed(part.encode("utf-8", "replace"))
    told = scanner.explanation()
    if told.root is None:
        return ()
    if is_asked(told):
        told = beside_world(told, known, this_kernel().world)
    return explanation_rows(redacted_tree(told))
