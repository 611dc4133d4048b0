"""The part of cudafit that talks to the driver, run as a program of its own.

A driver call can hang for ever or crash the process that makes it; here it takes nothing else with it. Each fact is
one JSON line on stdout, and each call is announced before it is made, so that the reader of a line that never
comes knows which call it was. Nothing of cudafit is imported, only pynvml.
"""

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

# Where a driver's libraries lie that the loader may not know of: WSL, NixOS, container runtimes, Colab.
LIBRARY_FOLDERS = ("/usr/lib/wsl/lib", "/run/opengl-driver/lib", "/usr/local/nvidia/lib64", "/usr/lib64-nvidia")
LIBRARY = "libnvidia-ml.so.1"
LIBRARY_NOT_FOUND = 12  # nvml.h, NVML_ERROR_LIBRARY_NOT_FOUND
# How long to pause between looks: less at first, when short jobs end; and never so little that the looks cost more
# than this share of a core.
QUICK_S, QUICK_FOR_S, SLOW_S, SHARE = 0.25, 10.0, 0.5, 0.004
NODES = re.compile(r"nvidia(\d+|ctl|-uvm|-uvm-tools)|dxg")


def say(**fact: Any) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def main() -> None:
    if sys.argv[1:] == ["--watch"]:
        watch()
        return
    if preload():
        ask_nvml()
    for name in sorted(os.listdir("/dev") if os.path.isdir("/dev") else []):
        if NODES.fullmatch(name):
            open_node(f"/dev/{name}")


def preload() -> bool:
    """Load the library, if need be from a place the loader does not know, so that pynvml finds it already there.

    Nor is pynvml, which is large, imported where there is no library at all.
    """
    return True if sys.platform == "win32" else _loaded()  # on Windows pynvml knows the places itself


def _loaded() -> bool:
    import ctypes  # noqa: PLC0415 - only now

    say(call="dlopen " + LIBRARY)
    for path in (LIBRARY, *(os.path.join(folder, LIBRARY) for folder in LIBRARY_FOLDERS)):
        try:
            ctypes.CDLL(path)
        except OSError as error:
            # pynvml calls every failure "not found"; a library that is there and broken is another matter.
            if "No such file or directory" not in str(error):
                say(key="load_error", text=str(error))
            continue
        return True
    say(key="init", gpu=None, part=None, code=LIBRARY_NOT_FOUND, text=f"{LIBRARY} was not found")
    return False


def ask_nvml() -> None:
    if pynvml := imported():
        Reader(pynvml).read()


def imported() -> Any:
    say(call="import pynvml")
    try:
        import pynvml  # noqa: PLC0415 - the reader must learn which step failed
    except ImportError as error:
        say(failed="import", text=str(error))
        return None
    return pynvml


def watch() -> None:
    """Look again and again, until nobody reads any more."""
    if not preload() or not (pynvml := imported()):
        return
    looker = Looker(pynvml)
    if not looker.begin():
        return
    start = time.monotonic()
    with contextlib.suppress(BrokenPipeError):
        while True:
            before = time.process_time()
            looker.look()
            cost = time.process_time() - before
            period = QUICK_S if time.monotonic() - start < QUICK_FOR_S else SLOW_S
            time.sleep(max(period, cost / SHARE))


class Looker:
    """Asks NVML what changes while programs compute: who is there, how busy it is, what slows it down."""

    def __init__(self, pynvml: Any) -> None:
        self.reader = Reader(pynvml)
        self.nvml = pynvml
        self.handles: dict[int, Any] = {}

    def begin(self) -> bool:
        if not self.reader.ask("init", self.reader.start):
            return False
        for index in range(self.reader.ask("count", self.nvml.nvmlDeviceGetCount) or 0):
            handle = self.reader.handle(index)
            if handle is not None:
                self.handles[index] = handle
                self.reader.ask("name", partial(self.nvml.nvmlDeviceGetName, handle), index)
                self.reader.ask("uuid", partial(self.nvml.nvmlDeviceGetUUID, handle), index)
                self.reader.ask("memory", partial(self.reader.memory, handle), index)
        return True

    def look(self) -> None:
        say(look=time.monotonic(), gpus=[self.gpu(index, handle) for index, handle in self.handles.items()])

    def gpu(self, index: int, handle: Any) -> dict[str, Any]:
        n = self.nvml
        return {
            "index": index,
            "processes": self.quiet(lambda: self.processes(handle)),
            "utilization": self.quiet(lambda: n.nvmlDeviceGetUtilizationRates(handle).gpu),
            "memory_used": self.quiet(lambda: self.reader.memory(handle)[1]),
            "throttle": self.quiet(lambda: self.reader.throttle(handle)),
            "clock": self.quiet(lambda: n.nvmlDeviceGetClockInfo(handle, n.NVML_CLOCK_SM)),
            "clock_max": self.quiet(lambda: n.nvmlDeviceGetMaxClockInfo(handle, n.NVML_CLOCK_SM)),
        }

    def processes(self, handle: Any) -> list[list[int | None]]:
        """Those that compute; the clients of an MPS server are listed by a call of their own."""
        found = processes(self.nvml.nvmlDeviceGetComputeRunningProcesses(handle))
        clients = self.quiet(lambda: processes(self.nvml.nvmlDeviceGetMPSComputeRunningProcesses(handle)))
        return found + [one for one in clients or () if one not in found]

    def quiet(self, call: Callable[[], Any]) -> Any:
        """What a driver or a card does not tell, it does not tell in any look."""
        try:
            return call()
        except Exception:
            return None


class Reader:
    """Asks NVML everything that a snapshot holds."""

    def __init__(self, pynvml: Any) -> None:
        self.nvml = pynvml

    def read(self) -> None:
        if not self.ask("init", self.start):
            # Without a session the library still tells its own version: the other half of a mismatch.
            self.ask("nvml", self.nvml.nvmlSystemGetNVMLVersion)
            self.library_path()
            return
        self.library_path()
        self.ask("driver", self.nvml.nvmlSystemGetDriverVersion)
        self.ask("nvml", self.nvml.nvmlSystemGetNVMLVersion)
        if self.ask("cuda", self.nvml.nvmlSystemGetCudaDriverVersion_v2) is None:
            self.ask("cuda", self.nvml.nvmlSystemGetCudaDriverVersion)
        for index in range(self.ask("count", self.nvml.nvmlDeviceGetCount) or 0):
            self.gpu(index)

    def start(self) -> bool:
        self.nvml.nvmlInit()
        return True

    def library_path(self) -> None:
        try:
            with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
                found = {line.split(maxsplit=5)[-1].strip() for line in maps if "libnvidia-ml" in line}
        except OSError:
            return
        for path in sorted(found):
            say(key="library_path", value=path)

    def ask(self, key: str, call: Callable[[], Any], gpu: int | None = None, part: int | None = None) -> Any:
        """Make one call and tell its outcome; the value is returned as well, None when there is none."""
        where: dict[str, Any] = {"key": key, "gpu": gpu, "part": part}
        say(call=key, gpu=gpu)
        try:
            value = call()
        except self.nvml.NVMLError as error:
            say(**where, code=error.value, text=self.words(error))
            return None
        except Exception as error:  # a binding that does not fit this library: a fact like any other
            say(**where, code=None, text=f"{type(error).__name__}: {error}")
            return None
        say(**where, value=value)
        return value

    def words(self, error: Any) -> str:
        """The driver's own words, which people search for; pynvml has others for some codes."""
        try:
            return str(self.nvml.nvmlErrorString(error.value))
        except self.nvml.NVMLError:
            return str(error)

    def handle(self, index: int) -> Any:
        """Not through `ask`: a handle cannot be written as JSON."""
        say(call="handle", gpu=index)
        try:
            return self.nvml.nvmlDeviceGetHandleByIndex(index)
        except self.nvml.NVMLError as error:
            say(key="handle", gpu=index, part=None, code=error.value, text=self.words(error))
            return None

    def gpu(self, index: int) -> None:
        n = self.nvml
        handle = self.handle(index)
        if handle is None:
            return
        calls: dict[str, Callable[[], Any]] = {
            "name": lambda: n.nvmlDeviceGetName(handle),
            "uuid": lambda: n.nvmlDeviceGetUUID(handle),
            "pci": lambda: pci(n.nvmlDeviceGetPciInfo(handle)),
            "compute_capability": lambda: n.nvmlDeviceGetCudaComputeCapability(handle),
            "memory": lambda: self.memory(handle),
            "mig": lambda: n.nvmlDeviceGetMigMode(handle)[0],
            "compute_mode": lambda: n.nvmlDeviceGetComputeMode(handle),
            "cores": lambda: n.nvmlDeviceGetNumGpuCores(handle),
            "temperature": lambda: n.nvmlDeviceGetTemperature(handle, n.NVML_TEMPERATURE_GPU),
            "utilization": lambda: n.nvmlDeviceGetUtilizationRates(handle).gpu,
            "power": lambda: n.nvmlDeviceGetPowerUsage(handle),
            "power_limit": lambda: n.nvmlDeviceGetEnforcedPowerLimit(handle),
            "power_limit_default": lambda: n.nvmlDeviceGetPowerManagementDefaultLimit(handle),
            "fabric": lambda: self.fabric(handle),
            "persistence": lambda: n.nvmlDeviceGetPersistenceMode(handle),
            "virtualization": lambda: n.nvmlDeviceGetVirtualizationMode(handle),
            "clock_sm": lambda: n.nvmlDeviceGetClockInfo(handle, n.NVML_CLOCK_SM),
            "clock_sm_max": lambda: n.nvmlDeviceGetMaxClockInfo(handle, n.NVML_CLOCK_SM),
            "clock_memory": lambda: n.nvmlDeviceGetClockInfo(handle, n.NVML_CLOCK_MEM),
            "clock_memory_max": lambda: n.nvmlDeviceGetMaxClockInfo(handle, n.NVML_CLOCK_MEM),
            "throttle": lambda: self.throttle(handle),
            "pcie_generation": lambda: n.nvmlDeviceGetCurrPcieLinkGeneration(handle),
            "pcie_generation_max": lambda: n.nvmlDeviceGetMaxPcieLinkGeneration(handle),
            "pcie_width": lambda: n.nvmlDeviceGetCurrPcieLinkWidth(handle),
            "pcie_width_max": lambda: n.nvmlDeviceGetMaxPcieLinkWidth(handle),
            "ecc": lambda: n.nvmlDeviceGetEccMode(handle)[0],
            "ecc_uncorrected": lambda: n.nvmlDeviceGetTotalEccErrors(
                handle, n.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, n.NVML_VOLATILE_ECC
            ),
            "remapped": lambda: list(n.nvmlDeviceGetRemappedRows(handle)),
            "compute_processes": lambda: processes(n.nvmlDeviceGetComputeRunningProcesses(handle)),
            "graphics_processes": lambda: processes(n.nvmlDeviceGetGraphicsRunningProcesses(handle)),
        }
        answers = {key: self.ask(key, call, index) for key, call in calls.items()}
        if answers["mig"]:
            self.mig_devices(index, handle)

    def throttle(self, handle: Any) -> int:
        """The newer name of the call first; a driver before 535 knows the older one only."""
        try:
            return int(self.nvml.nvmlDeviceGetCurrentClocksEventReasons(handle))
        except (AttributeError, self.nvml.NVMLError_FunctionNotFound):
            return int(self.nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))

    def fabric(self, handle: Any) -> list[int]:
        """State and status; the call with a version in its answer is that of drivers from 535 on."""
        import ctypes  # noqa: PLC0415 - pynvml has loaded it

        try:
            info = self.nvml.c_nvmlGpuFabricInfoV_t()
            self.nvml.nvmlDeviceGetGpuFabricInfoV(handle, ctypes.byref(info))
        except (AttributeError, self.nvml.NVMLError_FunctionNotFound):
            info = self.nvml.c_nvmlGpuFabricInfo_t()
            self.nvml.nvmlDeviceGetGpuFabricInfo(handle, ctypes.byref(info))
        return [info.state & 0xFF, info.status]  # the driver writes one byte of a state

    def mig_devices(self, index: int, handle: Any) -> None:
        n = self.nvml
        count = self.ask("mig_devices", partial(n.nvmlDeviceGetMaxMigDeviceCount, handle), index) or 0
        for part in range(count):
            try:
                device = n.nvmlDeviceGetMigDeviceHandleByIndex(handle, part)
            except n.NVMLError_NotFound:
                continue  # an empty place among the possible ones
            except n.NVMLError as error:
                say(key="mig_devices", gpu=index, part=None, code=error.value, text=self.words(error))
                continue
            self.ask("mig_uuid", partial(n.nvmlDeviceGetUUID, device), index, part)
            self.ask("mig_name", partial(n.nvmlDeviceGetName, device), index, part)
            self.ask("mig_memory", partial(self.memory, device), index, part)
            self.ask("mig_gpu_instance", partial(n.nvmlDeviceGetGpuInstanceId, device), index, part)
            self.ask("mig_compute_instance", partial(n.nvmlDeviceGetComputeInstanceId, device), index, part)

    def memory(self, handle: Any) -> list[int]:
        info = self.nvml.nvmlDeviceGetMemoryInfo(handle)
        return [info.total, info.used]


def pci(info: Any) -> dict[str, Any]:
    bus = info.busId.decode() if isinstance(info.busId, bytes) else info.busId
    return {"bus": bus, "device": info.pciDeviceId, "subsystem": info.pciSubSystemId}


def processes(found: Any) -> list[list[int | None]]:
    return [[process.pid, process.usedGpuMemory] for process in found]


def open_node(path: str) -> None:
    """Whether this user can open a device file: its mode alone does not tell, a control group may forbid it."""
    say(call="open " + path)
    try:
        os.close(os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)))
    except OSError as error:
        say(key="node", path=path, error=os.strerror(error.errno) if error.errno else str(error))
    else:
        say(key="node", path=path, error=None)


if __name__ == "__main__":
    main()
