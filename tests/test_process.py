"""The only place that starts another program."""

import os
import sys
import time

import pytest

from cudafit.process import Talk, run


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def test_output_and_exit_code() -> None:
    finished = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), timeout_s=30)
    assert (finished.returncode, finished.stdout, finished.stderr) == (3, "out\n", "err\n")
    assert not finished.cut_off


def test_input_is_closed_and_environment_is_the_given_one() -> None:
    code = "import os, sys; print(repr(sys.stdin.read()), os.environ.get('HERE'))"
    finished = run(python(code), timeout_s=30, environ={**os.environ, "HERE": "yes"})
    assert finished.stdout == "'' yes\n"


def test_what_takes_too_long_is_cut_off() -> None:
    start = time.monotonic()
    finished = run(python("import time; time.sleep(60)"), timeout_s=0.5)
    assert finished.cut_off
    assert time.monotonic() - start < 20


def test_a_missing_program_raises() -> None:
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], timeout_s=1)


def test_talk_gives_lines_until_the_end() -> None:
    talk = Talk(python("print('a'); print('b'); raise SystemExit(5)"))
    assert list(talk.lines(30)) == ["a\n", "b\n"]
    assert (talk.silent, talk.returncode) == (False, 5)


def test_talk_ends_when_the_program_falls_silent_even_if_it_ignores_sigterm() -> None:
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid()); time.sleep(60)"
    talk = Talk(python(code))
    (line,) = talk.lines(2)
    assert talk.silent
    with pytest.raises(ProcessLookupError):
        os.kill(int(line), 0)


def test_talk_tells_of_a_crash() -> None:
    talk = Talk(python("import os, signal; print('x'); os.kill(os.getpid(), signal.SIGKILL)"))
    assert list(talk.lines(30)) == ["x\n"]
    assert talk.returncode == -9


def test_silence_counts_from_the_last_line() -> None:
    talk = Talk(python("import time\nfor i in range(6):\n print(i)\n time.sleep(0.5)"))
    assert len(list(talk.lines(2.5))) == 6
    assert not talk.silent
