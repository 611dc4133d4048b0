"""The errors that users see.

Each is written as text that people act on: what failed (one line), the measured facts behind it, and the one
command to type. The class decides the exit code.
"""

from collections.abc import Sequence

from cudafit.system.text import harmless


class CudafitError(Exception):
    """Something a user can act on. Never a bug: bugs are any other exception."""

    exit_code: int = 1

    def __init__(
        self, what: str, *, cause: Sequence[str] = (), hint: str | None = None, hints: Sequence[str] = ()
    ) -> None:
        """`hint` is the one thing to do, `hints` where there are several ways."""
        super().__init__(what)
        self.what: str = what
        self.cause: tuple[str, ...] = tuple(cause)
        self.hints: tuple[str, ...] = (*((hint,) if hint else ()), *hints)

    @property
    def hint(self) -> str | None:
        return self.hints[0] if self.hints else None

    def __str__(self) -> str:
        lines = [f"error: {_shown(self.what)}"]
        for number, fact in enumerate(self.cause):
            lines.append(("  cause: " if number == 0 else "         ") + _shown(fact))
        if self.hints:
            lines += ["", *(f"hint: {_shown(hint)}" for hint in self.hints)]
        return "\n".join(lines)


def _shown(text: str) -> str:
    from cudafit.system.secrets import redacted  # noqa: PLC0415 - for errors that are shown

    return harmless(redacted(text))


class InputError(CudafitError):
    """Wrong usage, or input that cannot be read."""

    exit_code: int = 2


class UndeterminedError(CudafitError):
    """The answer could not be determined here."""

    exit_code: int = 3
