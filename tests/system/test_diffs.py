"""A difference is what `patch` and `git apply` take, whatever the files are called and hold."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cudafit.system.diffs import difference, lines_of, shown_name
from cudafit.system.text import harmless

NAMES = ["a.py", "sp ace.py", "a\nb\t.py", 'q"uote\\.py', "\x1b]0;b\x07.py", "\u202e.py", "caf\udce9.py", "ü.py"]
BEFORE = "one\x0ctwo\u2028three\x85\rfour\nfive"
AFTER = "one\x0ctwo\u2028three\x85\rfour\nsix\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_headers_stay_two_lines_and_hide_nothing(name: str) -> None:
    lines = "".join(difference(lines_of("a\n"), lines_of("b\n"), f"a/{name}", f"b/{name}")).split("\n")
    assert [line[:5] for line in lines[:3]] in (["--- a", "+++ b", "@@ -1"], ['--- "', '+++ "', "@@ -1"])
    assert all(harmless(line.rstrip("\t")) == line.rstrip("\t") for line in lines)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", [["git", "apply"], ["patch", "-p1", "--silent"]])
def test_it_is_taken(name: str, command: list[str], tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    path = tmp_path / name
    path.write_bytes(BEFORE.encode())
    text = "".join(difference(lines_of(BEFORE), lines_of(AFTER), f"a/{name}", f"b/{name}"))
    told = text.encode("utf-8", "surrogateescape")
    done = subprocess.run(command, cwd=tmp_path, input=told, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    assert path.read_bytes() == AFTER.encode()


def test_names_as_git_writes_them() -> None:
    assert shown_name("a/b.py") == "a/b.py"
    assert shown_name("a/sp ace") == "a/sp ace\t"
    assert shown_name('a/"\n\x07') == '"a/\\"\\n\\007"'
    assert shown_name("a/caf\udce9") == '"a/caf\\351"'
