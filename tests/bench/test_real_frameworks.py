"""The payloads in real CPU environments, made from the package index: every operation of each framework is run."""

import json
import sys
import venv
from pathlib import Path

import jsonschema
import pytest

from cudafit import shipped
from cudafit.process import run
from tests.conftest import Run

pytestmark = [pytest.mark.online, pytest.mark.slow]

# What every framework must have computed right, and those that cannot do some of it.
TESTS = {"matmul", "reduction", "random", "conv2d", "fft", "attention"}
CASES = [
    ("torch", ["torch==2.13.0"], set()),
    ("jax", ["jax"], set()),
    ("tensorflow", ["tensorflow-cpu"], set()),
    ("onnxruntime", ["onnxruntime"], {"fft"}),
]


@pytest.mark.parametrize(("framework", "requirements", "lacks"), CASES, ids=[case[0] for case in CASES])
def test_a_real_framework_computes_right_on_the_cpu(
    cudafit: Run, package_index: None, tmp_path: Path, framework: str, requirements: list[str], lacks: set[str]
) -> None:
    env = tmp_path / "env"
    venv.create(env, with_pip=True)
    command = [str(env / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # An index may have torch for CUDA only; its libraries alone take minutes, and the CPU needs none of them.
    installed = run([*command, *(["--no-deps"] if framework == "torch" else []), *requirements], timeout_s=900)
    if installed.returncode != 0:
        pytest.skip(f"{requirements[0]} has no wheel for {sys.version.split()[0]}: {installed.stderr.strip()[-200:]}")
    if framework == "torch":
        needs = ["typing_extensions", "sympy", "networkx", "jinja2", "fsspec", "filelock", "setuptools"]
        assert run([*command, *needs], timeout_s=600).returncode == 0
        tried = run([str(env / "bin" / "python"), "-c", "import torch"], timeout_s=300)
        if tried.returncode != 0:
            pytest.skip(f"the index has no CPU build of torch: {tried.stderr.strip()[-200:]}")
    done = cudafit("bench", str(env), "--device", "cpu", "--json", timeout=300)
    told = json.loads(done.stdout)
    jsonschema.validate(told, json.loads(shipped.schema_text("bench-1")))
    assert (done.returncode, told["verdict"]) == (3, "not-verified"), done.stderr
    (ran,) = told["frameworks"]
    assert (ran["name"], ran["state"]) == (framework, "ran"), ran
    assert not [one for one in told["results"] if one["status"] in ("wrong", "failed")]
    right = {one["test"] for one in told["results"] if one["kind"] == "right" and one["status"] == "pass"}
    assert right == TESTS - lacks
    assert [one for one in told["results"] if one["kind"] == "speed" and one["status"] == "measured"]
    assert told["seconds"] < 90
