"""What lint finds in code, as doctor and run say it."""

from pathlib import Path

import pytest

from cudafit.app.code import in_code
from cudafit.model.environment import VENV, Distribution, Environment
from cudafit.model.finding import Finding


@pytest.mark.parametrize(
    ("version", "expected"), [("4.46.3", ["code.hf_pipeline_cpu"]), ("4.47.0", []), (None, ["info.version_decides"])]
)
def test_the_environment_that_code_runs_in_decides(tmp_path: Path, version: str | None, expected: list[str]) -> None:
    script = tmp_path / "ask.py"
    script.write_text("import transformers\nask = transformers.pipeline('x')\n")
    held = (Distribution("transformers", version, "/p", "/p/transformers.dist-info"),) if version else ()
    environment = Environment("/e", VENV, "3.12", None, distributions=held)
    found = in_code([str(script)], environment=environment)
    assert [one.id for one in found if isinstance(one, Finding)] == expected
