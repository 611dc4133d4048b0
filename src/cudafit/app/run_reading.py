"""What a job says while it runs, and what that means here."""

from typing import TYPE_CHECKING

from cudafit.watch.relay import Relay

if TYPE_CHECKING:
    from cudafit.app.job_causes import Suspect
    from cudafit.messages.scanning import Scanner
    from cudafit.model.messages import Book, Explanation


class Reading:
    """Of the stderr of one job. What it takes to read is loaded when there is something to be read."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._scanner: Scanner | None = None
        self._book: Book | None = None
        self.relay = Relay(self._read)

    def _read(self, block: bytes) -> None:
        if self._scanner is None:
            from cudafit.app.job_causes import after_the_job  # noqa: PLC0415 - while the job runs
            from cudafit.app.texts import book  # noqa: PLC0415
            from cudafit.messages.scanning import Scanner  # noqa: PLC0415

            after_the_job()
            self._book = book()
            self._scanner = Scanner(self._book.rules)
        self._scanner.feed(block)

    def explanation(self, job: "Suspect | None") -> "Explanation | None":
        """Of a job that has ended, with what holds in its environment; None where it said nothing."""
        if self.relay.failed is not None:
            raise self.relay.failed
        if self._scanner is None or self._book is None:
            return None
        from cudafit.app.texts import is_asked  # noqa: PLC0415 - for a job that failed

        found = self._scanner.explanation()
        if not is_asked(found):
            return found
        from cudafit.app.job_causes import world_of  # noqa: PLC0415
        from cudafit.app.texts import beside_world  # noqa: PLC0415

        return beside_world(found, self._book, world_of(job).world)
