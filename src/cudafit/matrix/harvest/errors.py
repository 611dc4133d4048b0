"""What goes wrong with one wheel or page, in one line; the rest goes on."""


class HarvestError(Exception):
    """A file or page that could not be read, and why."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason
