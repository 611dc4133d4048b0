"""The fake library, seen through the real pynvml. Each case runs in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fake_nvml import build, can_mount, compiler, environment, functions, namespace_command

pytestmark = pytest.mark.skipif(compiler() is None, reason="the fake NVML needs a C compiler (cc or gcc)")

ROOT = Path(__file__).parents[2]

MACHINE = """
driver 550.54.15
cuda 12.4
nvml 12.550.54.15
"""
RTX_4090 = """
gpu                          # a comment
  name NVIDIA GeForce RTX 4090
  uuid GPU-0a1b2c3d-0000-0000-0000-000000000000
  bus 00000000:01:00.0
  device_id 0x268410DE
  subsystem_id 0x88E21043
  cc 8.9
  memory 24564 512
  compute_mode 0
  temperature 41
  clocks 210 405
  max_clocks 3105 10501
  throttle 0x1
  pcie 1 4 16 8
  power 21000 450000
  persistence 1
  utilization 3 1
  cores 16384
  virtualization 0
"""
A100 = """
gpu
  name NVIDIA A100-SXM4-40GB
  uuid GPU-ffffffff-0000-0000-0000-000000000000
  bus 00000001:C1:00.0
  cc 8.0
  memory 40960 0
  mig 1 0
  ecc 1 0
  ecc_errors 5 2
  remapped 1 2 1 0
  migdevice MIG-1 1 0 9856 NVIDIA A100-SXM4-40GB MIG 2g.10gb
  migdevice MIG-2 5 1 4864 NVIDIA A100-SXM4-40GB MIG 1g.5gb
"""
PRELUDE = """
import json
from pynvml import *

def answer(function, *arguments):
    try:
        return function(*arguments)
    except NVMLError as error:
        return type(error).__name__

def show(**answers):
    print(json.dumps(answers))

def gpu(index):
    return nvmlDeviceGetHandleByIndex(index)
"""


def run(folder: Path, spec: str, code: str, **more: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    variables = {**environment(spec, folder), **more}
    command = [sys.executable, "-c", PRELUDE + code]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def ask(folder: Path, spec: str, code: str, **more: str) -> dict[str, Any]:
    result = run(folder, spec, code, **more)
    assert result.returncode == 0, result.stderr
    answers: dict[str, Any] = json.loads(result.stdout)
    return answers


def test_two_gpus(tmp_path: Path) -> None:
    code = """
nvmlInit()
pci, memory = nvmlDeviceGetPciInfo(gpu(0)), nvmlDeviceGetMemoryInfo(gpu(0))
rates = nvmlDeviceGetUtilizationRates(gpu(0))
show(
    versions=[nvmlSystemGetDriverVersion(), nvmlSystemGetNVMLVersion()],
    cuda=[nvmlSystemGetCudaDriverVersion(), nvmlSystemGetCudaDriverVersion_v2()],
    count=nvmlDeviceGetCount(),
    beyond=answer(gpu, 2),
    names=[nvmlDeviceGetName(gpu(0)), nvmlDeviceGetName(gpu(1))],
    uuid=nvmlDeviceGetUUID(gpu(1)),
    pci=[pci.busId, pci.busIdLegacy, pci.domain, pci.bus, pci.device, pci.pciDeviceId, pci.pciSubSystemId],
    bus_1=nvmlDeviceGetPciInfo(gpu(1)).bus,
    capability=nvmlDeviceGetCudaComputeCapability(gpu(0)),
    memory=[memory.total, memory.used, memory.free],
    compute_mode=nvmlDeviceGetComputeMode(gpu(0)),
    temperature=nvmlDeviceGetTemperature(gpu(0), NVML_TEMPERATURE_GPU),
    clocks=[nvmlDeviceGetClockInfo(gpu(0), clock) for clock in (NVML_CLOCK_GRAPHICS, NVML_CLOCK_SM, NVML_CLOCK_MEM)],
    max_clocks=[nvmlDeviceGetMaxClockInfo(gpu(0), clock) for clock in (NVML_CLOCK_SM, NVML_CLOCK_MEM)],
    video_clock=answer(nvmlDeviceGetClockInfo, gpu(0), NVML_CLOCK_VIDEO),
    reasons=[nvmlDeviceGetCurrentClocksEventReasons(gpu(0)), nvmlDeviceGetCurrentClocksThrottleReasons(gpu(0))],
    pcie=[nvmlDeviceGetCurrPcieLinkGeneration(gpu(0)), nvmlDeviceGetMaxPcieLinkGeneration(gpu(0)),
          nvmlDeviceGetCurrPcieLinkWidth(gpu(0)), nvmlDeviceGetMaxPcieLinkWidth(gpu(0))],
    power=[nvmlDeviceGetPowerUsage(gpu(0)), nvmlDeviceGetEnforcedPowerLimit(gpu(0))],
    persistence=nvmlDeviceGetPersistenceMode(gpu(0)),
    utilization=[rates.gpu, rates.memory],
    cores=nvmlDeviceGetNumGpuCores(gpu(0)),
    virtualization=nvmlDeviceGetVirtualizationMode(gpu(0)),
    not_stated=[answer(function, gpu(0)) for function in (
        nvmlDeviceGetMigMode, nvmlDeviceGetEccMode, nvmlDeviceGetRemappedRows, nvmlDeviceGetGpuInstanceId)],
    max_migs=nvmlDeviceGetMaxMigDeviceCount(gpu(0)),
    ecc=nvmlDeviceGetEccMode(gpu(1)),
    ecc_errors=[nvmlDeviceGetTotalEccErrors(gpu(1), kind, NVML_VOLATILE_ECC) for kind in (0, 1)],
    remapped=nvmlDeviceGetRemappedRows(gpu(1)),
    garbage=answer(nvmlDeviceGetName, c_nvmlDevice_t()),
)
"""
    assert ask(tmp_path, MACHINE + RTX_4090 + A100, code) == {
        "versions": ["550.54.15", "12.550.54.15"],
        "cuda": [12040, 12040],
        "count": 2,
        "beyond": "NVMLError_InvalidArgument",
        "names": ["NVIDIA GeForce RTX 4090", "NVIDIA A100-SXM4-40GB"],
        "uuid": "GPU-ffffffff-0000-0000-0000-000000000000",
        "pci": ["00000000:01:00.0", "0000:01:00.0", 0, 1, 0, 0x268410DE, 0x88E21043],
        "bus_1": 0xC1,
        "capability": [8, 9],
        "memory": [24564 * 2**20, 512 * 2**20, 24052 * 2**20],
        "compute_mode": 0,
        "temperature": 41,
        "clocks": [210, 210, 405],
        "max_clocks": [3105, 10501],
        "video_clock": "NVMLError_NotSupported",
        "reasons": [1, 1],
        "pcie": [1, 4, 16, 8],
        "power": [21000, 450000],
        "persistence": 1,
        "utilization": [3, 1],
        "cores": 16384,
        "virtualization": 0,
        "not_stated": ["NVMLError_NotSupported"] * 4,
        "max_migs": 0,
        "ecc": [1, 0],
        "ecc_errors": [5, 2],
        "remapped": [1, 2, 1, 0],
        "garbage": "NVMLError_InvalidArgument",
    }


def test_before_and_after_init(tmp_path: Path) -> None:
    code = """
import pynvml
pynvml._LoadNvmlLibrary()
before = answer(nvmlDeviceGetCount)
version = nvmlSystemGetNVMLVersion()
nvmlInit()
nvmlInit()
nvmlShutdown()
still = answer(nvmlDeviceGetCount)
nvmlShutdown()
show(before=before, version=version, still=still, after=answer(nvmlDeviceGetCount), once_more=answer(nvmlShutdown))
"""
    assert ask(tmp_path, MACHINE + RTX_4090, code) == {
        "before": "NVMLError_Uninitialized",
        "version": "12.550.54.15",
        "still": 1,
        "after": "NVMLError_Uninitialized",
        "once_more": "NVMLError_Uninitialized",
    }


def test_failed_init_leaves_it_uninitialised(tmp_path: Path) -> None:
    code = """
init = answer(nvmlInit)
show(init=init, driver=answer(nvmlSystemGetDriverVersion), nvml=nvmlSystemGetNVMLVersion(), text=nvmlErrorString(18))
"""
    assert ask(tmp_path, MACHINE + "init 18", code) == {
        "init": "NVMLError_LibRmVersionMismatch",
        "driver": "NVMLError_Uninitialized",
        "nvml": "12.550.54.15",
        "text": "Driver/library version mismatch",
    }


def test_a_machine_without_gpus(tmp_path: Path) -> None:
    code = "nvmlInit(); show(count=nvmlDeviceGetCount(), first=answer(gpu, 0))"
    assert ask(tmp_path, MACHINE, code) == {"count": 0, "first": "NVMLError_InvalidArgument"}


def test_missing_function(tmp_path: Path) -> None:
    code = """
nvmlInit()
show(missing=answer(nvmlDeviceGetRemappedRows, gpu(0)), other=nvmlDeviceGetEccMode(gpu(0)))
"""
    spec = MACHINE + "missing nvmlDeviceGetRemappedRows  # too old\n" + A100
    assert ask(tmp_path, spec, code) == {"missing": "NVMLError_FunctionNotFound", "other": [1, 0]}


def test_missing_function_that_never_was(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nvmlDeviceGetRemapedRows"):
        build("missing nvmlDeviceGetRemapedRows", tmp_path)


def test_errors(tmp_path: Path) -> None:
    code = """
nvmlInit()
show(names=[answer(nvmlDeviceGetName, gpu(index)) for index in (0, 1)],
     temperatures=[answer(nvmlDeviceGetTemperature, gpu(index), 0) for index in (0, 1)],
     driver=answer(nvmlSystemGetDriverVersion))
"""
    faults = """
error nvmlDeviceGetName 4 1
error nvmlDeviceGetTemperature 16
error nvmlSystemGetDriverVersion 999
"""
    assert ask(tmp_path, MACHINE + faults + RTX_4090 + RTX_4090, code) == {
        "names": ["NVIDIA GeForce RTX 4090", "NVMLError_NoPermission"],
        "temperatures": ["NVMLError_ResetRequired"] * 2,
        "driver": "NVMLError_Unknown",
    }


PROCESSES = """
nvmlInit()
def listed(processes):
    return sorted([process.pid, process.usedGpuMemory, process.gpuInstanceId] for process in processes)
show(compute=[listed(nvmlDeviceGetComputeRunningProcesses(gpu(index))) for index in (0, 1)],
     graphics=[listed(nvmlDeviceGetGraphicsRunningProcesses(gpu(index))) for index in (0, 1)],
     names=[answer(nvmlSystemGetProcessName, pid) for pid in (4321, 1)])
"""
NO_INSTANCE = 0xFFFFFFFF


def test_process_list(tmp_path: Path) -> None:
    busy = "process 4321 1024\nprocess 4322 1\ngraphics 999 64\n"
    spec = MACHINE + "processname 4321 python train.py\n" + RTX_4090 + busy + RTX_4090
    assert ask(tmp_path, spec, PROCESSES) == {
        "compute": [[[4321, 2**30, NO_INSTANCE], [4322, 2**20, NO_INSTANCE]], []],
        "graphics": [[[999, 64 * 2**20, NO_INSTANCE]], []],
        "names": ["python train.py", "NVMLError_NotFound"],
    }


def test_registered_processes(tmp_path: Path) -> None:
    registered = tmp_path / "registered"
    registered.mkdir()
    (registered / "77").write_text("1 16\n")
    (registered / "78").write_text("0 32")
    (registered / "79").write_text("")
    (registered / "80.part").write_text("not yet")
    spec = MACHINE + RTX_4090 + "process 4321 1024\n" + RTX_4090
    answers = ask(tmp_path, spec, PROCESSES, FAKE_NVML_PROCESSES=str(registered))
    assert answers["compute"] == [
        [[78, 2**25, NO_INSTANCE], [4321, 2**30, NO_INSTANCE]],
        [[77, 2**24, NO_INSTANCE]],
    ]
    assert answers["graphics"] == [[], []]


def test_buffers_too_small(tmp_path: Path) -> None:
    code = """
from ctypes import byref, c_uint, create_string_buffer
import pynvml
nvmlInit()
name = pynvml.nvmlLib.nvmlDeviceGetName(gpu(0), create_string_buffer(8), c_uint(8))
room, list_ = c_uint(1), (c_nvmlProcessInfo_t * 1)()
processes = pynvml.nvmlLib.nvmlDeviceGetComputeRunningProcesses_v3(gpu(0), byref(room), list_)
show(name=name, processes=processes, wanted=room.value, pid=list_[0].pid)
"""
    spec = MACHINE + RTX_4090 + "process 1 1\nprocess 2 1\n"
    assert ask(tmp_path, spec, code) == {"name": 7, "processes": 7, "wanted": 2, "pid": 0}


def test_mig(tmp_path: Path) -> None:
    code = """
nvmlInit()
migs = [nvmlDeviceGetMigDeviceHandleByIndex(gpu(1), index) for index in (0, 1)]
show(mode=nvmlDeviceGetMigMode(gpu(1)),
     most=nvmlDeviceGetMaxMigDeviceCount(gpu(1)),
     names=[nvmlDeviceGetName(mig) for mig in migs],
     uuids=[nvmlDeviceGetUUID(mig) for mig in migs],
     memory=[nvmlDeviceGetMemoryInfo(mig).total for mig in migs],
     instances=[[nvmlDeviceGetGpuInstanceId(mig), nvmlDeviceGetComputeInstanceId(mig)] for mig in migs],
     processes=[nvmlDeviceGetComputeRunningProcesses(migs[0]), nvmlDeviceGetGraphicsRunningProcesses(migs[0])],
     empty=answer(nvmlDeviceGetMigDeviceHandleByIndex, gpu(1), 2),
     beyond=answer(nvmlDeviceGetMigDeviceHandleByIndex, gpu(1), 7),
     off=answer(nvmlDeviceGetMigDeviceHandleByIndex, gpu(0), 0))
"""
    assert ask(tmp_path, MACHINE + RTX_4090 + A100 + "process 4321 1\n", code) == {
        "mode": [1, 0],
        "most": 7,
        "names": ["NVIDIA A100-SXM4-40GB MIG 2g.10gb", "NVIDIA A100-SXM4-40GB MIG 1g.5gb"],
        "uuids": ["MIG-1", "MIG-2"],
        "memory": [9856 * 2**20, 4864 * 2**20],
        "instances": [[1, 0], [5, 1]],
        "processes": [[], []],
        "empty": "NVMLError_NotFound",
        "beyond": "NVMLError_InvalidArgument",
        "off": "NVMLError_NotSupported",
    }


def test_lost_gpu(tmp_path: Path) -> None:
    code = """
nvmlInit()
show(count=nvmlDeviceGetCount(), lost=answer(gpu, 0), other=nvmlDeviceGetName(gpu(1)))
"""
    assert ask(tmp_path, MACHINE + RTX_4090 + "lost\n" + A100, code) == {
        "count": 2,
        "lost": "NVMLError_GpuIsLost",
        "other": "NVIDIA A100-SXM4-40GB",
    }


def test_hang(tmp_path: Path) -> None:
    variables = environment(MACHINE + "hang nvmlDeviceGetName 1\n" + RTX_4090 + A100, tmp_path)
    code = "nvmlInit(); print(nvmlDeviceGetName(gpu(0)), flush=True); nvmlDeviceGetName(gpu(1)); print('not reached')"
    command = [sys.executable, "-c", PRELUDE + code]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "NVIDIA GeForce RTX 4090\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        process.terminate()
        assert process.wait(timeout=30) == -signal.SIGTERM
        assert process.stdout.read() == ""


def test_crash(tmp_path: Path) -> None:
    result = run(tmp_path, MACHINE + "crash nvmlInitWithFlags\n" + RTX_4090, "nvmlInit()")
    assert result.returncode == -signal.SIGSEGV


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("gpu\n  temprature 41\n", "line 2: unknown key 'temprature'"),
        ("temperature 41\n", "line 1: unknown key 'temperature', or a 'gpu' line is missing before it"),
        ("gpu\nmemory 24564\n", "line 2: '' is not a number"),
        ("gpu\ntemperature 41 C\n", "line 2: more than expected: 'C'"),
        ("gpu\necc 1 1\necc 0 0\n", "line 3: 'ecc' is stated twice"),
        ("gpu\nbus 01:00\n", "line 2: '01:00' is not like 00000000:01:00.0"),
        ("error nvmlDeviceGetNam 3\n", "line 1: unknown function 'nvmlDeviceGetNam'"),
        ("error nvmlDeviceGetName 3 1\ngpu\n", "nvmlDeviceGetName: there is no GPU 1"),
        ("init minus\n", "line 1: 'minus' is not a number"),
    ],
)
def test_mistake_in_a_spec_aborts(tmp_path: Path, spec: str, complaint: str) -> None:
    result = run(tmp_path, spec, "nvmlInit()")
    assert result.returncode == -signal.SIGABRT
    assert result.stderr.splitlines()[0] == f"fake_nvml: {tmp_path}/spec.txt: {complaint}"


def test_no_spec_aborts(tmp_path: Path) -> None:
    result = run(tmp_path, MACHINE, "nvmlInit()", FAKE_NVML=str(tmp_path / "elsewhere"))
    assert result.returncode == -signal.SIGABRT
    assert "cannot read the spec: No such file or directory" in result.stderr


def test_every_function_looks_for_faults(tmp_path: Path) -> None:
    """One that forgot to would make a test of its failure pass for nothing."""
    names = sorted(name for name in functions() if not name.startswith(("nvmlInit", "nvmlErrorString")))
    assert len(names) > 35
    faults = "".join(f"error {name} 23\n" for name in names)
    code = f"""
import pynvml
pynvml._LoadNvmlLibrary()
def outcomes():
    return {{name: getattr(pynvml.nvmlLib, name)(*[None] * 5) for name in {names}}}
before = outcomes()
nvmlInit()
show(before=before, after=outcomes())
"""
    assert ask(tmp_path, MACHINE + faults + A100, code) == {
        "before": {name: 23 if name == "nvmlSystemGetNVMLVersion" else 1 for name in names},
        "after": dict.fromkeys(names, 23),
    }


@pytest.mark.parametrize("name", ["nvmlInit_v2", "nvmlInitWithFlags"])
def test_each_init_can_fail(tmp_path: Path, name: str) -> None:
    code = f"""
import pynvml
pynvml._LoadNvmlLibrary()
show(init=pynvml.nvmlLib.{name}(0), count=answer(nvmlDeviceGetCount))
"""
    spec = MACHINE + f"error {name} 9\n"
    assert ask(tmp_path, spec, code) == {"init": 9, "count": "NVMLError_Uninitialized"}


def test_library_lies_as_on_a_real_machine(tmp_path: Path) -> None:
    folder = build(MACHINE, tmp_path)
    link = folder / "libnvidia-ml.so.1"
    assert os.readlink(link) == "libnvidia-ml.so.550.54.15"
    assert (folder / "libnvidia-ml.so.550.54.15").is_file()
    assert build(MACHINE, tmp_path) == folder


def test_environment_keeps_the_rest(tmp_path: Path) -> None:
    variables = environment(MACHINE, tmp_path, {"LD_LIBRARY_PATH": "/opt/lib", "HOME": "/home/me"})
    assert variables == {
        "LD_LIBRARY_PATH": f"{tmp_path}/lib:/opt/lib",
        "HOME": "/home/me",
        "FAKE_NVML": f"{tmp_path}/spec.txt",
    }


@pytest.mark.slow
def test_several_builds_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # an empty cache
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda number: build(MACHINE, tmp_path / str(number)), range(4)))
    assert len({(folder / "libnvidia-ml.so.1").read_bytes() for folder in folders}) == 1
    assert len(list(tmp_path.glob("cudafit-fake-nvml-*/*"))) == 1


def command_line(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fake_nvml", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_command_line(tmp_path: Path) -> None:
    spec = tmp_path / "machine.txt"
    spec.write_text(MACHINE + RTX_4090)
    code = PRELUDE + "nvmlInit(); print(nvmlDeviceGetName(gpu(0))); raise SystemExit(7)"
    result = command_line(spec, "--", sys.executable, "-c", code)
    assert (result.returncode, result.stdout) == (7, "NVIDIA GeForce RTX 4090\n")


def test_command_line_mistakes(tmp_path: Path) -> None:
    assert "no command after --" in command_line(tmp_path).stderr
    result = command_line(tmp_path / "nowhere", "--", "true")
    assert result.returncode == 2
    assert "cannot read the spec" in result.stderr


needs_mount = pytest.mark.skipif(can_mount() is not None, reason=f"no mounts in a namespace: {can_mount()}")
SHOW_MODULE = "cat /proc/driver/nvidia/version /sys/module/nvidia/version"


@needs_mount
def test_kernel_module(tmp_path: Path) -> None:
    spec = tmp_path / "machine.txt"
    spec.write_text(MACHINE)
    lines = command_line(spec, "--kernel", "550.54.14", "--", *SHOW_MODULE.split()).stdout.splitlines()
    assert lines[0] == ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024")
    assert lines[1].startswith("GCC version:")
    assert lines[2] == "550.54.14"


@needs_mount
def test_kernel_module_text(tmp_path: Path) -> None:
    text = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (me@here)\n"
    command = namespace_command(text, tmp_path, SHOW_MODULE.split())
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout == text + "570.86.15\n"


@needs_mount
def test_no_kernel_module(tmp_path: Path) -> None:
    command = namespace_command("", tmp_path, ["ls", "-A", "/proc/driver", "/sys/module"])
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.split() == ["/proc/driver:", "/sys/module:"]
