"""Folders and files that lead elsewhere: what they lead to stays as it is."""

from pathlib import Path

from tests.hostile.case import Case, Place, Words
from tests.repair.world import MACHINE


def _create(made: Place) -> Words:
    return ["create", ".venv", "torch", *MACHINE, "--matrix", made.world.matrix]


def _state_link(name: str) -> "Case":
    def build(made: Place) -> Words:
        made.state.mkdir(mode=0o700)
        for folder in {"generations", "discarded"} - {name}:
            (made.state / folder).mkdir(mode=0o700)
        (made.state / name).symlink_to(Path("../../canary"))
        return _create(made)

    return Case(f"create, {name} is a link", build, codes=(1, 2), says=(rf"\.venv\.cudafit/{name}",))


CASES = [_state_link("discarded"), _state_link("generations")]
