"""Each file that was asked for, as text: none is written before all of them are made."""

from collections.abc import Callable, Sequence

from cudafit.lock.order import Order
from cudafit.lock.workshop import Output, Workshop
from cudafit.lock.write import Document


def documents(outputs: Sequence[Output], order: Callable[[str], Order]) -> list[Document]:
    """`order` gives the fit of a kind, `pip` or `conda`. Raises CudafitError."""
    workshop = Workshop(order, outputs)
    made = []
    for path, form in outputs:
        written = form.write(workshop, path)
        made.append(Document(path, form.name, written.text, written.packages, form.edits))
    return made
