"""Stops `create`, `repair` and `rollback`, of venvs and of conda prefixes, at random moments, and looks at the result.

A program of its own: `python -m tests.hostile.kills FOLDER TRIALS [SEED]`. The victims are the real commands. Each gets
one of four signals, on a disk with room or on one that is almost full (a tmpfs, where root may mount one). Afterwards
the environment is the old one or the new one, nothing beside it has changed, and nobody works on it any more; and where
the signal was one that can be heard, that holds when the command has ended. After SIGKILL the next command sees to it.

It prints a line for each kind of trial, and ends with an error at the first tree that is neither.
"""

import hashlib
import itertools
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cudafit.repair.journal import interrupted
from cudafit.repair.lock import holder
from cudafit.repair.state import state_of
from tests.older import SAFE_PYTHON
from tests.repair.conda_world import conda_world
from tests.repair.mounts import can_mount, mounted
from tests.repair.trees import Reading, reading
from tests.repair.world import broken_env, world

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LIMIT_S = 120.0
# What cudafit and conda write the time into.
_TIMES = ("conda-meta/history", "pylock.cudafit.toml")


@dataclass(frozen=True)
class Subject:
    """One command on one kind of environment. `base` is a folder with the environment as it is before, and all that
    lies beside it; `name` is what it is called there."""

    what: str
    base: Path
    name: str
    words: tuple[str, ...]
    environ: Mapping[str, str]
    files: tuple[str, ...] = ()  # of its project, which change with it

    def start(self, place: Path) -> "subprocess.Popen[bytes]":
        command = [*SAFE_PYTHON, "-m", "cudafit", *self.words]
        return subprocess.Popen(
            command,
            cwd=place,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def shape(env: Path) -> Reading | None:
    """What an environment holds, without the times at which it was made."""
    if not os.path.lexists(env):
        return None
    found: Reading = {}
    for path in [env, *env.rglob("*")]:
        name, status = os.path.relpath(path, env), path.lstat()
        if stat.S_ISDIR(status.st_mode):
            found[name] = ("folder",)
        elif path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif name in _TIMES:
            found[name] = ("file",)
        elif path.suffix == ".json":
            found[name] = ("file", len(json.loads(path.read_text())))
        else:
            # Its own place is written into scripts.
            content = path.read_bytes().replace(os.fsencode(env), b"ENV")
            found[name] = ("file", hashlib.sha256(content).hexdigest())
    return found


class Trials:
    """Of one subject; first the command is let come to its end, so that it is known what is new."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject, self.folder = subject, folder
        self.found: Counter[str] = Counter()
        with self.place(room=None) as place:
            self.old = self.read(place)
            before = time.monotonic()
            victim = subject.start(place)
            said = victim.communicate(timeout=LIMIT_S)[1]
            self.seconds = time.monotonic() - before
            if victim.returncode not in (0, 1):
                sys.exit(f"{subject.what} does not work here: {said.decode(errors='replace')}")
            self.new = self.shape(place)
        if self.new == self.shape(subject.base):
            sys.exit(f"{subject.what} changes nothing")

    def read(self, place: Path) -> Reading | None:
        env = place / self.subject.name
        files = {name: what for name, what in reading(place).items() if name in self.subject.files}
        return {**reading(env), **files} if os.path.lexists(env) else None

    def shape(self, place: Path) -> Reading | None:
        found = shape(place / self.subject.name)
        for name in self.subject.files if found is not None else ():
            assert found is not None
            found[name] = ("file", hashlib.sha256((place / name).read_bytes()).hexdigest())
        return found

    @contextmanager
    def place(self, room: int | None) -> Iterator[Path]:
        """A copy of the base with a canary beside it; on a disk with `room` bytes left, or on one with enough."""
        with ExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=self.folder)))
            if room is not None:
                taken = sum(path.lstat().st_blocks * 512 for path in self.subject.base.rglob("*"))
                size = f"size={(taken + room) // 1024 + 64}k"
                place = stack.enter_context(mounted(place / "disk", "-t", "tmpfs", "-o", size, "tmpfs"))
            subprocess.run(["cp", "-a", f"{self.subject.base}/.", str(place)], check=True)
            yield place

    def try_once(self, number: signal.Signals, chance: random.Random, *, full: bool) -> None:
        room = chance.choice((0, 200_000, 600_000, 1_500_000)) if full else None
        with self.place(room) as place:
            canary = place / "docs"
            canary.mkdir()
            (canary / "thesis.txt").write_text("x")
            around = self._around(place)
            victim = self.subject.start(place)
            time.sleep(self.seconds * chance.uniform(0.2, 1.2))
            assert victim.stderr is not None
            if number == signal.SIGHUP:
                victim.stderr.close()  # the terminal is gone
            victim.send_signal(number)
            said = b"" if victim.stderr.closed else victim.communicate(timeout=LIMIT_S)[1]
            victim.wait(LIMIT_S)
            self._check(place, number, f"{self.subject.what}, {number.name}, {room}: {said.decode(errors='replace')}")
            if self._around(place) != around:
                sys.exit(f"{self.subject.what}, {number.name}: something beside the environment was changed")

    def _around(self, place: Path) -> dict[str, object]:
        """Everything that is none of the environment's, nor of cudafit's folder beside it; times of the top aside."""
        env = self.subject.name
        mine = (*self.subject.files, env, f"{env}.cudafit" if env.startswith(".") else f".cudafit-{env}", ".")
        return {name: what for name, what in reading(place).items() if name.partition("/")[0] not in mine}

    def _check(self, place: Path, number: signal.Signals, what: str) -> None:
        env = place / self.subject.name
        state = state_of(str(env))
        if number != signal.SIGKILL:
            if interrupted(str(env)) is not None:
                sys.exit(f"{what}: a journal is left")
            if holder(state) is not None:
                sys.exit(f"{what}: somebody still works on it")
        elif interrupted(str(env)) is not None:
            self._bring_back(place, what)
        found = self.read(place)
        if found == self.old:
            self.found["old"] += 1
        elif self.shape(place) == self.new:
            self.found["new"] += 1
        else:
            sys.exit(f"{what}: the tree is neither old nor new: {difference(self.shape(place), self.new)}")

    def _bring_back(self, place: Path, what: str) -> None:
        command = [*SAFE_PYTHON, "-m", "cudafit", "rollback", f"./{self.subject.name}", "--yes"]
        done = subprocess.run(
            command, cwd=place, env=dict(self.subject.environ), capture_output=True, timeout=LIMIT_S, check=False
        )
        if done.returncode != 0 or interrupted(str(place / self.subject.name)) is not None:
            sys.exit(f"{what}: not brought back: {done.stderr.decode(errors='replace')}")

    def report(self) -> None:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.found.items()))
        sys.stdout.write(f"{self.subject.what}: {self.found.total()} trials, {told}\n")
        sys.stdout.flush()


def difference(one: Reading | None, other: Reading | None) -> list[str]:
    left, right = one or {}, other or {}
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))[:10]


@contextmanager
def subjects(folder: Path) -> Iterator[list[Subject]]:
    with world(folder / "world") as venvs:
        home, left = folder / "home", folder / "tmp"  # what is killed leaves its temporary folders
        home.mkdir()
        left.mkdir()
        environ = {**os.environ, "HOME": str(home), "TMPDIR": str(left), **venvs.env}
        yield [*_of_venvs(folder, venvs.words, environ), *_of_conda(folder, environ)]


def _of_venvs(folder: Path, machine: Sequence[str], environ: Mapping[str, str]) -> Iterator[Subject]:
    empty, broken, repaired = (_folder(folder, f"venv-{name}") for name in ("none", "broken", "repaired"))
    (folder / "wheels").mkdir()
    broken_env(broken / ".venv", folder / "wheels")
    subprocess.run(["cp", "-a", f"{broken}/.", str(repaired)], check=True)
    words = ("repair", ".venv", "--yes", *machine)
    _run(words, repaired, environ)
    yield Subject("create a venv", empty, ".venv", ("create", ".venv", "torch", *machine), environ)
    yield Subject("repair a venv", broken, ".venv", words, environ)
    yield Subject("roll a venv back", repaired, ".venv", ("rollback", ".venv", "--yes"), environ)
    yield from _of_uv(folder, machine, environ)


def _of_uv(folder: Path, machine: Sequence[str], environ: Mapping[str, str]) -> Iterator[Subject]:
    """A uv project, whose declaration and lock change too: its torch comes from the default index, for the CPU."""
    broken, repaired = (_folder(folder, f"uv-{name}") for name in ("broken", "repaired"))
    text = '[project]\nname = "p"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = ["rich<14", "torch"]\n'
    (broken / "pyproject.toml").write_text(text)
    uv = [sys.executable, "-m", "uv", "sync", "--quiet", "--python", sys.executable]
    subprocess.run(uv, cwd=broken, env=dict(environ), check=True, timeout=LIMIT_S)
    subprocess.run(["cp", "-a", f"{broken}/.", str(repaired)], check=True)
    words, files = ("repair", ".venv", "--yes", *machine), ("pyproject.toml", "uv.lock")
    _run(words, repaired, environ)
    yield Subject("repair a uv project", broken, ".venv", words, environ, files)
    yield Subject("roll a uv project back", repaired, ".venv", ("rollback", ".venv", "--yes"), environ, files)


def _of_conda(folder: Path, environ: Mapping[str, str]) -> Iterator[Subject]:
    try:
        import rattler  # noqa: F401, PLC0415 - only whether it is there
    except ImportError:
        sys.stdout.write("no conda prefixes: py-rattler is not installed\n")
        return
    made = conda_world(folder / "conda")
    conda = {**environ, **made.env}
    empty, broken, repaired = (_folder(folder, f"conda-{name}") for name in ("none", "broken", "repaired"))
    request = ("torch", "numpy==2.2.0", *made.words)
    _run(("create", "--prefix", "env", *request, "--cpu"), broken, conda)
    subprocess.run(["cp", "-a", f"{broken}/.", str(repaired)], check=True)
    words = ("repair", "./env", "--yes", *made.words[:4], *made.words[-2:])
    _run(words, repaired, conda)
    yield Subject("create a conda prefix", empty, "env", ("create", "--prefix", "env", *request), conda)
    yield Subject("repair a conda prefix", broken, "env", words, conda)
    yield Subject("roll a conda prefix back", repaired, "env", ("rollback", "./env", "--yes"), conda)


def _folder(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _run(words: Sequence[str], place: Path, environ: Mapping[str, str]) -> None:
    command = [*SAFE_PYTHON, "-m", "cudafit", *words]
    done = subprocess.run(command, cwd=place, env=dict(environ), capture_output=True, timeout=LIMIT_S, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{words}: {done.stderr.decode(errors='replace')}")


def main(folder: Path, trials: int, seed: int) -> None:
    chance = random.Random(seed)
    disks: tuple[bool, ...] = (False, True) if can_mount() else (False,)
    if len(disks) == 1:
        sys.stdout.write("no disk that is almost full: nothing can be mounted here\n")
    with subjects(folder) as every:
        kinds = [Trials(one, folder) for one in every]
        combined: Iterator[tuple[Trials, signal.Signals, bool]] = itertools.product(kinds, SIGNALS, disks)
        plan: list[tuple[Trials, signal.Signals, bool]] = list(combined)
        chance.shuffle(plan)
        for kind, number, full in itertools.islice(itertools.cycle(plan), trials):
            kind.try_once(number, chance, full=full)
        for kind in kinds:
            kind.report()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
