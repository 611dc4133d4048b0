"""What a kind of finding is: findings are made from theirs alone, so one that the catalogue does not list cannot be."""

from collections.abc import Sequence
from typing import ClassVar

from cudafit.model.code_finding import CodeFinding, Edit
from cudafit.model.finding import ERROR, INFO, WARNING, Evidence, Finding, Fix, Layer, Severity
from cudafit.model.frozen import frozen


@frozen
class FindingKind:
    """One thing that can be found, whatever the machine.

    `severity` is how bad it is at worst, `milder` what circumstances can make of it. It belongs to `layer`, and where
    another part of the program tells it too, to one of `elsewhere`. An error of this kind explains every finding whose
    id begins with one of `explains`.
    """

    id: str
    severity: Severity
    layer: Layer
    title: str
    explains: tuple[str, ...] = ()
    milder: tuple[Severity, ...] = ()
    elsewhere: tuple[Layer, ...] = ()
    fix: str = ""  # what to do about it, where that is the same on every machine: in code

    def found(
        self,
        title: str,
        evidence: Sequence[Evidence],
        fix: Fix | None = None,
        *,
        severity: Severity | None = None,
        layer: Layer | None = None,
    ) -> Finding:
        """This, on one machine; `title` says it with that machine's own facts."""
        return Finding(self.id, severity or self.severity, layer or self.layer, title, tuple(evidence), fix)

    def in_code(
        self, path: str, line: int, message: str, *, column: int = 1, edits: tuple[Edit, ...] = (), fix: str = ""
    ) -> CodeFinding:
        """This, at one place of a file; `fix` where another one fits there."""
        return CodeFinding(self.id, self.severity, path, line, message, fix or self.fix, column=column, edits=edits)


class Family:
    """Kinds whose ids begin alike: `class torch` with `cpu_wheel = error(...)` makes the kind `torch.cpu_wheel`."""

    every: ClassVar[list[FindingKind]] = []

    def __init_subclass__(cls) -> None:
        for name, kind in vars(cls).items():
            if isinstance(kind, FindingKind):
                vars(kind)["id"] = f"{cls.__name__}.{name}"  # before anybody has seen it
                Family.every.append(kind)


def error(
    layer: Layer,
    title: str,
    *,
    explains: str = "",
    milder: tuple[Severity, ...] = (),
    elsewhere: tuple[Layer, ...] = (),
    fix: str = "",
) -> FindingKind:
    """`explains` holds beginnings of ids, divided by spaces."""
    return FindingKind("", ERROR, layer, title, tuple(explains.split()), milder, elsewhere, fix)


def warning(
    layer: Layer, title: str, *, milder: tuple[Severity, ...] = (), elsewhere: tuple[Layer, ...] = (), fix: str = ""
) -> FindingKind:
    return FindingKind("", WARNING, layer, title, (), milder, elsewhere, fix)


def note(layer: Layer, title: str, *, fix: str = "") -> FindingKind:
    """Of severity `info`."""
    return FindingKind("", INFO, layer, title, fix=fix)
