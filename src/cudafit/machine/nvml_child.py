"""The part of cudafit that talks to the driver, run as a program of its own.

A driver call can hang for ever or crash the process that makes it; here it takes nothing else with it. Each fact is
one JSON line on stdout, and each call is announced before it is made, so that the reader of a line that never
comes knows which call it was. It is waited for, so it imports next to nothing: not even `json` and `re`.
"""

from __future__ import annotations

import os
import sys
import time
from ctypes import CDLL, c_uint, c_ulonglong, c_void_p

from cudafit.machine import nvml_calls
from cudafit.machine.nvml_calls import FUNCTION_NOT_FOUND, LIBRARY, LIBRARY_NOT_FOUND, NOT_FOUND, Nvml, NvmlError

TYPE_CHECKING = False  # `typing` alone costs as much as ctypes
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# How long to pause between looks: less at first, when short jobs end; and never so little that the looks cost more
# than this share of a core.
QUICK_S, QUICK_FOR_S, SLOW_S, SHARE = 0.25, 10.0, 0.5, 0.004
NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "dxg")


def say(**fact: Any) -> None:
    sys.stdout.write(as_json(fact) + "\n")
    sys.stdout.flush()


def as_json(value: Any) -> str:
    """As `json.dumps` writes it; to import that takes longer than to ask a driver."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{"".join(map(_sign, value))}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_json(key)}: {as_json(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return repr(value)


def _sign(sign: str) -> str:
    if " " <= sign <= "~" and sign not in '"\\':
        return sign
    words = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{words[start : start + 4]}" for start in range(0, len(words), 4))


def main() -> None:
    nvml = loaded()
    if sys.argv[1:] == ["--watch"]:
        if nvml:
            watch(nvml)
        return
    if nvml:
        Reader(nvml).read()
    for name in sorted(os.listdir("/dev") if os.path.isdir("/dev") else []):
        if name in NODES or (name.startswith("nvidia") and name[len("nvidia") :].isdecimal()):
            open_node(f"/dev/{name}")


def loaded() -> Nvml | None:
    """The library, if need be from a place that the loader does not know."""
    say(call=f"dlopen {LIBRARY}")
    for path in nvml_calls.libraries():
        try:
            return Nvml(CDLL(path))
        except OSError as error:
            # A library that is there and broken is another matter than none.
            if "No such file or directory" not in str(error) and not isinstance(error, FileNotFoundError):
                say(key="load_error", text=str(error))
    say(key="init", gpu=None, part=None, code=LIBRARY_NOT_FOUND, text=f"{LIBRARY} was not found")
    return None


def watch(nvml: Nvml) -> None:
    """Look again and again, until nobody reads any more."""
    looker = Looker(nvml)
    if not looker.begin():
        return
    start = time.monotonic()
    try:
        while True:
            before = time.process_time()
            looker.look()
            cost = time.process_time() - before
            period = QUICK_S if time.monotonic() - start < QUICK_FOR_S else SLOW_S
            time.sleep(max(period, cost / SHARE))
    except BrokenPipeError:
        return


class Looker:
    """Asks NVML what changes while programs compute: who is there, how busy it is, what slows it down."""

    def __init__(self, nvml: Nvml) -> None:
        self.reader = Reader(nvml)
        self.nvml = nvml
        self.handles: dict[int, c_void_p] = {}

    def begin(self) -> bool:
        if not self.reader.ask("init", self.reader.start):
            return False
        for index in range(self.reader.count()):
            if handle := self.reader.handle(index):
                self.handles[index] = handle
                for key, call in self.reader.identity(handle).items():
                    self.reader.ask(key, call, index)
        return True

    def look(self) -> None:
        say(look=time.monotonic(), gpus=[self.gpu(index, handle) for index, handle in self.handles.items()])

    def gpu(self, index: int, handle: c_void_p) -> dict[str, Any]:
        n = self.nvml
        return {
            "index": index,
            "processes": self.quiet(lambda: self.processes(handle)),
            "utilization": self.quiet(lambda: self.reader.utilization(handle)),
            "memory_used": self.quiet(lambda: self.reader.memory(handle)[1]),
            "throttle": self.quiet(lambda: self.reader.throttle(handle)),
            "clock": self.quiet(lambda: n.number("nvmlDeviceGetClockInfo", handle, nvml_calls.CLOCK_SM)),
            "clock_max": self.quiet(lambda: n.number("nvmlDeviceGetMaxClockInfo", handle, nvml_calls.CLOCK_SM)),
        }

    def processes(self, handle: c_void_p) -> list[list[int | None]]:
        """Those that compute; the clients of an MPS server are listed by a call of their own."""
        found = self.nvml.processes("nvmlDeviceGetComputeRunningProcesses", handle)
        clients = self.quiet(lambda: self.nvml.processes("nvmlDeviceGetMPSComputeRunningProcesses", handle))
        return found + [one for one in clients or () if one not in found]

    def quiet(self, call: Callable[[], Any]) -> Any:
        """What a driver or a card does not tell, it does not tell in any look."""
        try:
            return call()
        except Exception:
            return None


class Reader:
    """Asks NVML everything that a snapshot holds."""

    def __init__(self, nvml: Nvml) -> None:
        self.nvml = nvml

    def read(self) -> None:
        n = self.nvml
        if not self.ask("init", self.start):
            # Without a session the library still tells its own version: the other half of a mismatch.
            self.ask("nvml", lambda: n.text("nvmlSystemGetNVMLVersion"))
            self.library_path()
            return
        self.library_path()
        self.ask("driver", lambda: n.text("nvmlSystemGetDriverVersion"))
        self.ask("nvml", lambda: n.text("nvmlSystemGetNVMLVersion"))
        if self.ask("cuda", lambda: n.number("nvmlSystemGetCudaDriverVersion_v2")) is None:
            self.ask("cuda", lambda: n.number("nvmlSystemGetCudaDriverVersion"))
        for index in range(self.count()):
            self.gpu(index)

    def start(self) -> bool:
        self.nvml.call("nvmlInitWithFlags", c_uint(0))
        return True

    def count(self) -> int:
        return self.ask("count", lambda: self.nvml.number("nvmlDeviceGetCount_v2")) or 0

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
        except NvmlError as error:
            say(**where, code=error.code, text=self.nvml.words(error.code))
            return None
        except Exception as error:  # a text that is none: a fact like any other
            say(**where, code=None, text=f"{type(error).__name__}: {error}")
            return None
        say(**where, value=value)
        return value

    def handle(self, index: int) -> c_void_p | None:
        """Not through `ask`: a handle cannot be written as JSON."""
        say(call="handle", gpu=index)
        try:
            return self.nvml.handle("nvmlDeviceGetHandleByIndex_v2", c_uint(index))
        except NvmlError as error:
            say(key="handle", gpu=index, part=None, code=error.code, text=self.nvml.words(error.code))
            return None

    def gpu(self, index: int) -> None:
        handle = self.handle(index)
        if handle is None:
            return
        calls = self.identity(handle) | self.state(handle) | self.links(handle)
        answers = {key: self.ask(key, call, index) for key, call in calls.items()}
        if answers["mig"]:
            self.mig_devices(index, handle)

    def identity(self, handle: c_void_p) -> dict[str, Callable[[], Any]]:
        return {
            "name": lambda: self.nvml.text("nvmlDeviceGetName", handle),
            "uuid": lambda: self.nvml.text("nvmlDeviceGetUUID", handle),
            "memory": lambda: self.memory(handle),
        }

    def state(self, handle: c_void_p) -> dict[str, Callable[[], Any]]:
        n = self.nvml

        def number(function: str, *arguments: Any, kind: Any = c_uint) -> Callable[[], Any]:
            return lambda: n.number(function, handle, *arguments, kind=kind)

        return {
            "pci": lambda: pci(n.filled(nvml_calls.PciInfo(), "nvmlDeviceGetPciInfo_v3", handle)),
            "compute_capability": lambda: n.numbers(2, "nvmlDeviceGetCudaComputeCapability", handle),
            "mig": lambda: n.numbers(2, "nvmlDeviceGetMigMode", handle)[0],
            "compute_mode": number("nvmlDeviceGetComputeMode"),
            "cores": number("nvmlDeviceGetNumGpuCores"),
            "temperature": number("nvmlDeviceGetTemperature", nvml_calls.TEMPERATURE_GPU),
            "utilization": lambda: self.utilization(handle),
            "power": number("nvmlDeviceGetPowerUsage"),
            "power_limit": number("nvmlDeviceGetEnforcedPowerLimit"),
            "power_limit_default": number("nvmlDeviceGetPowerManagementDefaultLimit"),
            "fabric": lambda: n.fabric(handle),
            "persistence": number("nvmlDeviceGetPersistenceMode"),
            "virtualization": number("nvmlDeviceGetVirtualizationMode", kind=c_ulonglong),
            "clock_sm": number("nvmlDeviceGetClockInfo", nvml_calls.CLOCK_SM),
            "clock_sm_max": number("nvmlDeviceGetMaxClockInfo", nvml_calls.CLOCK_SM),
            "clock_memory": number("nvmlDeviceGetClockInfo", nvml_calls.CLOCK_MEMORY),
            "clock_memory_max": number("nvmlDeviceGetMaxClockInfo", nvml_calls.CLOCK_MEMORY),
            "throttle": lambda: self.throttle(handle),
        }

    def links(self, handle: c_void_p) -> dict[str, Callable[[], Any]]:
        n = self.nvml
        ecc = (nvml_calls.UNCORRECTED, nvml_calls.SINCE_BOOT)
        return {
            "pcie_generation": lambda: n.number("nvmlDeviceGetCurrPcieLinkGeneration", handle),
            "pcie_generation_max": lambda: n.number("nvmlDeviceGetMaxPcieLinkGeneration", handle),
            "pcie_width": lambda: n.number("nvmlDeviceGetCurrPcieLinkWidth", handle),
            "pcie_width_max": lambda: n.number("nvmlDeviceGetMaxPcieLinkWidth", handle),
            "ecc": lambda: n.numbers(2, "nvmlDeviceGetEccMode", handle)[0],
            "ecc_uncorrected": lambda: n.number("nvmlDeviceGetTotalEccErrors", handle, *ecc, kind=c_ulonglong),
            "remapped": lambda: n.numbers(4, "nvmlDeviceGetRemappedRows", handle),
            "compute_processes": lambda: n.processes("nvmlDeviceGetComputeRunningProcesses", handle),
            "graphics_processes": lambda: n.processes("nvmlDeviceGetGraphicsRunningProcesses", handle),
        }

    def throttle(self, handle: c_void_p) -> int:
        """The newer name of the call first; a driver before 535 knows the older one only."""
        try:
            return self.nvml.number("nvmlDeviceGetCurrentClocksEventReasons", handle, kind=c_ulonglong)
        except NvmlError as error:
            if error.code != FUNCTION_NOT_FOUND:
                raise
            return self.nvml.number("nvmlDeviceGetCurrentClocksThrottleReasons", handle, kind=c_ulonglong)

    def utilization(self, handle: c_void_p) -> int:
        return int(self.nvml.filled(nvml_calls.Utilization(), "nvmlDeviceGetUtilizationRates", handle).gpu)

    def memory(self, handle: c_void_p) -> list[int]:
        info = self.nvml.filled(nvml_calls.Memory(), "nvmlDeviceGetMemoryInfo", handle)
        return [info.total, info.used]

    def mig_devices(self, index: int, handle: c_void_p) -> None:
        n = self.nvml
        count = self.ask("mig_devices", lambda: n.number("nvmlDeviceGetMaxMigDeviceCount", handle), index) or 0
        for part in range(count):
            try:
                device = n.handle("nvmlDeviceGetMigDeviceHandleByIndex", handle, c_uint(part))
            except NvmlError as error:
                if error.code != NOT_FOUND:  # an empty place among the possible ones
                    say(key="mig_devices", gpu=index, part=None, code=error.code, text=n.words(error.code))
                continue
            for key, call in self.mig_device(device).items():
                self.ask(key, call, index, part)

    def mig_device(self, device: c_void_p) -> dict[str, Callable[[], Any]]:
        return {
            **{f"mig_{key}": call for key, call in self.identity(device).items()},
            "mig_gpu_instance": lambda: self.nvml.number("nvmlDeviceGetGpuInstanceId", device),
            "mig_compute_instance": lambda: self.nvml.number("nvmlDeviceGetComputeInstanceId", device),
        }


def pci(info: Any) -> dict[str, Any]:
    return {"bus": info.busId.decode(), "device": info.pciDeviceId, "subsystem": info.pciSubSystemId}


def open_node(path: str) -> None:
    """Whether this user can open a device file: its mode alone does not tell, a control group may forbid it."""
    say(call="open " + path)
    try:
        os.close(os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)))
    except OSError as error:
        say(key="node", path=path, error=os.strerror(error.errno) if error.errno else str(error))
    else:
        say(key="node", path=path, error=None)
