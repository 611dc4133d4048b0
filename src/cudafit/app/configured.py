"""What is set beforehand, laid under what was typed; each use of it is said."""

from collections.abc import Callable
from dataclasses import replace

from cudafit.app.asked import WhichMachine
from cudafit.settings import Settings, settings

Say = Callable[[str], None]


def settled(say: Say) -> Settings:
    """All settings; says which are not used because of who wrote them. Raises InputError."""
    found = settings()
    for note in found.notes:
        say(f"note: {note}")
    return found


def machine_of(found: Settings, typed: WhichMachine, say: Say) -> WhichMachine:
    """The machine that a lock is for. What was typed is a whole description, and nothing is added to it."""
    said = found.machine
    if typed != WhichMachine() or not said:
        return typed
    machine = typed
    for one in said:
        values = one.value if isinstance(one.value, tuple) else (one.value,)
        if one.key == "machine":
            machine = replace(machine, machines=values)
        elif one.key == "gpu":
            machine = replace(machine, gpus=values)
        elif one.key == "driver":
            machine = replace(machine, driver=values[0])
        else:
            machine = replace(machine, platform=values[0])
        say(f"note: {one.key} {', '.join(values)}, as {one.where} says")
    return machine


def cuda_of(found: Settings, typed: str | None, say: Say, *, cpu: bool) -> str | None:
    said = found.of("cuda")
    if typed is not None or cpu or said is None:
        return typed
    say(f"note: builds for CUDA {said.value}, as {said.where} says")
    return str(said.value)


def ignore_of(
    found: Settings,
    verb: str,
    select: tuple[str, ...],
    typed: tuple[str, ...],
    say: Say,
    known: Callable[[str], bool] = lambda _word: True,
) -> tuple[str, ...]:
    """The findings to leave out. Where some are selected or left out by what was typed, that alone counts."""
    said = found.of(f"{verb}.ignore")
    if select or typed or said is None:
        return typed
    words = tuple(word for word in said.value if known(word))
    if words:
        say(f"note: {', '.join(words)} left out, as {said.where} says")
    return words
