"""Folders and files that lead elsewhere: what they lead to stays as it is."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.case import Case, Ended, Place, Words
from tests.repair.world import MACHINE, broken_env

Build = Callable[[Place], None]


def create(made: Place, *more: str) -> Words:
    return ["create", ".venv", "torch", *more, *MACHINE, "--matrix", made.world.matrix]


def clear(made: Place) -> Words:
    _environment(made)
    return create(made, "--clear")


def repair(made: Place) -> Words:
    _environment(made)
    return ["repair", ".venv", "--yes", *MACHINE, "--matrix", made.world.matrix]


def roll_back(made: Place) -> Words:
    _environment(made)
    return ["rollback", ".venv", "--yes"]


def _environment(made: Place) -> None:
    if not made.env.exists():
        (made.top / "wheels").mkdir()
        broken_env(made.env, made.top / "wheels")


def _state(made: Place) -> Path:
    """A folder as cudafit makes it, and as a clone under a strict umask brings it."""
    for folder in ("", "generations", "discarded"):
        (made.state / folder).mkdir(mode=0o700)
    return made.state


COMMANDS: dict[str, Callable[[Place], Words]] = {
    "create": create,
    "create --clear": clear,
    "repair": repair,
    "rollback": roll_back,
}


# The folder beside the environment.


def whole_is_link(made: Place) -> None:
    (made.top / "kept").mkdir(mode=0o700)
    made.state.symlink_to(made.top / "kept")


def inside_is_link(name: str) -> Build:
    def build(made: Place) -> None:
        (_state(made) / name).rmdir()
        (made.state / name).symlink_to(Path("../../canary"))

    return build


def inside_is_readable(name: str) -> Build:
    def build(made: Place) -> None:
        (_state(made) / name).chmod(0o755)
        (made.state / name / "x").write_text("x")

    return build


def inside_is_pipe(name: str) -> Build:
    def build(made: Place) -> None:
        (_state(made) / name).rmdir()
        os.mkfifo(made.state / name)

    return build


def generation_is_link(made: Place) -> None:
    (_state(made) / "generations/1").symlink_to(made.canary)


def file_is_second_name(name: str) -> Build:
    """Of a file that is somebody's: what is written into it would be written there."""

    def build(made: Place) -> None:
        (_state(made) / name).parent.mkdir(exist_ok=True, mode=0o700)
        os.link(made.canary / "thesis.txt", made.state / name)

    return build


def file_is_pipe(name: str) -> Build:
    def build(made: Place) -> None:
        os.mkfifo(_state(made) / name)

    return build


def discarded_holds_link(made: Place) -> None:
    """It is removed as the link that it is."""
    (_state(made) / "discarded/1").symlink_to(made.canary)
    (made.state / "discarded/2").mkdir()
    (made.state / "discarded/2/deep").symlink_to(made.canary / "deep")


def tree_is_link(made: Place) -> None:
    generation = _state(made) / "generations/1"
    generation.mkdir(mode=0o700)
    (generation / "tree").symlink_to(made.canary)
    (generation / "manifest.json").write_text(json.dumps({"schema": "cudafit.manifest/1", "items": []}))
    record = {"schema": "cudafit.generation/1", "time": "2026-11-01T00:00:00Z", "reason": "x", "files": 0, "bytes": 0}
    (generation / "generation.json").write_text(json.dumps(record))


REFUSED = {
    "the state folder is a link": whole_is_link,
    "discarded is a link": inside_is_link("discarded"),
    "generations is a link": inside_is_link("generations"),
    "discarded may be read by others": inside_is_readable("discarded"),
    "generations may be read by others": inside_is_readable("generations"),
    "discarded is a pipe": inside_is_pipe("discarded"),
    "generations is a pipe": inside_is_pipe("generations"),
    "a generation is a link": generation_is_link,
}
HARMLESS = {
    "discarded holds links": discarded_holds_link,
    "the tree of a generation is a link": tree_is_link,
    "the lock is a second name of a file": file_is_second_name("lock"),
    "the next journal is a second name of a file": file_is_second_name("journal.json.new"),
    "the reserve is a second name of a file": file_is_second_name("reserve/0"),
    "the lock is a pipe": file_is_pipe("lock"),
    "the journal is a pipe": file_is_pipe("journal.json"),
}


def _not_told_to_open_it(made: Place, ended: Ended) -> None:
    assert "chmod" not in ended.printed


def _states() -> Iterator[Case]:
    for command, words in COMMANDS.items():
        for what, build in REFUSED.items():
            yield Case(
                f"{command}: {what}",
                _after(build, words),
                codes=(1,),
                says=(
                    r"nothing in `\S*\.venv\.cudafit\S*` can be trusted",
                    "hint: look at what it is, and move it away",
                ),
                writes=(".venv",),
                after=_not_told_to_open_it,
            )
        for what, build in HARMLESS.items():
            yield Case(f"{command}: {what}", _after(build, words), codes=(0, 1))


def _after(build: Build, words: Callable[[Place], Words]) -> Callable[[Place], Words]:
    def both(made: Place) -> Words:
        found = words(made)
        build(made)
        return found

    return both


# Inside the environment.


def moved_out(path: str) -> Build:
    """A folder of the environment lies elsewhere, where it is somebody's."""

    def build(made: Place) -> None:
        place = _folder(made, path)
        there = made.canary / "moved"
        if place.exists():
            shutil.move(place, there)
        else:
            there.mkdir()
        (there / "notes.txt").write_text("mine")
        place.symlink_to(there)

    return build


def _folder(made: Place, path: str) -> Path:
    found: Path = next((made.env).glob("lib/python3*/site-packages")) / path if path[0] != "." else made.env / path[2:]
    return found


_LINKS = {
    "the folder of the package that is replaced": "torch",
    "its library folder": "torch/lib",
    "its dist-info": "torch-2.14.1+cpu.dist-info",
    "a folder into which another package comes": "nvidia",
    "a folder that nothing tells of": "mine",
    "bin": "./bin",
    "lib": "./lib",
    "share": "./share",
}


def _links() -> Iterator[Case]:
    for what, path in _LINKS.items():
        yield Case(
            f"repair: {what} is a link that leads out",
            _after(moved_out(path), repair),
            codes=(2,),
            says=("leads elsewhere", f"{re.escape(path.removeprefix('./'))}` is a link to", "hint: .*rm "),
        )
    yield Case(
        "repair: the folder of a package that stays is a link that leads out",
        _after(moved_out("rich"), repair),
        codes=(0,),
        says=("torch",),
    )
    yield Case(
        "create --clear: a package lies elsewhere", _after(moved_out("torch"), clear), codes=(0,), says=("torch",)
    )


CASES = [*_states(), *_links()]
