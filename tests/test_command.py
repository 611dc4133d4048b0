"""A command is the same in this process as in one of its own, and leaves nothing behind here."""

import contextlib
import copy
import enum
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import click
import pytest
import tomlkit

from tests.command import COMMAND, PURE, call, in_a_process, in_this_process, keeping, needs_a_process
from tests.conftest import Run
from tests.doctor.worlds import torch, tree
from tests.machines import FOLDER

MACHINE = ("--machine", str(FOLDER / "rtx4090-550.json"))
CODE = "import torch\nmodel = torch.nn.Linear(1, 1)\nprint(model(torch.ones(1).cuda()), 'ü')\n"

# Words, variables, and what is typed. Each is run in a folder with an environment, a project and code.
Case = tuple[tuple[str, ...], dict[str, str], str]
SAMPLE: tuple[Case, ...] = (
    (("--version",), {}, ""),
    (("--help",), {}, ""),
    (("resolve", "--help"), {"COLUMNS": "60"}, ""),
    ((), {}, ""),
    (("nonsense",), {}, ""),
    (("inspect", "--nonsense"), {}, ""),
    (("explain",), {}, ""),
    (("explain", "torch.cpu_whel"), {}, ""),
    (("inspect", *MACHINE), {}, ""),
    (("inspect", *MACHINE, "--color", "always", "-v"), {}, ""),
    (("inspect", "--machine", "-", "--json"), {}, (FOLDER / "v100-535.json").read_text(encoding="utf-8")),
    (("inspect", "--machine", "-", "--json"), {}, '{"ü": \x1b[2J'),
    (("inspect", "--machine", "nowhere/\x1b[31m\u202e.json"), {"HOME": "/nonexistent"}, ""),
    (("resolve", "torch", "jax", "--python", "3.12", *MACHINE, "--json"), {}, ""),
    (("resolve", "torch", *MACHINE, "--explain"), {"NO_COLOR": "1"}, ""),
    (("resolve", "torch", *MACHINE), {"CONDA_OVERRIDE_CUDA": "11.8", "PATH": "/nonexistent"}, ""),
    (("resolve", "torch==9.9", "--offline", *MACHINE), {}, ""),
    (("resolve", *MACHINE, "-o", "requirements.txt", "--offline", "--dry-run"), {}, ""),
    (("doctor", "--env", "env", *MACHINE), {}, ""),
    (("doctor", *MACHINE, "--json"), {"VIRTUAL_ENV": "env"}, ""),
    (("doctor", "--env", "env", "--code", "code.py", *MACHINE, "--format", "github"), {"GITHUB_ACTIONS": "true"}, ""),
    (("lint", "code.py"), {}, ""),
    (("lint", "-"), {}, CODE),
    (("matrix", "list"), {}, ""),
    (("matrix", "show", "torch", "--json"), {}, ""),
    (("repair", "env", *MACHINE), {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}, "y\n"),
    (("rollback", "env", "--list"), {}, ""),
    (("bench", "env", "--device", "cpu"), {}, ""),
    (("run", "--", "sh", "-c", "cat; echo to stderr >&2; exit 7"), {}, "typed\n"),
)
REST = tuple(case for number, case in enumerate(SAMPLE) if number % 4)
QUICK = tuple(case for case in SAMPLE if case[0][:1] not in (("bench",), ("repair",)))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    tree(work / "env", torch("2.13.0+cpu", None), ["torch==2.13.0"])
    (work / "code.py").write_text(CODE, encoding="utf-8")
    (work / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["torch>=2.12"]\n')
    monkeypatch.chdir(work)
    return work


def _timeless(text: str) -> str:
    """Also without how busy a job was, and how many processes were seen below it: in the tests' own process others of
    theirs may be, whose starter has ended."""
    text = re.sub(r"\b\d+(\.\d+)? (s|ms|min)\b", "TIME", text)
    return re.sub(r"TIME(, \d+\.\d cores busy)?(, \d+ processes)?", "TIME", text)


def _named(cases: tuple[Case, ...], *marks: pytest.MarkDecorator) -> list[Any]:
    names = [" ".join(words)[:60].encode("ascii", "replace").decode() for words, _, _ in cases]
    return [pytest.param(case, id=name, marks=marks) for case, name in zip(cases, names, strict=True)]


@pytest.mark.parametrize("case", [*_named(SAMPLE[::4]), *_named(REST, pytest.mark.slow)])
def test_a_command_is_the_same_both_ways(case: Case, environ: dict[str, str], place: Path) -> None:
    words, env, stdin = case
    given = {**environ, **env}
    here, there = in_this_process(words, given, stdin), in_a_process(words, given, stdin)
    assert here.args == there.args
    assert here.returncode == there.returncode
    assert _timeless(here.stdout) == _timeless(there.stdout)
    assert _timeless(here.stderr) == _timeless(there.stderr)
    assert here.stdout + here.stderr


def test_a_bug_is_told_as_in_a_process(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import click, sys; click.Group.invoke = None; from cudafit.__main__ import main; main()"
    words = ("explain", "-vv")
    there = subprocess.run(
        [sys.executable, "-c", code, *words], env=environ, capture_output=True, text=True, check=False
    )
    monkeypatch.setattr(click.Group, "invoke", None)
    here = in_this_process(words, environ)
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout) == (70, "")
    named = re.compile(r"bug-[\d-]+\.txt")
    assert named.sub("", here.stderr) == named.sub("", there.stderr)
    assert "error: a bug in cudafit: TypeError" in here.stderr
    reports = sorted(Path(environ["HOME"], ".local/state/cudafit/reports").iterdir())
    assert [one.name in here.stderr + there.stderr for one in reports] == [True, True]
    assert reports[0].read_text() == reports[1].read_text()


def test_what_a_command_starts_has_its_streams_and_variables(environ: dict[str, str], place: Path) -> None:
    script = "read line; echo $line $MINE; echo wrong >&2; pwd"
    done = call(("run", "--", "sh", "-c", script), {**environ, "MINE": "1"}, b"\xff\n", folder=place / "env")
    assert done.stdout == b"\xff 1\n" + os.fsencode(place / "env") + b"\n"
    assert b"wrong" in done.stderr


@pytest.mark.slow
def test_all_is_as_it_was(environ: dict[str, str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def standing() -> tuple[Any, ...]:
        descriptors = [os.fstat(number)[:3] for number in range(3)]
        handlers = [signal.getsignal(number) for number in sorted(signal.valid_signals())]
        streams = (sys.stdin, sys.stdout, sys.stderr)
        opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        return (
            *(dict(os.environ), os.getcwd(), list(sys.argv), list(sys.path), descriptors, handlers, streams, opened),
            *(
                list(warnings.filters),
                tempfile.gettempdir(),
                os.umask(os.umask(0o022)),
                click.get_current_context(True),
            ),
        )

    changed = {"HOME": str(place), "TMPDIR": str(place), "NEW": "1"}
    before = standing()
    for words, env, stdin in QUICK:
        in_this_process(words, {**environ, **env, **changed}, stdin)
    assert standing() == before


def _contents(value: object, depth: int = 3) -> object:
    """What an object of the package holds, as far as it can change."""
    if isinstance(value, dict):
        return {key: _contents(one, depth) for key, one in value.items()}
    if isinstance(value, (list, set)):
        return copy.copy(value)
    if isinstance(value, (str, int, float, tuple)):
        return value
    kind = type(value)
    if not kind.__module__.startswith("cudafit") or isinstance(value, (type, enum.Enum)) or depth == 0:
        return id(value)
    return {key: _contents(one, depth - 1) for key, one in getattr(value, "__dict__", {}).items()}


@pytest.mark.slow
def test_no_module_of_the_package_remembers_a_command(environ: dict[str, str], place: Path) -> None:
    """But for what its functions keep: of that, the tests forget what does not follow from arguments alone."""

    def remembered() -> dict[str, object]:
        return {
            f"{name}.{key}": _contents(value)
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] == "cudafit"
            for key, value in vars(module).items()
            if not key.startswith("__")
        }

    def every_command() -> None:
        for words, env, stdin in QUICK:
            in_this_process(words, {**environ, **env}, stdin)

    every_command()  # they import what they need
    before = remembered()
    every_command()
    after = remembered()
    assert {name for name in after if after[name] != before.get(name)} == set()


@pytest.mark.slow
def test_what_impure_functions_keep_is_forgotten(environ: dict[str, str], place: Path) -> None:
    for words, env, stdin in SAMPLE[13:22]:
        in_this_process(words, {**environ, **env}, stdin)
    assert {name for name, one in keeping() if one.cache_info().currsize and not name.startswith(PURE)} == set()
    assert any(name.startswith(PURE) and one.cache_info().currsize for name, one in keeping())


def test_rooms_whose_answers_are_kept_are_pure_by_contract() -> None:
    settings = tomlkit.parse((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
    contracts = settings["tool"]["importlinter"]["contracts"]
    (pure,) = [one for one in contracts if one["name"].startswith("Pure rooms")]
    assert {f"{name}." for name in pure["source_modules"]} >= set(PURE)


def test_a_command_that_takes_too_long_is_given_up(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: object) -> None:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.01)

    monkeypatch.setattr(click.Group, "invoke", endless)
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        in_this_process(("explain",), environ, timeout=0.3)
    assert time.monotonic() - began < 20
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_variables_for_a_new_interpreter_take_a_process(cudafit: Run, environ: dict[str, str]) -> None:
    assert not needs_a_process(environ)
    assert needs_a_process({**environ, "PYTHONIOENCODING": "ascii"})
    assert needs_a_process({**environ, "LC_ALL": "C.UTF-8" if environ.get("LC_ALL") == "C" else "C"})


# Ignores what `nohup` and a script's `&` let a program ignore, and becomes the program that is named.
IGNORING = """
import os, signal, sys
for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
STARTS_ONE = """
import os, signal, subprocess, sys
from tests.command import hear_signals
hear_signals()
for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
    os.kill(os.getpid(), getattr(signal, name))
told = "import signal; print([one.name for one in signal.Signals if signal.getsignal(one) == signal.SIG_IGN])"
subprocess.run([sys.executable, "-c", told], check=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal here")
def test_programs_hear_signals_that_the_tests_are_told_to_ignore() -> None:
    command = [sys.executable, "-c", IGNORING, sys.executable, "-c", STARTS_ONE]
    top = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=top, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[")
    assert not {"SIGINT", "SIGHUP", "SIGQUIT"} & set(re.findall(r"SIG\w+", done.stdout)), done.stdout


def test_the_command_is_this_interpreters(environ: dict[str, str]) -> None:
    assert in_this_process(("--version",), environ).args == [*COMMAND, "--version"]
