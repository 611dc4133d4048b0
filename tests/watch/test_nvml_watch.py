"""NVML asked again and again: the real binding, over a test library."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cudafit.machine.nvml_watch import Look, NvmlWatch

SPEC = """
driver 580.65.06
cuda 13.0
gpu
  name NVIDIA A100-SXM4-40GB
  uuid GPU-1
  memory 40960 512
  utilization 7 1
  clocks 1210 1215
  max_clocks 1410 1215
  throttle 0x40
  process 4321 1024
gpu
  name NVIDIA T4
  uuid GPU-2
"""

Watching = Callable[[str], NvmlWatch]


@pytest.fixture
def watching(nvml: Callable[[str], dict[str, str]]) -> Iterator[Watching]:
    started: list[NvmlWatch] = []

    def start(spec: str) -> NvmlWatch:
        started.append(NvmlWatch({**os.environ, **nvml(spec)}))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def looks(watch: NvmlWatch, number: int) -> list[Look]:
    found: list[Look] = []
    end = time.monotonic() + 20
    while len(found) < number and watch.error is None:
        assert time.monotonic() < end
        found += watch.looks()
        time.sleep(0.02)
    return found


def test_what_is_told_again_and_again(watching: Watching) -> None:
    watch = watching(SPEC)
    first, second = looks(watch, 2)[:2]
    assert [(one.index, one.name, one.uuid, one.memory_mib) for one in watch.gpus] == [
        (0, "NVIDIA A100-SXM4-40GB", "GPU-1", 40960),
        (1, "NVIDIA T4", "GPU-2", None),
    ]
    assert second.at > first.at
    one = first.gpus[0]
    assert (one.processes, one.utilization, one.memory_used_mib) == ({4321: 1024}, 7, 512)
    assert (one.throttle_reasons, one.clock, one.clock_max) == (("hw_thermal_slowdown",), 1210, 1410)
    other = first.gpus[1]
    assert (other.processes, other.utilization, other.memory_used_mib, other.clock) == ({}, None, None, None)


def test_processes_that_the_driver_does_not_list(watching: Watching) -> None:
    watch = watching(SPEC + "error nvmlDeviceGetComputeRunningProcesses_v3 3 0\n")
    (look,) = looks(watch, 1)[:1]
    assert look.gpus[0].processes is None
    assert look.gpus[0].utilization == 7


def test_a_driver_that_cannot_be_asked(watching: Watching) -> None:
    watch = watching("driver 550.54.15\ninit 18\n")
    assert looks(watch, 1) == []
    assert watch.error == "Driver/library version mismatch (18)"
    assert not watch.absent


def test_a_driver_that_crashes(watching: Watching) -> None:
    watch = watching(SPEC + "crash nvmlDeviceGetUtilizationRates 0\n")
    assert looks(watch, 1) == []
    assert watch.error is not None
    assert "crashed (SIGSEGV)" in watch.error


@pytest.mark.slow
def test_a_driver_that_hangs(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cudafit.machine.nvml_watch._SILENCE_S", 1.0)
    watch = watching(SPEC + "hang nvmlDeviceGetName 1\n")
    assert looks(watch, 1) == []
    assert watch.error == "name of GPU 1: gave no answer for 1 s"


def test_no_library(tmp_path: Path) -> None:
    watch = NvmlWatch({**os.environ, "LD_LIBRARY_PATH": str(tmp_path)})
    assert looks(watch, 1) == []
    if not watch.absent:
        pytest.skip(f"this machine has NVML: {watch.error}")
    assert watch.ready
    watch.stop()


@pytest.mark.slow
def test_a_stop_of_both_is_no_silence(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cudafit.machine.nvml_watch._SILENCE_S", 1.2)
    monkeypatch.setattr("cudafit.machine.nvml_watch._STOPPED_S", 1.0)
    watch = watching(SPEC)
    assert looks(watch, 1)
    assert watch.pid is not None
    os.kill(watch.pid, signal.SIGSTOP)
    time.sleep(0.2)
    watch.looks()  # what it had still said
    time.sleep(1.5)
    assert watch.looks() == []
    assert watch.error is None
    # Now it alone is stopped, and after that it goes on.
    failed_until(watch, True)
    assert "gave no answer for 1.2 s" in str(watch.error)
    os.kill(watch.pid, signal.SIGCONT)
    failed_until(watch, False)
    assert looks(watch, 1)


def failed_until(watch: NvmlWatch, failed: bool) -> None:
    end = time.monotonic() + 20
    while (watch.error is not None) is not failed:
        assert time.monotonic() < end
        watch.looks()
        time.sleep(0.05)
