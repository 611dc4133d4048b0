"""The payloads in real CPU environments, made from the package index: every operation of each framework is run."""

import json
from pathlib import Path

import pytest

from cudafit.bench import payload
from tests.conftest import Run
from tests.real_venv import for_cpu_torch, made, with_cpu_torch
from tests.schemas import validate

pytestmark = [pytest.mark.online, pytest.mark.slow]

# What every framework must have computed right, and those that cannot do some of it.
TESTS = {"matmul", "reduction", "random", "conv2d", "fft", "attention"}
SECONDS = 20.0
CASES = [
    pytest.param("torch", None, set(), marks=for_cpu_torch),
    ("jax", "jax", set()),
    ("tensorflow", "tensorflow-cpu==2.21.0", set()),
    ("onnxruntime", "onnxruntime", {"fft"}),
]


@pytest.mark.parametrize(
    ("framework", "requirement", "lacks"), CASES, ids=["torch", "jax", "tensorflow", "onnxruntime"]
)
def test_a_real_framework_computes_right_on_the_cpu(
    cudafit: Run,
    package_index: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    framework: str,
    requirement: str | None,
    lacks: set[str],
) -> None:
    # How often each speed is measured is not the point here; what is computed stays the same.
    monkeypatch.setitem(payload.SECONDS, "default", SECONDS)
    env = made(tmp_path / "env", requirement) if requirement else with_cpu_torch(tmp_path / "env")
    done = cudafit("bench", str(env), "--device", "cpu", "--json", timeout=300)
    told = json.loads(done.stdout)
    validate(told, "bench-1")
    assert (done.returncode, told["verdict"]) == (3, "not-verified"), done.stderr
    (ran,) = told["frameworks"]
    assert (ran["name"], ran["state"]) == (framework, "ran"), ran
    assert not [one for one in told["results"] if one["status"] in ("wrong", "failed")]
    right = {one["test"] for one in told["results"] if one["kind"] == "right" and one["status"] == "pass"}
    assert right == TESTS - lacks
    assert [one for one in told["results"] if one["kind"] == "speed" and one["status"] == "measured"]
    assert told["seconds"] < 90
