"""Options of the loaded modules."""

from pathlib import Path

from cudafit.machine.module_options import PARAMETERS, UVM_PARAMETERS, read_module_options
from tests.machine.trees import image

PARAMS = 'EnableMSI: 1\nPreserveVideoMemoryAllocations: 0\nTemporaryFilePath: ""\nUseKernelSuspendNotifiers: 1\n'


def test_only_the_ones_that_decide(tmp_path: Path) -> None:
    context = image(tmp_path, {PARAMETERS: PARAMS, f"{UVM_PARAMETERS}/uvm_disable_hmm": "N\n"})
    assert read_module_options(context) == {
        "PreserveVideoMemoryAllocations": "0",
        "UseKernelSuspendNotifiers": "1",
        "uvm_disable_hmm": "N",
    }


def test_no_module_is_not_known(tmp_path: Path) -> None:
    assert read_module_options(image(tmp_path, {})) is None
