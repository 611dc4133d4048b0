"""The packages of a Python without an environment: a container's, Colab's, a system's own, and what its user installed.

The files of packages that change are exchanged one by one (`repair/parts.py`): such a prefix holds much else, and a
folder of an image's lower layer cannot be renamed. Packages that a distribution keeps stay as they are; what comes is
found before them, as with pip.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cudafit.doctor.world import World
from cudafit.errors import InputError
from cudafit.model.environment import SYSTEM, Environment, is_of_distribution
from cudafit.model.finding import Wish
from cudafit.model.plan import REMOVE, Plan
from cudafit.render.counts import counted
from cudafit.repair.distributions import files_of
from cudafit.repair.engines.engine import Means, Prepared
from cudafit.repair.engines.plans import not_as_planned
from cudafit.repair.engines.venv import VenvEngine, install_lock
from cudafit.repair.engines.venv_locks import Lock
from cudafit.repair.state import PACKAGES, state_of
from cudafit.repair.transaction import Underway


class SystemEngine(VenvEngine):
    """Of one Python."""

    kind = SYSTEM

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment.path)
        self._python = environment.interpreter or environment.path

    def plan(self, wish: Wish, world: World, environment: Environment, means: Means) -> Prepared[Lock]:
        prepared = super().plan(wish, world, environment, means)
        return replace(prepared, place=place_of(prepared.plan, environment))

    def apply(self, prepared: Prepared[Lock], change: Underway, means: Means) -> Sequence[str]:
        plan, place = prepared.plan, change.env
        if coming := plan.coming:
            means.say(f"laying {counted(len(coming), 'package')} ready")
            install_lock(self._python, prepared.source, means, change.lock, prefix=change.stage)
            settle(change.stage, place)
        means.say("exchanging the files")
        changing = {step.package for step in plan.steps if step.before is not None}
        change.exchange(files_of(place, changing))
        return ()

    def verify(self, prepared: Prepared[Lock], after: Environment) -> Sequence[str]:
        """The copy that is imported counts: one of the distribution may stay behind it."""
        first: dict[str, Sequence[str | None]] = {}
        for one in after.distributions:
            if not is_of_distribution(one) or one.name in {step.package for step in prepared.plan.coming}:
                first.setdefault(one.name, [one.version])
        return not_as_planned(prepared.plan.steps, first)


def settle(stage: str, place: str) -> None:
    """uv lays packages into `lib/python3.12/site-packages`; Debian's Python has them in `dist-packages`, Fedora's in
    `lib64`. What lies outside is found from either in the same way. Raises OSError."""
    parts = place.split(os.sep)[-3:]
    target = os.path.join(stage, *parts)
    for found in list(_package_folders(stage)):
        if found != target:
            for folder, _, files in os.walk(found):
                for name in files:
                    to = os.path.join(target, os.path.relpath(folder, found), name)
                    os.makedirs(os.path.dirname(to), exist_ok=True)
                    os.rename(os.path.join(folder, name), to)


def _package_folders(stage: str) -> Iterator[str]:
    for library in ("lib", "lib64"):
        folder = os.path.join(stage, library)
        for python in os.listdir(folder) if os.path.isdir(folder) else ():
            yield from (path for name in PACKAGES if os.path.isdir(path := os.path.join(folder, python, name)))


def place_of(plan: Plan, environment: Environment) -> str:
    """The folder of packages that changes. Raises InputError where it is not one alone, or another would hide it."""
    kept = {one.place for one in environment.distributions if is_of_distribution(one)}
    own = [place for place in environment.places if state_of(place).in_parts]
    lies: dict[str, str] = {}
    for one in environment.distributions:
        if not is_of_distribution(one):
            lies.setdefault(one.name, one.place)
    used = list(dict.fromkeys(lies[step.package] for step in plan.steps if step.before is not None))
    place = used[0] if used else next((one for one in own if one not in kept), None)
    if place is None or place not in own:
        raise InputError(
            f"the packages that would change lie in `{place}`, and not in a Python's folder of packages"
            if place
            else f"the packages of `{environment.path}` are its distribution's, and not for others to change",
            cause=sorted(f"`{one}`" for one in kept)[:5],
            hint="make an environment: `cudafit create .venv torch`",
        )
    before = environment.places[: environment.places.index(place)]
    hidden = [step.package for step in plan.steps if step.action != REMOVE and lies.get(step.package) in before]
    if len(used) > 1 or hidden:
        named = sorted({*used, *(lies[name] for name in hidden)})
        raise InputError(
            "the packages that would change lie in several folders, and what is changed in one is hidden by another",
            cause=[
                f"`{folder}`: {', '.join(step.package for step in plan.steps if lies.get(step.package) == folder)}"
                for folder in named
            ],
            hint="uninstall with pip what you do not use, or make an environment: `cudafit create .venv torch`",
        )
    return place
