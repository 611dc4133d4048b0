"""Scripts with a bug and scripts that only look like it; the line above each says what must be found in it.

Each file of `scripts/` holds several, one after the other. A script begins with `# expect:` and ends where the next one
begins; that line counts as its first.
"""

import re
from pathlib import Path

import pytest

from cudafit.lint.check import lint_text
from cudafit.lint.edits import applied
from cudafit.model.kinds import IN_CODE

_FOLDER = Path(__file__).parent / "scripts"
_EXPECT = re.compile(r"^# expect:\s*(.*)$", re.MULTILINE)


def _scripts() -> list[tuple[str, str, list[str]]]:
    found = []
    for file in sorted(_FOLDER.glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        starts = [one.start() for one in _EXPECT.finditer(text)]
        for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
            script = text[start:end]
            words = _EXPECT.match(script)
            assert words is not None
            expected = [word for word in re.split(r"[,\s]+", words[1].split("(")[0]) if word and word != "clean"]
            found.append((f"{file.stem}-{number}", script, sorted(expected)))
    return found


_ALL = _scripts()


@pytest.mark.parametrize(("script", "expected"), [one[1:] for one in _ALL], ids=[one[0] for one in _ALL])
def test_what_is_found(script: str, expected: list[str]) -> None:
    assert sorted(f"{one.id}@{one.line}" for one in lint_text(script, "train.py")) == expected


def test_the_safe_edits_leave_correct_code() -> None:
    edited: set[str] = set()
    for name, script, _ in _ALL:
        found = [one for one in lint_text(script, "train.py") if one.edits]
        after = applied(script, [edit for one in found for edit in one.edits])
        assert not {one.id for one in found} & {one.id for one in lint_text(after, "train.py")}, name
        edited.update(one.id for one in found)
    assert edited == {"code.model_on_cpu", "code.to_result_discarded"}


def test_every_kind_has_a_script_with_it_and_one_without() -> None:
    for name in IN_CODE:
        if name == "code.config_device_cpu":
            continue  # found in configurations, which have their own tests
        own = [expected for one, _, expected in _ALL if one.startswith(f"{name}-")]
        assert any(word.startswith(f"{name}@") for expected in own for word in expected), name
        assert any(not expected for expected in own), name
