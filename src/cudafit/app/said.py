"""What frameworks said when they were run, by the rules for error texts."""

from dataclasses import replace

from cudafit.app.texts import book
from cudafit.messages.scanning import Scanner
from cudafit.model.environment import Ran


def explained(ran: tuple[Ran, ...]) -> tuple[Ran, ...]:
    """Each with the meaning of its error and its stderr. Of one that works nothing has to be explained."""
    if not any(_is_puzzling(one) for one in ran):
        return ran
    rules = book().rules
    made = []
    for one in ran:
        if _is_puzzling(one):
            scanner = Scanner(rules)
            scanner.feed("\n".join((*one.stderr, one.error or "")).encode("utf-8", "replace"))
            one = replace(one, meaning=scanner.explanation())  # noqa: PLW2901 - the same one, with its meaning
        made.append(one)
    return tuple(made)


def _is_puzzling(one: Ran) -> bool:
    return bool(one.said) and (bool(one.error) or not one.worked)
