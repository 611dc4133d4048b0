"""The floor of the coverage, which only rises: `python -m tests.floor`, after `make coverage` has measured.

It stands in pyproject.toml as `fail_under`. Below it `make coverage` fails; a whole point above it, the floor is raised
there, to be committed. It also fails where the floor was lowered since any commit that this checkout knows.
"""

import io
import re
import subprocess
import sys
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
_FLOOR = re.compile(r"^fail_under = (\d+)$", re.MULTILINE)


def floor_in(text: str) -> int:
    found = _FLOOR.search(text)
    return int(found[1]) if found else 0


def highest(history: str) -> int:
    """Of all that `git log -p` shows as added."""
    return max(map(int, re.findall(r"^\+fail_under = (\d+)$", history, re.MULTILINE)), default=0)


def judged(text: str, measured: float, history: str) -> tuple[str, str | None]:
    """pyproject.toml as it is to be, and what is wrong."""
    floor, before = floor_in(text), highest(history)
    if floor < before:
        return text, f"the floor was {before} % and is {floor} %: it only rises"
    if measured < floor:
        return text, f"{measured:.2f} % of the code was run, and the floor is {floor} %"
    return _FLOOR.sub(f"fail_under = {max(floor, int(measured))}", text, count=1), None


def main() -> int:
    from coverage import Coverage  # noqa: PLC0415 - the rest is tested without it

    coverage = Coverage()
    coverage.load()
    measured = coverage.report(file=io.StringIO())
    log = ["git", "log", "--format=", "-p", "-G^fail_under", "--", PYPROJECT.name]
    history = subprocess.run(log, cwd=PYPROJECT.parent, capture_output=True, text=True, check=False).stdout
    before = PYPROJECT.read_text(encoding="utf-8")
    after, wrong = judged(before, measured, history)
    if wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    if after != before:
        PYPROJECT.write_text(after, encoding="utf-8")
        print(f"the floor is raised to {floor_in(after)} % in {PYPROJECT.name}: commit it")
    print(f"{measured:.2f} % of the code was run; the floor is {floor_in(after)} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
