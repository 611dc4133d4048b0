"""The module nvidia_uvm: nvidia-smi does not need it, CUDA does."""

import re
from collections.abc import Iterator

from cudafit.doctor.checks.fabric import waiting
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.machine import Machine

_WOKE = r"PM: .*(suspend|hibernation) exit"
_LOADED = r"nvidia-uvm: Loaded the UVM driver"
_SLEEP_SERVICES = ("nvidia-suspend.service", "nvidia-resume.service")
_RELOAD = (("rmmod", "nvidia_uvm"), ("modprobe", "nvidia_uvm"))


def stale(world: World) -> Iterator[Finding]:
    """After a suspend the module may have lost what the GPU's memory held: cuInit then says 999, NVML works."""
    machine = world.machine
    if machine.driver is None or machine.undetermined or machine.os.wsl or world.worked:
        return
    woke = _slept_since_loaded(machine)
    unsaved = _not_saved(machine)
    # Many a GPU wakes up sound all the same: only a framework that was run can tell (`--deep`).
    refused = _refused(world, _STALE)
    # Most users may not read whether the machine slept: there it is likely where the rest speaks for it.
    likely = machine.kernel_log is None and bool(refused)
    if not (woke or likely) or not unsaved or not any(gpu.compute_capability for gpu in machine.gpus):
        return
    where = "on the host: " if machine.os.container else ""
    slept = (Evidence(woke, "kernel log"),) if woke else (Evidence("whether it slept could not be read", "kernel log"),)
    yield kinds.driver.uvm_stale.found(
        "the machine slept, and its GPU's memory was not saved: CUDA "
        + ("does not start (error 999)" if refused else "may not start (error 999)")
        if woke
        else "CUDA does not start (error 999), as after a sleep in which the GPU's memory is not saved",
        (*slept, *unsaved, *refused),
        Fix(
            f"{where}load the module again; for good: the module option NVreg_PreserveVideoMemoryAllocations=1, and"
            " nvidia-suspend.service and nvidia-resume.service enabled",
            (*_RELOAD, ("systemctl", "enable", *_SLEEP_SERVICES)),
            root=True,
        ),
        severity=ERROR if refused and woke else WARNING,
    )


def _slept_since_loaded(machine: Machine) -> str | None:
    """The line of the last waking, where the module was not loaded after it."""
    for line in reversed(machine.kernel_log or ()):
        if re.search(_LOADED, line):
            return None
        if re.search(_WOKE, line):
            return line.strip()
    return None


def _not_saved(machine: Machine) -> tuple[Evidence, ...]:
    """Driver README, "Configuring Power Management Support": who saves the GPU's memory."""
    options = machine.module_options or {}
    if options.get("UseKernelSuspendNotifiers") == "1" or options.get("EnableS0ixPowerManagement") == "1":
        return ()  # the kernel calls the driver itself, or the memory stays powered: no service is needed
    missing = [name for name in _SLEEP_SERVICES if machine.services is not None and name not in machine.services]
    not_enabled = Evidence(f"not enabled: {', '.join(missing)}", "/etc/systemd/system")
    services = (not_enabled,) if missing and not machine.os.container else ()
    match options.get("PreserveVideoMemoryAllocations"):
        case "0":
            return (Evidence("PreserveVideoMemoryAllocations: 0", "/proc/driver/nvidia/params"), *services)
        case "1":
            return services
        case _:
            return ()  # not known


# What CUDA says where the module has lost its state: pytorch/pytorch issue 88639, ultralytics/ultralytics issue 7716.
_STALE = r"CUDA unknown error|CUDA_ERROR_UNKNOWN|unspecified launch failure"


def _refused(world: World, words: str) -> list[Evidence]:
    """What a framework that was run said, where it says these words."""
    environment = world.environment
    ran = (environment.ran if environment else None) or ()
    said = [line for one in ran if one.error or not one.worked for line in one.said]
    via = (environment.interpreter if environment else None) or "python"
    return [Evidence(line, via) for line in said if re.search(words, line)][:1]


# CUDA Toolkit release notes 12.9 to 13.2, "Known Issues", "General CUDA": "CUDA initialization can fail on certain
# Linux kernels with KASLR enabled", told by this line, https://docs.nvidia.com/cuda/archive/13.2.1/cuda-features-archive/
# They name no kernel and no driver, and reports range over 570 to 580 and kernels 5.14 to 6.13
# (NVIDIA/open-gpu-kernel-modules issues 797, 901, 947). So it is said only where the machine shows it.
_HMM_FAILED = r"nvidia-uvm: .*request_free_mem_region\(\) err"
_NOT_STARTED = (
    r"system not yet initialized|initialization error|CUDA_ERROR_NOT_INITIALIZED|CUDA driver initialization failed"
)


def hmm_bug(world: World) -> Iterator[Finding]:
    """Not with NVSwitches: there the same error comes from the Fabric Manager."""
    machine = world.machine
    hmm_off = (machine.module_options or {}).get("uvm_disable_hmm")
    if machine.driver is None or hmm_off in ("Y", "1") or machine.nvswitches or waiting(machine) or world.worked:
        return
    evidence = [Evidence(line, "kernel log") for line in world.logged(_HMM_FAILED)[-1:]]
    refused = _refused(world, _NOT_STARTED)
    # The error alone has other reasons too; with HMM on, and neither NVSwitch nor fabric where both were looked for, it
    # is likely.
    if evidence or (hmm_off in ("N", "0") and machine.nvswitches is not None and _without_fabric(machine)):
        evidence += refused
    if not evidence:
        return
    if hmm_off is not None:
        evidence.append(Evidence(f"uvm_disable_hmm is {hmm_off}", "/sys/module/nvidia_uvm/parameters"))
    yield kinds.driver.uvm_hmm_bug.found(
        "CUDA does not start with this kernel: a known fault of HMM with KASLR",
        tuple(evidence),
        Fix(
            "write `options nvidia_uvm uvm_disable_hmm=1` into /etc/modprobe.d/uvm.conf, then load the module again;"
            " or start the kernel with `nokaslr`",
            _RELOAD,
            root=True,
        ),
        severity=ERROR if refused else WARNING,
    )


def _without_fabric(machine: Machine) -> bool:
    """A card that does not tell may be one of an NVSwitch system that was given to a virtual machine."""
    return all(gpu.fabric is not None for gpu in machine.gpus)
