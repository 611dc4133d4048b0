"""What a verb found, and how it speaks with its caller while it is at work."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.render.row import Row


@frozen
class Result:
    """`record` is for programs; `rows`, which are made only where they are wanted, are for people. `error` says after
    them why the exit code is none of success. Where the record is `long`, its JSON has a line for each entry. `facts`
    says which facts it follows from where they are not those that travel with cudafit."""

    schema: str
    record: Any
    title: str
    rows: Callable[[], Sequence[Row]]
    exit_code: int = 0
    error: CudafitError | None = None
    long: bool = False
    facts: tuple[str, ...] = ()


class Talk(Protocol):
    """With the person, or the program, that wants something done."""

    def say(self, text: str) -> None:
        """Progress, and what is besides the result: one line."""

    def show(self, result: Result) -> None:
        """What is known before the end, as a plan; for people alone."""

    def agree(self, question: str, unasked: CudafitError) -> None:
        """Returns where the answer is yes; raises `unasked` where nobody can be asked."""
