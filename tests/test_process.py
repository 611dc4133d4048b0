"""Starting programs: their output, their end, and the end that is made when they do not come to one."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cudafit.process import Finished, Talk, own_environ, own_python, run, which

PROMPT = 20  # seconds in which a child that is cut off must be gone, on a busy machine too
CUT_OFF_S = 0.5

# A child that says that it is ready, and does what it must so that SIGTERM would not end it.
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_gone(pid: int) -> bool:
    """Whether the process has ended and was waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_output_and_exit_code() -> None:
    done = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), timeout_s=PROMPT)
    assert done == Finished(3, "out\n", "err\n")
    assert not done.cut_off


def test_more_output_than_a_pipe_holds() -> None:
    done = run(python("import sys; print('o' * 300_000); print('e' * 300_000, file=sys.stderr)"), timeout_s=PROMPT)
    assert (done.returncode, len(done.stdout), len(done.stderr)) == (0, 300_001, 300_001)


def test_bytes_that_are_no_text_show_as_replacement_characters() -> None:
    done = run(python("import os; os.write(1, b'1\\xff2')"), timeout_s=PROMPT)
    assert done.stdout == "1\ufffd2"


def test_arguments_are_passed_as_they_are() -> None:
    arguments = ["a b", "$HOME", "*", "'; echo no", ""]
    done = run([*python("import sys; print(sys.argv[1:])"), *arguments], timeout_s=PROMPT)
    assert done.stdout == f"{arguments}\n"


def test_its_environment_is_the_given_one_or_this_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDAFIT_TEST", "inherited")
    code = python("import os; print(os.environ.get('CUDAFIT_TEST'))")
    assert run(code, timeout_s=PROMPT).stdout == "inherited\n"
    given = {**os.environ, "CUDAFIT_TEST": "given"}
    assert run(code, timeout_s=PROMPT, environ=given).stdout == "given\n"
    assert run(code, timeout_s=PROMPT, environ={}).stdout == "None\n"


def test_its_input_is_closed() -> None:
    assert run(python("import sys; print(repr(sys.stdin.read()))"), timeout_s=PROMPT).stdout == "''\n"


@pytest.mark.parametrize("command", [["/no/such/program"], ["no-such-program-either"]])
def test_a_missing_program_cannot_be_started(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        run(command, timeout_s=PROMPT)
    with pytest.raises(FileNotFoundError):
        Talk(command)


def test_a_text_that_is_no_program_cannot_be_started(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(PermissionError):
        run([str(path)], timeout_s=PROMPT)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["import time; time.sleep(60)", STUBBORN])
def test_a_program_that_does_not_end_is_cut_off_and_killed(code: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    writes = f"import os; open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n"
    start = time.monotonic()
    done = run(python(writes + code), timeout_s=2)
    assert time.monotonic() - start < PROMPT
    assert done == Finished(None, "", "")
    assert done.cut_off
    assert is_gone(int(pid_file.read_text(encoding="utf-8")))


def test_lines_until_the_end() -> None:
    talk = Talk(python("import sys; print('one'); print('two', file=sys.stderr); print('three', end='')"))
    assert sorted(talk.lines(PROMPT)) == ["one\n", "three", "two\n"]
    assert (talk.silent, talk.returncode) == (False, 0)


def test_it_works_while_its_starter_does_something_else(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    talk = Talk(python(f"print('x' * 300_000, flush=True); open({str(mark)!r}, 'w').close()"))
    deadline = time.monotonic() + PROMPT
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert mark.exists(), "its output was taken before anyone asked for it"
    assert [len(line) for line in talk.lines(PROMPT)] == [300_001]


def lines_with_pid(code: str, silence_s: float) -> tuple[Talk, list[str], int]:
    """The lines of a child that first tells its number; the start of a Python is waited for without a limit."""
    talk = Talk(python("import os; print(os.getpid(), flush=True)\n" + code))
    waiting = talk.lines(PROMPT)
    pid = int(next(waiting))
    return talk, list(talk.lines(silence_s)), pid


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("print('ready', flush=True); import time; time.sleep(60)", id="hangs"),
        pytest.param(STUBBORN, id="hangs and ignores SIGTERM"),
    ],
)
def test_silence_ends_it_and_keeps_what_it_said(code: str) -> None:
    start = time.monotonic()
    talk, lines, pid = lines_with_pid(code, CUT_OFF_S)
    assert time.monotonic() - start < PROMPT
    assert lines == ["ready\n"]
    assert (talk.silent, talk.returncode) == (True, None)
    assert is_gone(pid)


@pytest.mark.slow
def test_a_child_that_closes_its_output_and_goes_on_is_silent() -> None:
    talk, lines, pid = lines_with_pid("import time; os.close(1); os.close(2); time.sleep(60)", CUT_OFF_S)
    assert lines == []
    assert (talk.silent, talk.returncode) == (True, None)
    assert is_gone(pid)


@pytest.mark.slow
def test_talking_slowly_is_not_silence() -> None:
    code = "import time\nfor n in range(12): time.sleep(0.1); print(n, flush=True)"
    talk, lines, _ = lines_with_pid(code, 1)
    assert lines == [f"{n}\n" for n in range(12)]
    assert (talk.silent, talk.returncode) == (False, 0)


@pytest.mark.parametrize(
    ("code", "returncode"),
    [
        ("import sys; sys.exit(7)", 7),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            -signal.SIGSEGV,
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows has no signals"),
        ),
    ],
)
def test_how_it_ended_is_told(code: str, returncode: int) -> None:
    talk = Talk(python("print('before', flush=True)\n" + code))
    assert list(talk.lines(PROMPT)) == ["before\n"]
    assert (talk.silent, talk.returncode) == (False, returncode)


def test_a_talks_input_is_closed_and_its_environment_the_given_one() -> None:
    code = "import os, sys; print(repr(sys.stdin.read()), os.environ.get('CUDAFIT_TEST'))"
    assert list(Talk(python(code), {**os.environ, "CUDAFIT_TEST": "given"}).lines(PROMPT)) == ["'' given\n"]


def test_who_stops_listening_leaves_no_child() -> None:
    talk = Talk(python("import os, time; print(os.getpid(), flush=True); time.sleep(60)"))
    for line in talk.lines(PROMPT):
        pid = int(line)
        break
    assert is_gone(pid)


def test_which_passes_over_what_lies_in_the_folder_that_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for place in (tmp_path / "tool", tmp_path / "bin" / "tool"):
        place.write_text("#!/bin/sh\n")
        place.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert which("tool", "") is None
    assert which("tool", os.pathsep.join(["", ".", "bin"])) is None
    assert which("tool", os.pathsep.join([".", str(tmp_path / "bin")])) == str(tmp_path / "bin" / "tool")
    (tmp_path / "bin" / "tool").chmod(0o644)
    assert which("tool", str(tmp_path / "bin")) is None
    (tmp_path / "bin" / "folder").mkdir()
    assert which("folder", str(tmp_path / "bin")) is None


@pytest.mark.parametrize("kept", [True, False])
def test_it_gets_the_descriptors_that_are_kept_open_and_no_others(kept: bool, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        code = f"import os; os.fstat({file.fileno()})"
        done = run(python(code), timeout_s=PROMPT, keep_open=[file.fileno()] if kept else [])
        assert (done.returncode == 0) is kept
        talk = Talk(python(code), keep_open=[file.fileno()] if kept else [])
        assert (list(talk.lines(PROMPT)) == []) is kept


GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
while True:
    print("still here", flush=True)
    time.sleep(0.05)
"""


@pytest.mark.slow
def test_a_group_that_talks_for_ever_is_ended_whole() -> None:
    talk = Talk([sys.executable, "-c", GRANDCHILD], group=True)
    lines = list(talk.lines(20, 1.5))
    assert talk.silent
    assert "still here\n" in lines
    assert _is_gone(int(lines[0]))


def _is_gone(pid: int) -> bool:
    """Nobody may wait for a grandchild that lost its parent: then it is a zombie for ever."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def test_a_helper_of_our_own_searches_no_folder_that_the_current_one_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yaml.py").write_text("print('hostile')\n")
    environ = {**os.environ, "PYTHONPATH": f":.:{tmp_path}/mine:", "PYTHONSTARTUP": "yaml.py"}
    code = "import os, sys, yaml; print(yaml.__name__, sys.path[0], os.environ.get('PYTHONSTARTUP'))"
    done = run(own_python("-c", code), timeout_s=PROMPT, environ=own_environ(environ))
    assert done.stdout == f"yaml {tmp_path}/mine None\n"
    assert own_environ({"PYTHONPATH": ":", "LD_LIBRARY_PATH": ":/a:b:/c"}) == {"LD_LIBRARY_PATH": "/a:/c"}
