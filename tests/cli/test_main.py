"""The entry point: help, version, bugs."""

import ast
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cudafit import __version__
from cudafit.cli import common, main
from cudafit.cli.commands import COMMANDS, SYNONYMS
from cudafit.errors import InputError
from cudafit.system.text import harmless, harmless_lines
from tests.command import in_this_process
from tests.conftest import Run


def test_version(cudafit: Run) -> None:
    for option in ("-V", "--version"):
        assert cudafit(option).stdout == f"cudafit {__version__}\n"


def test_help_lists_every_command_with_its_own_words(cudafit: Run) -> None:
    text = cudafit("--help").stdout
    for name, entry in COMMANDS.items():
        assert name in text
        assert " ".join(cudafit(name, "--help").stdout.split()).count(entry.help.rstrip(".")[:20])


def test_nothing_but_a_name_shows_where_to_start(cudafit: Run) -> None:
    done = cudafit()
    assert (done.returncode, done.stderr) == (0, "")
    assert "cudafit resolve torch" in done.stdout
    assert "cudafit help" in done.stdout
    assert len(done.stdout.splitlines()) < 12


def test_help_of_a_command_is_what_its_option_shows(cudafit: Run) -> None:
    assert cudafit("help").stdout == cudafit("--help").stdout
    assert cudafit("help", "resolve").stdout == cudafit("resolve", "--help").stdout
    assert cudafit("help", "matrix", "update").stdout == cudafit("matrix", "update", "--help").stdout


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["resovle", "torch"], "no such command 'resovle'", "did you mean `cudafit resolve`?"),
        (["docter"], "no such command 'docter'", "did you mean `cudafit doctor`?"),
        (["-v", "lnit"], "no such command 'lnit'", "did you mean `cudafit lint`?"),
        (["Doctor"], "no such command 'Doctor'", "did you mean `cudafit doctor`?"),
        (["undo"], "no such command 'undo'", "did you mean `cudafit rollback`?"),
        (["matrix", "udpate"], "no such command 'udpate'", "did you mean `cudafit matrix update`?"),
        (["help", "resovle"], "no such command 'resovle'", "did you mean `cudafit resolve`?"),
        (["help", "matrix", "lsit"], "no such command 'lsit'", "did you mean `cudafit matrix list`?"),
        (["r"], "no such command 'r'", "`cudafit --help` shows what it takes"),  # it begins four of them
        (["xyzzy"], "no such command 'xyzzy'", "`cudafit --help` shows what it takes"),
        (["help", "inspect", "gpus"], "`cudafit inspect` has no commands of its own", "`cudafit inspect --help`"),
    ],
)
def test_a_command_that_there_is_not(words: list[str], error: str, hint: str, cudafit: Run) -> None:
    done = cudafit(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {error}\n\nhint: {hint}")


def test_what_other_programs_call_a_command_is_none_of_ours() -> None:
    assert not set(SYNONYMS) & set(COMMANDS)
    assert set(SYNONYMS.values()) <= set(COMMANDS)


@pytest.mark.parametrize("words", [[], ["help"], ["help", "matrix", "list"], ["rollback", "--help"]])
def test_a_page_is_as_narrow_as_the_terminal(words: list[str], cudafit: Run) -> None:
    lines = cudafit(*words, env={"COLUMNS": "40"}).stdout.splitlines()
    assert max(map(len, lines)) <= 40
    assert max(len(line) for line in cudafit(*words, env={"COLUMNS": "200"}).stdout.splitlines()) > 60


@pytest.mark.parametrize("home", [None, "", os.devnull])
def test_without_a_home_that_can_be_written(home: str | None, environ: dict[str, str]) -> None:
    """Not set, empty, and one below which nothing can be made."""
    bare = {name: value for name, value in environ.items() if name not in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    if home is not None:
        bare["HOME"] = home
    for words in (["inspect", "--json"], ["resolve", "torch", "--gpu", "RTX 4090", "--driver", "550.54.15"], []):
        done = in_this_process(words, bare)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout


def test_where_letters_are_ascii_alone(environ: dict[str, str]) -> None:
    plain = {**environ, "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-m", "cudafit", "help"], env=plain, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


@pytest.mark.parametrize("version", [(3, 9), (2, 7)])
def test_an_older_python_is_told_in_one_line(
    version: tuple[int, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    monkeypatch.delitem(sys.modules, "cudafit.__main__", raising=False)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("cudafit", run_name="__main__")
    assert end.value.code == 2
    told = f"error: cudafit needs Python 3.10 or newer; this is {version[0]}.{version[1]}\n"
    assert capsys.readouterr() == ("", told)


def test_what_runs_before_that_line_is_read_by_an_older_python() -> None:
    folder = Path(main.__file__).parent.parent
    for name in ("__init__.py", "__main__.py"):
        ast.parse((folder / name).read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], {"yaml", "requests", "rich", "pynvml", "json", "dataclasses", "subprocess"}),
        (["inspect"], {"yaml", "requests", "rich", "pynvml", "jsonschema"}),
        (["inspect", "--json"], {"yaml", "requests", "rich", "pynvml", "jsonschema", "tempfile"}),
    ],
)
def test_commands_import_nothing_heavy(arguments: list[str], forbidden: set[str], environ: dict[str, str]) -> None:
    code = (
        "import click, json as j, sys; before = set(sys.modules)\n"
        "for name in ('json', 'dataclasses', 'subprocess'): sys.modules.pop(name, None); before.discard(name)\n"
        "from cudafit.cli.main import run\n"
        f"run({arguments!r})\n"
        "print(j.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert not forbidden & set(json.loads(done.stderr.splitlines()[-1]))


def test_a_bug_says_where_its_report_lies_and_exits_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the impossible happened at https://me:hunter2@example.org/simple")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("cudafit.app.inspect.load", broken)
    assert main.run(["inspect", "--machine", "x.json"]) == 70
    said = capsys.readouterr().err
    (report,) = (tmp_path / "cudafit" / "reports").iterdir()
    assert "error: a bug in cudafit: RuntimeError: the impossible happened" in said
    assert str(report) in said
    assert "Traceback" not in said
    text = report.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert f"cudafit {__version__}" in text
    assert "hunter2" not in text + said
    assert report.stat().st_mode & 0o077 == 0


def test_a_bug_shows_its_traceback_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("cudafit.app.inspect.load", lambda _: 1 / 0)
    assert main.run(["-vv", "inspect", "--machine", "x.json"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_commands_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a\x1b]0;b\x07\n::error ::forged")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("cudafit.app.inspect.load", broken)
    assert main.run(["-vv", "inspect", "--machine", "x\n::error ::y"]) == 70
    (report,) = (tmp_path / "cudafit" / "reports").iterdir()
    for text in (capsys.readouterr().err, report.read_text(encoding="utf-8")):
        assert r"a\x1b]0;b\x07" in text or r"command: cudafit -vv inspect --machine x\n::error ::y" in text
        assert not {"\x1b", "\x07"} & set(text)
        assert not any(line.lstrip().startswith("::") for line in text.split("\n"))


def test_on_a_terminal_a_difference_is_harmless(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a pipe it is exact, since it is for `patch`."""
    common.write_diff(["+a\x1b[2K\r\n"])
    assert capsys.readouterr().out == "+a\x1b[2K\r\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    common.write_diff(["+a\x1b[2K\r\n"])
    assert capsys.readouterr().out == "+a\\x1b[2K\\r\n"


@pytest.mark.parametrize("line", ["a\nb", "a\x1b[2K", "::error ::a"])
def test_each_door_is_harmless(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    common.say(line)
    common.write_line(line)
    common.say_lines(line)
    common.write(f"{line}\n")
    told = capsys.readouterr()
    for text in (told.out, told.err):
        first, *rest = text.removesuffix("\n").split("\n")
        assert first == harmless(line)
        assert "\n".join(rest) == harmless_lines(line)


def test_a_question_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda question, **_: asked.append(question))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    terminal = common.Terminal(click.Context(click.Command("repair")))
    with pytest.raises(click.Abort):
        terminal.agree("bring back `a\x1b[2K\n::error ::b`?", InputError("nobody can be asked"))
    assert asked == [r"bring back `a\x1b[2K\n::error ::b`?"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_an_output_that_is_full_or_closed_is_no_bug(environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "cudafit", "explain"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    assert subprocess.run(closed, env=environ, check=False).returncode == 0


AT_ITS_END = """
import atexit, sys, threading, time
from cudafit import __main__ as entry
from cudafit.cli import main
def run(words):
    atexit.register(sys.stdout.write, "at exit\\n")
    sys.stdout.write("told\\n")
    return 3
main.run = run
threading.Thread(target=lambda: time.sleep(0.05) or sys.stdout.write("thread\\n")).start()
class Kept:
    def __del__(self): sys.stderr.write("taken apart\\n")
kept = Kept()
other = {"entry": entry}
exec("def run_main(): entry.main()", other)
"""


@pytest.mark.parametrize(
    ("call", "apart"),
    [
        ("entry.main()", ""),
        ("atexit.register(id, 0); entry.main()", "taken apart\n"),
        ("entry.main([])", "taken apart\n"),
        ("other['run_main']()", "taken apart\n"),
    ],
)
def test_the_end_waits_for_threads_and_exit_handlers_and_leaves_memory_to_the_system(call: str, apart: str) -> None:
    """Where the program is not cudafit itself, or others have something to do at its end, it ends as it would."""
    done = subprocess.run([sys.executable, "-c", f"{AT_ITS_END}{call}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, apart)
    assert done.stdout.splitlines() == ["told", "thread", "at exit"]


def test_no_call_takes_memory_and_gives_it_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="Windows does not count what memory is taken of it")

    def taken() -> int:
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

    def most_at_a_depth(arguments: list[str]) -> int:
        before = taken()
        for _ in range(500):
            len(arguments)
            nothing()
        here = taken() - before
        return max(here, most_at_a_depth([*arguments, ""]) if len(arguments) < 400 else 0)

    def nothing() -> None:
        return

    monkeypatch.setattr(main, "run", most_at_a_depth)
    assert main._with_room([]) < 100
