"""The calls that cudafit makes by itself, held against pynvml's, over one real libnvidia-ml.so.1."""

import ctypes
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cudafit.machine import nvml_calls, nvml_child
from tests import fake_nvml

pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
needs_compiler = pytest.mark.skipif(fake_nvml.compiler() is None, reason="the test NVML needs a C compiler (cc or gcc)")

SPEC = """
driver 580.65.06
nvml 13.580.65.06
cuda 13.0
gpu
  name NVIDIA H100 80GB HBM3
  uuid GPU-11111111-2222-3333-4444-555555555555
  bus 00000000:19:00.0
  device_id 0x233010de
  subsystem_id 0x16c110de
  cc 9.0
  memory 81559 1024
  utilization 93 40
  clocks 1980 2619
  max_clocks 1981 2620
  compute_mode 3
  cores 16896
  temperature 61
  power 412345 700000
  power_default 650000
  throttle 0x44
  ecc 1 1
  ecc_errors 3 7
  pcie 4 5 8 16
  persistence 1
  remapped 1 2 1 0
  virtualization 1
  fabric 3 42
  mig 1 1
  migdevice MIG-66666666-7777-8888-9999-aaaaaaaaaaaa 5 6 20096 NVIDIA H100 80GB HBM3 MIG 2g.20gb
  process 4711 2048
  process 4712 16
  graphics 99 7
gpu
  name NVIDIA T4
  cc 7.5
"""

# One process asks both, each value by the name under which the child tells it.
TWINS = """
import ctypes, json
import pynvml as p
from cudafit.machine import nvml_calls
from cudafit.machine.nvml_child import Reader

p.nvmlInit()
reader = Reader(nvml_calls.Nvml(ctypes.CDLL("libnvidia-ml.so.1")))

def listed(found):
    return [[one.pid, one.usedGpuMemory] for one in found]

def fabric(gpu):
    info = p.c_nvmlGpuFabricInfoV_t()
    p.nvmlDeviceGetGpuFabricInfoV(gpu, ctypes.byref(info))
    return [info.state & 0xFF, info.status]

def pci(gpu):
    info = p.nvmlDeviceGetPciInfo(gpu)
    return {"bus": info.busId, "device": info.pciDeviceId, "subsystem": info.pciSubSystemId}

def memory(gpu):
    info = p.nvmlDeviceGetMemoryInfo(gpu)
    return [info.total, info.used]

THEIRS = {
    "name": p.nvmlDeviceGetName,
    "uuid": p.nvmlDeviceGetUUID,
    "memory": memory,
    "pci": pci,
    "compute_capability": lambda gpu: list(p.nvmlDeviceGetCudaComputeCapability(gpu)),
    "mig": lambda gpu: p.nvmlDeviceGetMigMode(gpu)[0],
    "compute_mode": p.nvmlDeviceGetComputeMode,
    "cores": p.nvmlDeviceGetNumGpuCores,
    "temperature": lambda gpu: p.nvmlDeviceGetTemperature(gpu, p.NVML_TEMPERATURE_GPU),
    "utilization": lambda gpu: p.nvmlDeviceGetUtilizationRates(gpu).gpu,
    "power": p.nvmlDeviceGetPowerUsage,
    "power_limit": p.nvmlDeviceGetEnforcedPowerLimit,
    "power_limit_default": p.nvmlDeviceGetPowerManagementDefaultLimit,
    "fabric": fabric,
    "persistence": p.nvmlDeviceGetPersistenceMode,
    "virtualization": p.nvmlDeviceGetVirtualizationMode,
    "clock_sm": lambda gpu: p.nvmlDeviceGetClockInfo(gpu, p.NVML_CLOCK_SM),
    "clock_sm_max": lambda gpu: p.nvmlDeviceGetMaxClockInfo(gpu, p.NVML_CLOCK_SM),
    "clock_memory": lambda gpu: p.nvmlDeviceGetClockInfo(gpu, p.NVML_CLOCK_MEM),
    "clock_memory_max": lambda gpu: p.nvmlDeviceGetMaxClockInfo(gpu, p.NVML_CLOCK_MEM),
    "throttle": p.nvmlDeviceGetCurrentClocksEventReasons,
    "pcie_generation": p.nvmlDeviceGetCurrPcieLinkGeneration,
    "pcie_generation_max": p.nvmlDeviceGetMaxPcieLinkGeneration,
    "pcie_width": p.nvmlDeviceGetCurrPcieLinkWidth,
    "pcie_width_max": p.nvmlDeviceGetMaxPcieLinkWidth,
    "ecc": lambda gpu: p.nvmlDeviceGetEccMode(gpu)[0],
    "ecc_uncorrected": lambda gpu: p.nvmlDeviceGetTotalEccErrors(
        gpu, p.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, p.NVML_VOLATILE_ECC
    ),
    "remapped": lambda gpu: list(p.nvmlDeviceGetRemappedRows(gpu)),
    "compute_processes": lambda gpu: listed(p.nvmlDeviceGetComputeRunningProcesses(gpu)),
    "graphics_processes": lambda gpu: listed(p.nvmlDeviceGetGraphicsRunningProcesses(gpu)),
    "mig_name": p.nvmlDeviceGetName,
    "mig_uuid": p.nvmlDeviceGetUUID,
    "mig_memory": memory,
    "mig_gpu_instance": p.nvmlDeviceGetGpuInstanceId,
    "mig_compute_instance": p.nvmlDeviceGetComputeInstanceId,
}

def outcome(call):
    try:
        return call()
    except p.NVMLError as error:
        return f"{p.nvmlErrorString(error.value)} {error.value}"
    except nvml_calls.NvmlError as error:
        return f"{reader.nvml.words(error.code)} {error.code}"

def both(ours, device):
    return {key: [outcome(call), outcome(lambda: THEIRS[key](device))] for key, call in ours.items()}

answers = {}
for index in range(reader.count()):
    mine, theirs = reader.handle(index), p.nvmlDeviceGetHandleByIndex(index)
    answers[index] = both(reader.identity(mine) | reader.state(mine) | reader.links(mine), theirs)
part = reader.nvml.handle("nvmlDeviceGetMigDeviceHandleByIndex", reader.handle(0), ctypes.c_uint(0))
their_part = p.nvmlDeviceGetMigDeviceHandleByIndex(p.nvmlDeviceGetHandleByIndex(0), 0)
answers["part"] = both(reader.mig_device(part), their_part)
answers["untold"] = sorted(set(THEIRS) - {key for one in answers.values() for key in one})
print(json.dumps(answers))
"""


@needs_compiler
def test_every_call_answers_as_pynvml_does(tmp_path: Path) -> None:
    environ = fake_nvml.environment(SPEC, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", TWINS], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers.pop("untold") == []
    for device, pairs in answers.items():
        for key, (ours, theirs) in pairs.items():
            assert ours == theirs, (device, key)
    told = {key: ours for key, (ours, _) in answers["0"].items()}
    assert (told["temperature"], told["remapped"], told["compute_processes"]) == (
        61,
        [1, 2, 1, 0],
        [[4711, 2048 << 20], [4712, 16 << 20]],
    )
    assert answers["1"]["temperature"][0] == "Not Supported 3"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nvml_calls.Memory, "c_nvmlMemory_t"),
        (nvml_calls.Utilization, "c_nvmlUtilization_t"),
        (nvml_calls.PciInfo, "nvmlPciInfo_t"),
        (nvml_calls.FabricInfo, "c_nvmlGpuFabricInfo_t"),
        (nvml_calls.VersionedFabricInfo, "c_nvmlGpuFabricInfoV_t"),
        (nvml_calls.Process, "c_nvmlProcessInfo_v3_t"),
        (nvml_calls.Process, "c_nvmlProcessInfo_v2_t"),
    ],
)
def test_structures_lie_in_memory_as_pynvml_has_them(ours: Any, theirs: str) -> None:
    def layout(structure: Any) -> dict[str, tuple[int, int]]:
        fields = [name for name, _ in structure._fields_]
        return {name: (getattr(structure, name).offset, getattr(structure, name).size) for name in fields}

    twin = getattr(pynvml, theirs)
    assert layout(ours) == layout(twin)
    assert ctypes.sizeof(ours) == ctypes.sizeof(twin)


def test_numbers_are_those_of_pynvml() -> None:
    ours = nvml_calls
    assert pynvml.nvmlGpuFabricInfo_v2 == ours.FABRIC_VERSION
    assert (ours.NOT_FOUND, ours.INSUFFICIENT_SIZE, ours.LIBRARY_NOT_FOUND, ours.FUNCTION_NOT_FOUND) == (
        pynvml.NVML_ERROR_NOT_FOUND,
        pynvml.NVML_ERROR_INSUFFICIENT_SIZE,
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
        pynvml.NVML_ERROR_FUNCTION_NOT_FOUND,
    )
    assert (ours.TEMPERATURE_GPU, ours.CLOCK_SM, ours.CLOCK_MEMORY, ours.UNCORRECTED, ours.SINCE_BOOT) == (
        pynvml.NVML_TEMPERATURE_GPU,
        pynvml.NVML_CLOCK_SM,
        pynvml.NVML_CLOCK_MEM,
        pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
        pynvml.NVML_VOLATILE_ECC,
    )
    assert pynvml.NVML_VALUE_NOT_AVAILABLE_ulonglong.value == ours._NOT_TOLD
    assert max(pynvml.NVML_DEVICE_NAME_V2_BUFFER_SIZE, pynvml.NVML_DEVICE_UUID_V2_BUFFER_SIZE) == ours._TEXT_SIZE


class Library:
    """Answers as a driver's library does, from functions given by name."""

    def __init__(self, **functions: Any) -> None:
        vars(self).update(functions)


def listing(kind: Any, *processes: tuple[int, int]) -> Any:
    def answer(_handle: Any, count: Any, listed: Any) -> int:
        number = count._obj
        room, number.value = number.value, len(processes)
        if room < len(processes):
            return nvml_calls.INSUFFICIENT_SIZE
        for index, values in enumerate(processes):
            listed[index] = kind(*values)
        return 0

    return answer


@pytest.mark.parametrize(
    ("suffix", "kind"), [("_v3", nvml_calls.Process), ("_v2", nvml_calls.Process), ("", nvml_calls.OldProcess)]
)
def test_older_drivers_list_their_processes_under_older_names(suffix: str, kind: Any) -> None:
    library: Any = Library(**{f"asked{suffix}": listing(kind, (7, 1 << 20), (8, nvml_calls._NOT_TOLD))})
    found = nvml_calls.Nvml(library).processes("asked", ctypes.c_void_p())
    assert found == [[7, 1 << 20], [8, None]]


def test_a_list_that_keeps_growing_is_given_up() -> None:
    def answer(_handle: Any, count: Any, _listed: Any) -> int:
        count._obj.value += 1
        return nvml_calls.INSUFFICIENT_SIZE

    library: Any = Library(asked_v3=answer)
    with pytest.raises(nvml_calls.NvmlError, match="error 7"):
        nvml_calls.Nvml(library).processes("asked", ctypes.c_void_p())


def test_no_name_of_the_call_is_known() -> None:
    library: Any = Library()
    with pytest.raises(nvml_calls.NvmlError) as raised:
        nvml_calls.Nvml(library).processes("asked", ctypes.c_void_p())
    assert raised.value.code == nvml_calls.FUNCTION_NOT_FOUND


@pytest.mark.parametrize(
    "fact",
    [
        {"key": "name", "value": 'a "quoted" \\ name\n\x1b[0m\x7f', "gpu": 0},
        {"key": "name", "value": "Grafik\u00fc \U0001f600 \ud800", "part": None},
        {"look": 12.5, "gpus": [{"index": 0, "processes": [[1, None]], "utilization": True}], "none": []},
        {"value": 18446744073709551615, "negative": -1, "off": False, "empty": {}},
    ],
)
def test_a_fact_is_written_as_json_writes_it(fact: dict[str, Any]) -> None:
    written = nvml_child.as_json(fact)
    assert json.loads(written) == fact
    assert written.isascii()
    assert "\n" not in written
