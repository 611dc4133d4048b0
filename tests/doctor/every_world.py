"""Every world of these tests, each under a name of its own, for what must hold in all of them."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cudafit.doctor.world import World
from cudafit.model.environment import Ran
from tests.doctor import test_cases, test_cases_libraries, test_cases_machine, test_cases_threads, test_checks
from tests.doctor.test_clean_machines import SNAPSHOTS
from tests.doctor.worlds import FACTS, environment, machine, tree


def every_world(folder: Path) -> Iterator[tuple[str, World]]:
    """The worlds of the checks, of the real cases, and of the real cases on the other machines."""
    for number, case in enumerate(test_checks.CASES):
        for side, seen, env in (("a", case.machine, case.env), ("b", case.not_machine, case.not_env or case.env)):
            name = f"{case.id}-{number}{side}"
            if env is not None:
                yield name, test_checks.world_of(seen, folder / name, env)
    for one in test_cases.CASES:
        yield one.id, test_cases.world_of(one, folder / one.id)
    for other in test_cases_libraries.CASES:
        (folder / f"l-{other.id}").mkdir()
        yield other.id, test_cases_libraries.world_of(other, folder / f"l-{other.id}")
    for number, thread in enumerate(test_cases_threads.THREADS):
        (folder / f"t-{number}").mkdir()
        if thread.files or thread.dists:
            yield f"thread-{number}", test_cases_threads.world_of(thread, folder / f"t-{number}")
    for bare in test_cases_machine.CASES:
        if bare.files is not None:
            made = environment(tree(folder / f"m-{bare.id}", bare.files, bare.dists))
            ran = (Ran("torch", None, error=bare.said, imported=True),) if bare.said else None
            yield bare.id, World(bare.machine, replace(made, ran=ran), FACTS)


def elsewhere(worlds: Iterator[tuple[str, World]]) -> Iterator[tuple[str, World]]:
    """The environments of the real cases on every sound machine for which they could have been made."""
    for name, world in worlds:
        system = world.machine.os
        for snapshot in SNAPSHOTS:
            other = machine(snapshot)
            if (other.os.system, other.os.arch) == (system.system, system.arch):
                yield f"{name}@{snapshot}", World(other, world.environment, FACTS, world.project)


def place(name: str) -> str:
    """The order in which worlds are set aside."""
    return sha256(name.encode()).hexdigest()
