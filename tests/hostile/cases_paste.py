"""Commands that are shown for pasting: pasted, with stand-ins for the programs, each reads the path as one word."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.case import Case, Ended, Place, Words
from tests.hostile.cases_text import machine, unfinished, venv

NAMES = {
    "a quotation mark": "a'; touch PWNED; '",
    "a substitution": "$(touch PWNED)",
    "a blank": "sp  ace",
    "a line's end": "a\ntouch PWNED\n",
    "a dash": "-rf",
    "a bell": "a\x07\x1b]0;b",
    "a home": "~root",
}
PROGRAMS = ("conda", "cp", "cudafit", "jupyter", "mkdir", "mv", "pip", "python", "rm", "umount", "uv", "uvx")
_PROGRAM = rf"(?:{'|'.join(PROGRAMS)}) "
# In backticks, or as all of a hint or a row of a table, but for the words around it.
_SHOWN = re.compile(
    rf"`({_PROGRAM}[^`]*)`|^(?:hint: |undo +|repair +| +)({_PROGRAM}.*?)(?:, then .*|  shows the changes.*)?$", re.M
)
_STUB = """#!/bin/sh
{ for word in "$0" "$@"; do printf '%s\\0' "$word"; done; printf '\\n\\0'; } >> "$RECORD"
"""
Build = Callable[[Place, Path], Words]


def commands(text: str) -> list[str]:
    return [one or other for one, other in _SHOWN.findall(text)]


def pasted(made: Place, command: str) -> list[list[str]]:
    """The words of each program that a shell starts for the text, in a folder of its own."""
    stubs, here, record = made.top / "stubs", made.top / "here", made.top / "record"
    for folder in (stubs, here):
        folder.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (stubs / name).write_text(_STUB)
        (stubs / name).chmod(0o755)
    record.write_bytes(b"")
    environ = {"PATH": f"{stubs}:/usr/bin:/bin", "RECORD": str(record), "HOME": str(made.home)}
    subprocess.run(["bash", "-c", command], cwd=here, env=environ, check=True, timeout=20, stdin=subprocess.DEVNULL)
    calls = record.read_bytes().decode("utf-8", "surrogateescape").split("\0\n\0")
    return [call.split("\0") for call in calls if call]


def _reads_one_word(path: Callable[[Place], str], least: int) -> Callable[[Place, Ended], None]:
    def after(made: Place, ended: Ended) -> None:
        found = commands(ended.printed)
        named = 0
        for command in found:
            calls = pasted(made, command)
            assert calls, command
            named += any(path(made) in call for call in calls)
        assert not list(made.top.rglob("PWNED")), found
        assert named >= least, (found, ended.printed)

    return after


def _each(what: str, build: Build, codes: tuple[int, ...], least: int = 1) -> Iterator[Case]:
    """`least` commands name the environment, which lies in a folder of each name."""
    for name, folder in NAMES.items():

        def of_folder(made: Place, folder: str = folder) -> Words:
            env = made.work / folder / ".venv"
            env.parent.mkdir()
            return build(made, env)

        def path(made: Place, folder: str = folder) -> str:
            return str(made.work / folder / ".venv")

        yield Case(f"pasted: {what}, {name}", of_folder, codes, after=_reads_one_word(path, least))


def _doctor(made: Place, env: Path) -> Words:
    return ["doctor", "--env", venv(env), *machine(made)]


def _cut_off(made: Place, env: Path) -> Words:
    unfinished(venv(env), "repair")
    return ["doctor", "--env", env, *machine(made)]


def _repair_of_cut_off(_made: Place, env: Path) -> Words:
    unfinished(venv(env), "repair")
    return ["repair", env, "--dry-run"]


def _create_over(made: Place, env: Path) -> Words:
    return ["create", venv(env), "torch", *machine(made)]


def _create_over_cut_off(made: Place, env: Path) -> Words:
    unfinished(venv(env), "repair")
    return ["create", env, "torch", *machine(made)]


def _kernel(_made: Place, env: Path) -> Words:
    python = venv(env) / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    return ["repair", env, "--kernel", "python3"]


def _matrix(_made: Place, env: Path) -> Words:
    env.mkdir()
    (env / "gpus.yaml").write_text("gpus: 1\n")
    return ["matrix", "list", "--matrix", env]


def _no_lock(_made: Place, env: Path) -> Words:
    env.write_text("torch\n")
    return ["create", "new/.venv", "--from", env]


def _active(made: Place) -> Words:
    """Variables may name a folder by any path."""
    venv(made.work / "-rf")
    made.environ["VIRTUAL_ENV"] = "-rf"
    return ["doctor", *machine(made)]


def _overlay(made: Place) -> Words:
    (made.work / "-rf").mkdir()
    (made.work / "-rf" / "gpus.yaml").write_text("gpus: 1\n")
    return ["matrix", "list", "--matrix", "-rf"]


CASES = [
    *_each("doctor", _doctor, (1,), 2),
    *_each("doctor, a change that was cut off", _cut_off, (0, 1), 2),
    *_each("repair, a change that was cut off", _repair_of_cut_off, (1,)),
    *_each("create, an environment is there", _create_over, (1, 2)),
    *_each("create, a change that was cut off", _create_over_cut_off, (1,)),
    *_each("repair --kernel, no ipykernel", _kernel, (1,)),
    *_each("a matrix with a flaw", _matrix, (2,)),
    *_each("create, what is no lock", _no_lock, (2,)),
    Case(
        "pasted: doctor, a path of a dash", _active, (1,), after=_reads_one_word(lambda made: str(made.work / "-rf"), 2)
    ),
    Case("pasted: a matrix, a path of a dash", _overlay, (2,), after=_reads_one_word(lambda _made: "./-rf", 1)),
]
