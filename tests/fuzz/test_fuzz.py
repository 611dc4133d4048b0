"""The program itself: it finds what is wrong with a parser, also where that ends or never ends its process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz import attempt as attempts
from tests.fuzz import worker
from tests.fuzz.__main__ import Run
from tests.fuzz.attempt import attempt
from tests.fuzz.mutation import mutated
from tests.fuzz.parser import Parser, binary
from tests.older import SAFE_PYTHON


def raising(data: bytes) -> None:
    if b"\xff" in data:
        raise KeyError("odd")
    if b"x" in data:
        raise ValueError("known")


PARSER = Parser("one", binary(raising), lambda: [b"abc", b"a line\nand one more\n"], "word", errors=(ValueError,))


def test_an_error_is_documented_or_a_finding(tmp_path: Path) -> None:
    assert attempt(PARSER, b"abc", tmp_path).value
    assert attempt(PARSER, b"x", tmp_path).finding is None
    assert (attempt(PARSER, b"\xff", tmp_path).finding or "").startswith("KeyError")


@pytest.mark.slow
def test_what_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "SLOW_S", 0.1)
    monkeypatch.setattr(attempts, "_GIVEN_UP_S", 0.5)

    def endless(_: bytes) -> None:
        while True:
            try:
                time.process_time()
            except Exception:
                continue

    assert "slow" in (attempt(Parser("two", binary(endless), list), b"", tmp_path).finding or "")


def test_a_finding_is_made_smaller(tmp_path: Path) -> None:
    data = b"a" * 500 + b"\xff" + b"b" * 500
    told = attempt(PARSER, data, tmp_path).finding or ""
    assert worker.smaller(PARSER, data, told.partition("\n")[0], tmp_path) == b"\xff"


def test_the_same_numbers_make_the_same_text() -> None:
    seeds = [b"abc def\n" * 20, b'{"a": [1, {"b": null}]}']
    for kind in range(20):
        edits = [(kind, 12345, 99 + kind), (kind + 1, 7, 1 << 20)]
        assert mutated(seeds, kind, edits, [b"w"]) == mutated(seeds, kind, edits, [b"w"])
    made = {mutated(seeds, kind, [(kind, 12345, 99)], [b"w"]) for kind in range(20)}
    assert len(made) > 5


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it limits memory by Linux's means")
@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("os.kill(os.getpid(), 11)", "crash"),
        ("bytearray(5 << 30)", "MemoryError"),
        ("bytearray(600 << 20)", "memory"),
        ("raise RuntimeError(1)", "RuntimeError"),
        ("print(1)", ""),
    ],
)
def test_a_worker_tells_how_it_went(
    body: str, finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The target stands in a module that is put before the real one."""
    package = tmp_path / "tests" / "fuzz"
    package.mkdir(parents=True)
    real = Path(__file__).parent
    for name in ("__init__", "attempt", "growth", "mutation", "parser", "pumps", "scratch", "worker"):
        (package / f"{name}.py").write_text((real / f"{name}.py").read_text())
    (package.parent / "__init__.py").write_text("")
    (package / "targets.py").write_text(
        "import os\nfrom tests.fuzz.parser import Parser\ndef read(data, place):\n"
        f"    if len(data) > 30:\n        {body}\n"
        "def target(name):\n    return Parser(name, read, lambda: [b'abc', b'a' * 40])\n"
    )
    monkeypatch.chdir(tmp_path)
    run = Run(0.5, 1)
    run.group(["target"])
    findings = list(run.told["target"].findings)
    assert (not findings) == (not finding), findings
    assert finding in "".join(findings[:1])
    assert run.summary() == (1 if finding else 0)
    assert ("FINDING in target" in capfd.readouterr().out) == bool(finding)


@pytest.mark.slow
def test_the_command_line(tmp_path: Path) -> None:
    command = [*SAFE_PYTHON, "-m", "tests.fuzz", "--seconds", "1", "--only", "specifier"]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 targets, seed 1" in done.stdout
