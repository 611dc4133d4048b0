"""Windows and macOS, as far as they can be played elsewhere: every probe answers or says that it was not asked."""

import json
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.full_probes import LINUX_ONLY
from cudafit.machine.saved import plain
from cudafit.machine.snapshot import take

WINDOWS = {
    "PATH": r"C:\Windows\system32;C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v12.4\bin",
    "PROGRAMFILES": r"C:\Program Files",
    "PROCESSOR_ARCHITECTURE": "AMD64",
    "USERPROFILE": r"C:\Users\ada",
    "CUDA_PATH": r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v12.4",
    "CUDA_PATH_V12_4": r"C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v12.4",
    "CUDA_VISIBLE_DEVICES": "0",
}
MACOS = {"PATH": "/opt/homebrew/bin:/usr/bin:/bin", "SHELL": "/bin/zsh"}


@pytest.mark.parametrize(
    ("system", "environ"), [pytest.param("windows", WINDOWS, id="windows"), pytest.param("macos", MACOS, id="macos")]
)
def test_a_snapshot_of_another_system(system: str, environ: dict[str, str], tmp_path: Path) -> None:
    machine = take(Context(system, Files(), {**environ, "HOME": str(tmp_path)}), None)
    assert machine.os.system == system
    assert (machine.os.libc, machine.os.container, machine.os.wsl, machine.os.tegra) == (None, None, False, None)
    assert (machine.driver, machine.gpus, machine.problems, machine.undetermined) == (None, (), (), None)
    skipped = {note.probe: note.reason for note in machine.skipped}
    assert {*LINUX_ONLY, "nvml", "nvidia-smi"} <= set(skipped)
    assert all(skipped[probe] == f"reads files that {system} does not have" for probe in LINUX_ONLY)
    for unasked in (machine.pci, machine.device_nodes, machine.libraries, machine.limits):
        assert unasked is None
    assert machine.environment.get("CUDA_VISIBLE_DEVICES") == environ.get("CUDA_VISIBLE_DEVICES")
    assert json.loads(json.dumps(plain(machine)))["os"]["system"] == system


def test_windows_lists_the_running_python_and_says_that_there_may_be_more(tmp_path: Path) -> None:
    machine = take(Context("windows", Files(), {**WINDOWS, "HOME": str(tmp_path)}), None)
    assert machine.pythons is not None
    assert [python.via for python in machine.pythons] == ["running cudafit"]
    assert "pythons" in {note.probe for note in machine.skipped}
