"""A line of a screen, whatever draws it."""

from cudafit.model.frozen import frozen


@frozen
class Row:
    """One line: `tone` is `plain`, `good`, `warn`, `bad` or `quiet`; or `command`, which stands alone to be pasted."""

    label: str
    value: str
    via: str = ""
    tone: str = "plain"
