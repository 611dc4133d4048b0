"""The errors that users see.

Each is written as text that people act on: what failed (one line), the measured facts behind it, and the one
command to type. The class decides the exit code.
"""

from collections.abc import Sequence


class CudafitError(Exception):
    """Something a user can act on. Never a bug: bugs are any other exception."""

    exit_code = 1

    def __init__(self, what: str, *, cause: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.cause = tuple(cause)
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"error: {self.what}"]
        for number, fact in enumerate(self.cause):
            lines.append(("  cause: " if number == 0 else "         ") + fact)
        if self.hint:
            lines += ["", f"hint: {self.hint}"]
        return "\n".join(lines)


class InputError(CudafitError):
    """Wrong usage, or input that cannot be read."""

    exit_code = 2


class UndeterminedError(CudafitError):
    """The answer could not be determined here."""

    exit_code = 3
