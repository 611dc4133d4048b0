"""NVML over ctypes: the few calls that cudafit makes.

pynvml knows all of NVML, and takes longer to import than everything else that asking a driver needs. It stays what this
is held against: the tests ask both, over one library, and compare the structures. Nothing but ctypes is imported here.
"""

from __future__ import annotations

import os
import sys
from ctypes import CDLL, Structure, byref, c_char, c_char_p, c_int, c_uint, c_ulonglong, c_void_p, create_string_buffer

TYPE_CHECKING = False  # `typing` alone costs as much as ctypes
if TYPE_CHECKING:
    from typing import Any

LIBRARY = "libnvidia-ml.so.1"
# Where a driver's libraries lie that the loader may not know of: WSL, NixOS, container runtimes, Colab.
LIBRARY_FOLDERS = ("/usr/lib/wsl/lib", "/run/opengl-driver/lib", "/usr/local/nvidia/lib64", "/usr/lib64-nvidia")

# nvml.h, enum nvmlReturn_enum.
NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13

# nvml.h, enums nvmlTemperatureSensors_enum, nvmlClockType_enum, nvmlMemoryErrorType_enum, nvmlEccCounterType_enum.
TEMPERATURE_GPU = 0
CLOCK_SM, CLOCK_MEMORY = 1, 2
UNCORRECTED, SINCE_BOOT = 1, 0

# As nvml.h makes the number of a structure's version: its size, and 2 in the upper byte.
FABRIC_VERSION = 36 | 2 << 24

_TEXT_SIZE = 96  # of a name and of a UUID since NVML 11; the versions take less
_NOT_TOLD = (1 << 64) - 1


class Memory(Structure):
    _fields_ = [("total", c_ulonglong), ("free", c_ulonglong), ("used", c_ulonglong)]


class Utilization(Structure):
    _fields_ = [("gpu", c_uint), ("memory", c_uint)]


class PciInfo(Structure):
    _fields_ = [
        ("busIdLegacy", c_char * 16),
        ("domain", c_uint),
        ("bus", c_uint),
        ("device", c_uint),
        ("pciDeviceId", c_uint),
        ("pciSubSystemId", c_uint),
        ("busId", c_char * 32),
    ]


class FabricInfo(Structure):
    _fields_ = [("clusterUuid", c_char * 16), ("status", c_uint), ("cliqueId", c_uint), ("state", c_uint)]


class VersionedFabricInfo(Structure):
    _fields_ = [("version", c_uint), *FabricInfo._fields_, ("healthMask", c_uint)]


class Process(Structure):
    _fields_ = [
        ("pid", c_uint),
        ("usedGpuMemory", c_ulonglong),
        ("gpuInstanceId", c_uint),
        ("computeInstanceId", c_uint),
    ]


class OldProcess(Structure):
    _fields_ = [("pid", c_uint), ("usedGpuMemory", c_ulonglong)]


# How lists of processes are asked for, newest first: drivers from 510 on, from 460 on, and before.
_PROCESS_CALLS: tuple[tuple[str, type[Process] | type[OldProcess]], ...] = (
    ("_v3", Process),
    ("_v2", Process),
    ("", OldProcess),
)
_ROUNDS = 5  # a list that grows while it is read


class NvmlError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"NVML error {code}")
        self.code = code


def libraries() -> list[str]:
    """Where the library may lie, in the order in which it is tried."""
    if sys.platform == "win32":
        system = os.path.join(os.environ.get("WINDIR", "C:/Windows"), "System32")
        before = os.path.join(os.environ.get("PROGRAMFILES", "C:/Program Files"), "NVIDIA Corporation", "NVSMI")
        return [os.path.join(folder, "nvml.dll") for folder in (system, before)]
    else:  # noqa: RET505 - mypy reads each system's part alone
        return [LIBRARY, *(os.path.join(folder, LIBRARY) for folder in LIBRARY_FOLDERS)]


class Nvml:
    """One loaded library. Each call raises NvmlError with NVML's code where that is not success."""

    def __init__(self, library: CDLL) -> None:
        self._library = library

    def call(self, function: str, *arguments: Any) -> None:
        try:
            entry = getattr(self._library, function)
        except AttributeError:
            raise NvmlError(FUNCTION_NOT_FOUND) from None
        if code := entry(*arguments):
            raise NvmlError(code)

    def numbers(self, count: int, function: str, *arguments: Any, kind: Any = c_uint) -> list[int]:
        answers = [kind() for _ in range(count)]
        self.call(function, *arguments, *map(byref, answers))
        return [answer.value for answer in answers]

    def number(self, function: str, *arguments: Any, kind: Any = c_uint) -> int:
        return self.numbers(1, function, *arguments, kind=kind)[0]

    def text(self, function: str, *arguments: Any) -> str:
        answer = create_string_buffer(_TEXT_SIZE)
        self.call(function, *arguments, answer, c_uint(_TEXT_SIZE))
        return answer.value.decode()

    def filled(self, structure: Any, function: str, *arguments: Any) -> Any:
        self.call(function, *arguments, byref(structure))
        return structure

    def handle(self, function: str, *arguments: Any) -> c_void_p:
        return self.filled(c_void_p(), function, *arguments)  # type: ignore[no-any-return]

    def processes(self, function: str, handle: c_void_p) -> list[list[int | None]]:
        """Each process with the bytes that it holds, None where the driver does not tell."""
        for suffix, kind in _PROCESS_CALLS:
            try:
                return self._listed(function + suffix, kind, handle)
            except NvmlError as error:
                if error.code != FUNCTION_NOT_FOUND:
                    raise
        raise NvmlError(FUNCTION_NOT_FOUND)

    def _listed(self, function: str, kind: Any, handle: c_void_p) -> list[list[int | None]]:
        count = c_uint(0)
        listed: Any = None
        for _ in range(_ROUNDS):
            try:
                self.call(function, handle, byref(count), listed)
            except NvmlError as error:
                if error.code != INSUFFICIENT_SIZE:
                    raise
                count.value = count.value * 2 + 5  # more may begin meanwhile
                listed = (kind * count.value)()
                continue
            found = listed[: count.value] if listed else ()
            return [[one.pid, None if one.usedGpuMemory == _NOT_TOLD else one.usedGpuMemory] for one in found]
        raise NvmlError(INSUFFICIENT_SIZE)

    def fabric(self, handle: c_void_p) -> list[int]:
        """State and status; the call with a version in its answer is that of drivers from 535 on."""
        info: VersionedFabricInfo | FabricInfo = VersionedFabricInfo(version=FABRIC_VERSION)
        try:
            self.filled(info, "nvmlDeviceGetGpuFabricInfoV", handle)
        except NvmlError as error:
            if error.code != FUNCTION_NOT_FOUND:
                raise
            info = self.filled(FabricInfo(), "nvmlDeviceGetGpuFabricInfo", handle)
        return [info.state & 0xFF, info.status]  # the driver writes one byte of a state

    def words(self, code: int) -> str:
        """The driver's own words, which people search for."""
        try:
            told = self._library.nvmlErrorString
        except AttributeError:
            return f"NVML error {code}"
        told.restype = c_char_p
        return str((told(c_int(code)) or b"").decode(errors="replace"))
