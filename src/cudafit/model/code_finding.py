"""What `lint` found in code: where it stands, what it does, and how to mend it."""

from cudafit.model.finding import Severity
from cudafit.model.frozen import frozen

SCHEMA = "cudafit.lint/1"


@frozen
class Edit:
    """Text to put in the place of what stands between two points of a file: lines from 1, columns from 0."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@frozen
class CodeFinding:
    """Work that stays on the CPU. In a notebook `line` counts from the first line of `cell`, which counts from 1."""

    id: str
    severity: Severity
    path: str
    line: int
    message: str
    fix: str
    column: int = 1
    cell: int | None = None
    edits: tuple[Edit, ...] = ()  # the safe ones, which `--fix` makes


@frozen
class SkippedFile:
    """A file that could not be read, or only in part."""

    path: str
    reason: str
    part: bool = False


@frozen
class LintReport:
    """All that was read, and what was found in it."""

    findings: tuple[CodeFinding, ...]
    skipped: tuple[SkippedFile, ...] = ()
    files: int = 0
    assumed: tuple[str, ...] = ()  # versions of packages that decided, each with where they are installed
