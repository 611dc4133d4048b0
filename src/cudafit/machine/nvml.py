"""What the lines of `nvml_child` mean: NVML's words and numbers as a reading of GPUs and driver."""

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from cudafit.machine.question import Answer
from cudafit.model.frozen import frozen
from cudafit.model.machine import (
    Clocks,
    Ecc,
    Fabric,
    Gpu,
    GpuProcess,
    MigDevice,
    PcieLink,
    RemappedRows,
)
from cudafit.model.versions import cuda_from_number, dotted_version

PROBE = "nvml"

# NVML return codes that mean something of their own here (nvml.h, enum nvmlReturn_enum).
NOT_SUPPORTED = 3
DRIVER_NOT_LOADED = 9
LIBRARY_NOT_FOUND = 12

# nvml.h, enum nvmlComputeMode_enum.
_COMPUTE_MODES = {0: "default", 1: "exclusive_thread", 2: "prohibited", 3: "exclusive_process"}

# nvml.h, enum nvmlGpuVirtualizationMode.
_VIRTUALIZATION = {0: "none", 1: "passthrough", 2: "vgpu", 3: "host_vgpu", 4: "host_vsga"}

# nvml.h, NVML_GPU_FABRIC_STATE_*.
NO_FABRIC = "not_supported"
_FABRIC_STATES = {0: NO_FABRIC, 1: "not_started", 2: "in_progress", 3: "completed"}

# nvml.h, nvmlClocksEventReason*.
_THROTTLE_REASONS = {
    0x1: "gpu_idle",
    0x2: "applications_clocks_setting",
    0x4: "sw_power_cap",
    0x8: "hw_slowdown",
    0x10: "sync_boost",
    0x20: "sw_thermal_slowdown",
    0x40: "hw_thermal_slowdown",
    0x80: "hw_power_brake_slowdown",
    0x100: "display_clock_setting",
}

_MIB = 1 << 20


# What reading a line raises that has a fact's name and not its form.
_NO_SENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


@frozen
class Reading:
    """What NVML said. `error` is None when a session could be opened and nothing broke it off."""

    error: str | None = None
    code: int | None = None  # NVML's own code of a failed init
    broken: bool = False  # it hung or crashed: what is here is what came before
    driver: str | None = None
    cuda: str | None = None
    library: str | None = None
    library_via: str | None = None
    gpus: tuple[Gpu, ...] = ()
    nodes: Mapping[str, str | None] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def absent(self) -> bool:
        """There is no such library here, which on a machine without an NVIDIA driver is as it should be."""
        return self.code == LIBRARY_NOT_FOUND

    @property
    def opened(self) -> bool:
        return self.driver is not None or bool(self.gpus)


def interpret(answer: Answer) -> Reading:
    """The reading that the child's lines describe."""
    broken = answer.broken
    last_call = "start"
    facts: list[dict[str, Any]] = []
    noise: list[str] = []
    for line in answer.lines:
        fact = parsed(line)
        if fact is None:
            noise.append(line.strip())
        elif "call" in fact:
            last_call = fact["call"] if fact.get("gpu") is None else f"{fact['call']} of GPU {fact['gpu']}"
        else:
            facts.append(fact)
    problems = []
    if broken is not None:
        problems.append(f"{last_call}: {broken}" + (f" ({noise[-1][:120]})" if noise else ""))
    try:
        return _reading(facts, problems, broken=broken is not None)
    except _NO_SENSE as error:  # a library that prints what looks like one of our lines
        return Reading(error=f"its answer makes no sense: {type(error).__name__}: {error}"[:200], broken=True)


def parsed(line: str) -> dict[str, Any] | None:
    """A line that the child means; None for what a library printed."""
    try:
        fact = json.loads(line)
    except (ValueError, RecursionError):
        return None
    known = ("call", "key", "look")
    return fact if isinstance(fact, dict) and not fact.keys().isdisjoint(known) else None


def _reading(facts: list[dict[str, Any]], problems: list[str], *, broken: bool) -> Reading:
    system = {fact["key"]: fact for fact in facts if fact.get("gpu") is None and fact["key"] != "node"}
    nodes = {fact["path"]: fact["error"] for fact in facts if fact["key"] == "node"}
    init = system.get("init")
    error, code = None, None
    if init is None or "code" in init:
        code = init["code"] if init else None
        error = _said(init) if init else (problems[0] if problems else "gave no answer")
    if "load_error" in system:
        error, code = system["load_error"]["text"], None
    for key in ("driver", "count"):
        if "code" in (fact := system.get(key, {})):
            problems.append(f"{key}: {_said(fact)}")
    cuda = next((f for f in facts if f["key"] == "cuda" and "value" in f), None)
    if cuda is None and "cuda" in system:
        problems.append(f"CUDA driver version: {_said(system['cuda'])}")
    driver = dotted_version(system.get("driver", {}).get("value"))
    if driver is None and "value" in system.get("driver", {}):
        problems.append(f"driver version reads {system['driver']['value']!r}")
    library, library_via = _library(system)
    gpus = _gpus(facts)
    problems += [f"GPU {gpu.index}: {gpu.unread['handle']}" for gpu in gpus if "handle" in gpu.unread]
    for gpu in gpus:
        for key in ("name", "uuid", "compute_capability", "memory_mib"):
            # A GPU that shares the host's memory (GB10, Jetson) has none of its own to tell: no problem, just unread.
            if key in gpu.unread and (key != "memory_mib" or f"({NOT_SUPPORTED})" not in gpu.unread[key]):
                problems.append(f"GPU {gpu.index}: {key}: {gpu.unread[key]}")
    return Reading(
        error=error,
        code=code,
        broken=broken,
        driver=driver,
        cuda=cuda_from_number(cuda["value"]) if cuda else None,
        library=library,
        library_via=library_via,
        gpus=gpus,
        nodes=nodes,
        problems=tuple(problems),
    )


def _said(fact: Mapping[str, Any]) -> str:
    """NVML's own words, with its code: `Driver/library version mismatch (18)`."""
    return str(fact["text"]) if fact["code"] is None else f"{fact['text']} ({fact['code']})"


def _library(system: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The user-space library's version: its file name says it in full; its own answer puts CUDA's major before it."""
    path = system.get("library_path", {}).get("value")
    if path and (match := re.search(r"\.so\.(\d+\.\d+(?:\.\d+)*)$", path)):
        return match.group(1), path
    answer = system.get("nvml", {}).get("value")
    if isinstance(answer, str) and (match := re.fullmatch(r"\d{1,2}\.(\d{3,}\.\d+(?:\.\d+)*)", answer)):
        return match.group(1), "nvml"
    return None, None


def _gpus(facts: list[dict[str, Any]]) -> tuple[Gpu, ...]:
    by_gpu: dict[int, list[dict[str, Any]]] = {}
    for fact in facts:
        if fact.get("gpu") is not None:
            by_gpu.setdefault(fact["gpu"], []).append(fact)
    return tuple(_gpu(index, own) for index, own in sorted(by_gpu.items()))


# The field of a Gpu that a call fills, where the two are not called the same.
_FIELDS = {
    "memory": "memory_mib",
    "pci": "pci_address",
    "temperature": "temperature_c",
    "utilization": "utilization_percent",
    "power": "power_w",
    "power_limit": "power_limit_w",
    "power_limit_default": "power_limit_default_w",
    "throttle": "throttle_reasons",
    "clock_sm": "clocks.sm",
    "clock_sm_max": "clocks.sm_max",
    "clock_memory": "clocks.memory",
    "clock_memory_max": "clocks.memory_max",
    "pcie_generation": "pcie.generation",
    "pcie_generation_max": "pcie.generation_max",
    "pcie_width": "pcie.width",
    "pcie_width_max": "pcie.width_max",
    "ecc": "ecc.enabled",
    "ecc_uncorrected": "ecc.uncorrected",
    "remapped": "ecc.remapped",
}


def _gpu(index: int, facts: list[dict[str, Any]]) -> Gpu:
    got = {fact["key"]: fact["value"] for fact in facts if fact["part"] is None and "value" in fact}
    unread = {
        _FIELDS.get(fact["key"], fact["key"]): _said(fact) for fact in facts if fact["part"] is None and "code" in fact
    }
    not_supported = {fact["key"] for fact in facts if fact.get("code") == NOT_SUPPORTED}
    pci = got.get("pci", {})
    memory = got.get("memory")
    capability = got.get("compute_capability")
    mig = bool(got["mig"]) if "mig" in got else (False if "mig" in not_supported else None)
    if mig is False:
        unread.pop("mig", None)
    fabric = _fabric(got.get("fabric"), refused="fabric" in not_supported)
    if fabric is not None:
        unread.pop("fabric", None)
    return Gpu(
        index=index,
        name=got.get("name"),
        uuid=got.get("uuid"),
        compute_capability=f"{capability[0]}.{capability[1]}" if capability else None,
        memory_mib=memory[0] // _MIB if memory else None,
        mig=mig,
        compute_mode=_COMPUTE_MODES.get(got["compute_mode"], "unknown") if "compute_mode" in got else None,
        visible=True,
        via=PROBE,
        pci_address=pci_address(pci.get("bus")),
        pci_device_id=_pci_id(pci.get("device")),
        pci_subsystem_id=_pci_id(pci.get("subsystem")),
        memory_used_mib=memory[1] // _MIB if memory else None,
        cores=got.get("cores"),
        temperature_c=got.get("temperature"),
        utilization_percent=got.get("utilization"),
        power_w=got["power"] / 1000 if "power" in got else None,
        power_limit_w=got["power_limit"] / 1000 if "power_limit" in got else None,
        power_limit_default_w=got["power_limit_default"] / 1000 if "power_limit_default" in got else None,
        persistence=bool(got["persistence"]) if "persistence" in got else None,
        virtualization=_VIRTUALIZATION.get(got["virtualization"], "unknown") if "virtualization" in got else None,
        clocks=_clocks(got),
        throttle_reasons=throttle_reasons(got.get("throttle")),
        pcie=_pcie(got),
        ecc=_ecc(got),
        fabric=fabric,
        mig_devices=_mig_devices(facts),
        processes=_processes(got),
        unread=unread,
    )


def _clocks(got: Mapping[str, Any]) -> Clocks | None:
    keys = ("clock_sm", "clock_sm_max", "clock_memory", "clock_memory_max")
    return Clocks(*(got.get(key) for key in keys)) if any(key in got for key in keys) else None


def _pcie(got: Mapping[str, Any]) -> PcieLink | None:
    keys = ("pcie_generation", "pcie_generation_max", "pcie_width", "pcie_width_max")
    return PcieLink(*(got.get(key) for key in keys)) if any(key in got for key in keys) else None


def _ecc(got: Mapping[str, Any]) -> Ecc | None:
    if not any(key in got for key in ("ecc", "ecc_uncorrected", "remapped")):
        return None
    rows = got.get("remapped")
    return Ecc(
        bool(got["ecc"]) if "ecc" in got else None,
        got.get("ecc_uncorrected"),
        RemappedRows(rows[0], rows[1], bool(rows[2]), bool(rows[3])) if rows else None,
    )


def _fabric(told: list[int] | None, *, refused: bool) -> Fabric | None:
    """A card without a fabric says so in a state of its own, or refuses the question."""
    if told is None:
        return Fabric(NO_FABRIC) if refused else None
    state = _FABRIC_STATES.get(told[0], "unknown")
    # The status means something only when it is over (nvmlGpuFabricInfo_t).
    return Fabric(state, told[1] if state == "completed" else None)


def _processes(got: Mapping[str, Any]) -> tuple[GpuProcess, ...] | None:
    if "compute_processes" not in got and "graphics_processes" not in got:
        return None
    found = [(kind, entry) for kind in ("compute", "graphics") for entry in got.get(f"{kind}_processes", [])]
    return tuple(
        GpuProcess(pid, kind, memory_mib=None if used is None else used // _MIB) for kind, (pid, used) in found
    )


def _mig_devices(facts: list[dict[str, Any]]) -> tuple[MigDevice, ...]:
    parts: dict[int, dict[str, Any]] = {}
    for fact in facts:
        if fact["part"] is not None:
            parts.setdefault(fact["part"], {}).update({fact["key"]: fact["value"]} if "value" in fact else {})
    return tuple(
        MigDevice(
            uuid=got.get("mig_uuid"),
            name=got.get("mig_name"),
            memory_mib=got["mig_memory"][0] // _MIB if "mig_memory" in got else None,
            gpu_instance=got.get("mig_gpu_instance"),
            compute_instance=got.get("mig_compute_instance"),
        )
        for _, got in sorted(parts.items())
    )


def throttle_reasons(bits: int | None) -> tuple[str, ...] | None:
    if bits is None:
        return None
    named = [name for bit, name in _THROTTLE_REASONS.items() if bits & bit]
    unknown = bits & ~sum(_THROTTLE_REASONS)
    return (*named, *([f"unknown_0x{unknown:x}"] if unknown else []))


def pci_address(bus: str | None) -> str | None:
    """A PCI address as /sys spells it (`0000:01:00.0`); NVML and nvidia-smi write the domain with eight digits."""
    if not bus or not (match := re.fullmatch(r"([0-9a-fA-F]{4,8}):(\S+)", bus)):
        return None
    return f"{int(match.group(1), 16):04x}:{match.group(2).lower()}"


def _pci_id(combined: int | None) -> str | None:
    """`vendor:device` from NVML's number, which holds the device in its upper half and the vendor in its lower."""
    return None if not combined else f"{combined & 0xFFFF:04x}:{combined >> 16:04x}"
