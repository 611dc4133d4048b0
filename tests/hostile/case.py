"""A hostile case, and how it is run: the command in a place of its own, with a canary beside it.

A case is built in `Place.work`, the folder in which the command is run. Whatever the command does, everything in the
place stays as it was, the canary above all, except what the case says is the command's to change: the environment
`.venv` with the folder beside it, and `writes`.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.command import call
from tests.fuzz.attempt import forget_memory, memory_now_mib, memory_peak_mib
from tests.older import SAFE_PYTHON
from tests.repair.trees import Reading, reading
from tests.repair.world import World

Words = Sequence[str | Path]
LIMIT_S = 60.0  # a hang, not a slow machine

# The largest size that the kernel tells for a child is never less than its parent's was when it made it, and a pytest
# that has run thousands of tests is large: so a small program stands between, and tells what its children took.
_MEASURED = """
import os, resource, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status = os.waitpid(child, 0)
with open(sys.argv[1], "w") as told:
    print(os.waitstatus_to_exitcode(status), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=told)
"""


@dataclass
class Place:
    """Where a case is built. `world` has package indexes on loopback, and a matrix to go with them."""

    top: Path
    world: World
    environ: dict[str, str]

    @property
    def work(self) -> Path:
        return self.top / "work"

    @property
    def canary(self) -> Path:
        """Files that are none of cudafit's business."""
        return self.top / "canary"

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def env(self) -> Path:
        return self.work / ".venv"

    @property
    def state(self) -> Path:
        return self.work / ".venv.cudafit"


@dataclass(frozen=True)
class Case:
    """`build` makes the place and returns the words after `cudafit`.

    `says` are patterns that must be in what is printed, `silent` are texts that must not be, neither there nor in a
    file that the command writes. `codes` are the exit codes that are right. `memory_mib` bounds what the command takes
    of memory; of a case that says `process`, also what any program takes that it starts. Such a case gets a process of
    its own: where the memory of children, a kill, or what an interpreter does by itself is the point.
    """

    name: str
    build: Callable[[Place], Words]
    codes: tuple[int, ...]
    says: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    writes: tuple[str, ...] = (".venv", ".venv.cudafit")
    memory_mib: int = 400
    process: bool = False
    stdin: str = ""
    after: Callable[[Place, "Ended"], None] | None = None  # what else must hold; asserts


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    memory_mib: float

    @property
    def printed(self) -> str:
        return self.stdout + self.stderr


def place(top: Path, world: World, environ: Mapping[str, str], compiled: Path | None = None) -> Place:
    """An empty place with a canary. `compiled` is the packaged matrix, as if the command had compiled it before."""
    made = Place(top, world, dict(environ))
    for folder in (made.work, made.canary / "deep", made.home):
        folder.mkdir(parents=True)
    (made.canary / "thesis.txt").write_text("three years of work\n")
    (made.canary / "deep" / "weights.bin").write_bytes(bytes(range(256)) * 300)
    (made.canary / "deep" / "script.sh").write_text("#!/bin/sh\n")
    (made.canary / "deep" / "script.sh").chmod(0o750)
    if compiled is not None:
        cache = made.home / ".cache" / "cudafit" / "matrix"
        cache.mkdir(parents=True)
        (cache / compiled.name).symlink_to(compiled)
    made.environ |= {"HOME": str(made.home), "COLUMNS": "100", **world.env}
    return made


def check(case: Case, made: Place) -> Ended:
    """Run a case, and assert all that it promises."""
    words = case.build(made)
    before = _kept(case, made)
    ended = (run if case.process else run_here)(made, words, stdin=case.stdin)
    told = f"\n{ended.stdout}\n--- stderr\n{ended.stderr}"
    assert ended.code in case.codes, f"exit code {ended.code}{told}"
    assert "Traceback" not in ended.printed, told
    for pattern in case.says:
        assert re.search(pattern, ended.printed), f"nothing says {pattern!r}{told}"
    written = _written(made)
    for text in case.silent:
        assert text not in ended.printed, f"{text!r} is printed{told}"
        holders = [path for path, data in written.items() if os.fsencode(text) in data and path not in before]
        assert not holders, f"{text!r} is in {holders}"
    assert ended.memory_mib < case.memory_mib, f"{ended.memory_mib:.0f} MiB"
    assert _kept(case, made) == before, f"something else was changed{told}"
    if case.after:
        case.after(made, ended)
    return ended


def run_here(made: Place, words: Words, *, stdin: str = "") -> Ended:
    """The command in this process; its memory is what this process grew by while it ran."""
    forget_memory()
    before, began = memory_now_mib(), time.monotonic()
    try:
        done = call(
            [os.fspath(word) for word in words], made.environ, stdin.encode(), folder=made.work, timeout=LIMIT_S
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it did not end within {LIMIT_S:.0f} s") from None
    seconds, grown = time.monotonic() - began, memory_peak_mib() - before
    stdout, stderr = (data.decode("utf-8", "surrogateescape") for data in (done.stdout, done.stderr))
    return Ended(done.returncode, stdout, stderr, seconds, grown)


def run(made: Place, words: Words, *, stdin: str = "", limit_s: float = LIMIT_S) -> Ended:
    """The real command; one that does not end is killed with all that it started, and is a failure."""
    out, errors, measures = made.top / "stdout", made.top / "stderr", made.top / "measures"
    command = [*SAFE_PYTHON, "-m", "cudafit", *(os.fspath(word) for word in words)]
    began = time.monotonic()
    with out.open("wb") as to, errors.open("wb") as also:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _MEASURED, measures, *command],
            cwd=made.work,
            env=made.environ,
            stdin=subprocess.PIPE,
            stdout=to,
            stderr=also,
            start_new_session=True,
        )
        try:
            child.communicate(stdin.encode(), timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise AssertionError(
                f"it did not end within {limit_s:.0f} s: {errors.read_text(errors='replace')}"
            ) from None
    seconds = time.monotonic() - began
    code, largest_kib = map(int, measures.read_text().split())
    stdout, stderr = (path.read_bytes().decode("utf-8", "surrogateescape") for path in (out, errors))
    for path in (out, errors, measures):
        path.unlink()
    return Ended(code, stdout, stderr, seconds, largest_kib / 1024)


def _kept(case: Case, made: Place) -> Reading:
    """Everything in the place but what is the command's to change. Times of folders may move: others are made there."""
    theirs = {str(Path("work") / name) for name in case.writes}
    found = {}
    for name, what in reading(made.top).items():
        if any(name == one or name.startswith(f"{one}/") for one in theirs):
            continue
        if name.startswith("home/.cache") or name in ("home/.local", "home", "work", "."):
            continue  # the installer's cache
        found[name] = what
    return found


def _written(made: Place) -> dict[str, bytes]:
    return {
        os.path.relpath(path, made.top): path.read_bytes()
        for path in made.top.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 10 << 20
    }
