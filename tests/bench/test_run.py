"""Which GPU is meant, what is seen of it while it works, and what explains a run that broke off."""

import os
from dataclasses import replace

import pytest

from cudafit.bench.run import visible, whole, with_lost
from cudafit.bench.watch import device_files, load_of
from cudafit.machine.nvml import Reading
from cudafit.machine.saved import load
from cudafit.model.bench import NOT_VERIFIED, Bench, Cause, Device, Framework, Proof
from cudafit.model.machine import Clocks, Gpu, GpuProcess, PcieLink

GPU = Gpu(0, "NVIDIA H200", "GPU-1", "9.0", 143771, False, "default", True)
CUT = Bench(NOT_VERIFIED, Device("NVIDIA H200", None, None), (), (), (Framework("torch", None, "cut off", "killed"),))


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        (Reading(gpus=(replace(GPU, uuid=None, unread={"handle": "GPU is lost (15)"}),)), "GPU is lost (15)"),
        (Reading(error="GPU is lost (15)"), "GPU is lost (15)"),
        (Reading(gpus=()), "it is not listed any more"),
    ],
)
def test_a_gpu_that_fell_off_the_bus_explains_the_rest(reading: Reading, why: str) -> None:
    found = with_lost(CUT, lambda: reading, GPU)
    assert found.causes[0].text == f"the GPU fell off the bus while it worked: {why}"


def test_a_gpu_that_is_still_there_explains_nothing() -> None:
    assert with_lost(CUT, lambda: Reading(gpus=(GPU,)), GPU) == CUT


def test_the_gpu_that_cuda_counts_is_a_slice_where_mig_is_on() -> None:
    machine = load("tests/machines/a100-mig-550.json")
    found = visible(machine, 0)
    assert not isinstance(found, Cause)
    gpu, part = found
    assert gpu.mig
    assert part
    assert part in {one.uuid for one in gpu.mig_devices}


def test_the_load_is_the_most_that_was_read_and_names_others() -> None:
    idle = replace(GPU, clocks=Clocks(345, 1980, None, None), throttle_reasons=("gpu_idle",), power_w=70.0)
    mine, other = GpuProcess(12, "compute"), GpuProcess(13, "compute")
    busy = replace(
        GPU,
        clocks=Clocks(1755, 1980, None, None),
        throttle_reasons=("sw_power_cap",),
        power_w=699.0,
        pcie=PcieLink(5, 5, 16, 16),
        processes=(mine, other, GpuProcess(14, "graphics")),
    )
    told = load_of([idle, busy, idle], [12], lambda pid: f"process {pid}")
    assert (told.readings, told.clock_mhz, told.power_w, told.pcie_generation) == (3, 1755, 699.0, 5)
    assert told.throttle_reasons == ("sw_power_cap",)
    assert told.others == ("process 13",)


def test_one_framework_that_was_not_seen_is_enough_for_doubt() -> None:
    used, unused, unseen = Proof(True, "nvml"), Proof(False, "nvml"), Proof(None, None)
    assert whole([used, used]).used_gpu is True
    assert whole([used, unseen]).used_gpu is None
    assert whole([used, unused]).used_gpu is False
    assert whole([]).used_gpu is None


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="there is no /proc here")
def test_device_files_of_a_process_without_a_gpu() -> None:
    assert device_files(os.getpid()) == ()
    assert device_files(1 << 30) is None
