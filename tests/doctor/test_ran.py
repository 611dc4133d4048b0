"""What frameworks said when they were run, error and stderr, is explained by the rules for error texts."""

from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.app.said import explained
from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.model.environment import Ran
from cudafit.model.finding import Report
from cudafit.model.machine import Machine
from tests.doctor.test_cases import there
from tests.doctor.test_cases_machine import SLEPT, UNSAVED
from tests.doctor.worlds import FACTS, environment, torch, tree

UNKNOWN = "E0000 cuda_driver.cc:268] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error"
NOISE = "I0000 port.cc:153] oneDNN custom operations are on. You may see slightly different numerical results"


def looked(ran: Ran, folder: Path, machine: Machine | None = None) -> Report:
    made = environment(tree(folder, torch("2.9.1+cu128", "12.8", "sm_86"), ["torch==2.9.1"]))
    return diagnose(World(machine or there(), replace(made, ran=explained((ran,))), FACTS))


COMBINATION = "RuntimeError: Error 803: system has unsupported display driver / cuda driver combination"
CUDNN = "E0000 cuda_dnn.cc:522] Loaded runtime CuDNN library: 9.1.0 but source was compiled with: 9.3.0."
DNN = "FailedPreconditionError: DNN library initialization failed"
CASES = {
    "803": (
        Ran("torch", "2.9.1", error=COMBINATION, imported=True),
        "run.operation_failed",
        "driver.lib_kernel_mismatch",
    ),
    "jax": (Ran("jax", "0.9", 0, imported=True, stderr=(NOISE, UNKNOWN)), "run.gpu_not_seen", "driver.uvm_stale"),
    "cudnn": (
        Ran("tensorflow", "2.20.0", 1, error=DNN, imported=True, stderr=(CUDNN,)),
        "run.operation_failed",
        "lib.cudnn_too_old",
    ),
}


@pytest.mark.parametrize(("ran", "cause", "page"), CASES.values(), ids=CASES)
def test_stderr_is_kept_and_explained(ran: Ran, cause: str, page: str, tmp_path: Path) -> None:
    found = looked(ran, tmp_path)
    assert found.cause == cause
    one = next(finding for finding in found.findings if finding.id == cause)
    assert one.fix
    assert one.fix.commands[-1] == ("cudafit", "explain", page)
    assert ": " in one.title
    facts = [evidence.fact for evidence in one.evidence]
    assert not ran.stderr or ran.stderr[-1] in facts, facts
    assert NOISE not in facts


def test_what_the_machine_shows_is_the_cause_and_the_text_follows_from_it(tmp_path: Path) -> None:
    ran = Ran("jax", "0.9", 0, imported=True, stderr=(UNKNOWN,))
    found = looked(ran, tmp_path, there(kernel_log=SLEPT, module_options=UNSAVED, services=()))
    assert found.cause == "driver.uvm_stale"
    assert [one.explained_by for one in found.findings if one.id == "run.gpu_not_seen"] == ["driver.uvm_stale"]


def test_of_a_framework_that_works_nothing_has_to_be_explained(tmp_path: Path) -> None:
    ran = Ran("torch", "2.9.1", 1, (0,), imported=True, stderr=(UNKNOWN,))
    assert explained((ran,)) == (ran,)
    assert looked(ran, tmp_path).cause is None
