"""NVSwitch systems: CUDA does not start before the Fabric Manager has set up the fabric (error 802)."""

from collections.abc import Iterator

from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.machine import Gpu, Machine
from cudafit.model.versions import numbers

_SERVICE = "nvidia-fabricmanager.service"
_WAITING = ("not_started", "in_progress")
_PACKAGED = ("ubuntu", "debian")


def waiting(machine: Machine) -> list[Gpu]:
    """The cards that have a fabric and have not joined it, by NVML: it knows best.

    A card without a fabric (any PCIe card, a single GPU whose NVLinks are off) says `not_supported`; slices of a card
    use no NVLink.
    """
    return [
        gpu
        for gpu in machine.gpus
        if gpu.fabric
        and not gpu.mig
        and (gpu.fabric.state in _WAITING or (gpu.fabric.state == "completed" and gpu.fabric.status not in (None, 0)))
    ]


def not_ready(world: World) -> Iterator[Finding]:
    machine = world.machine
    late = waiting(machine)
    if world.worked or (not late and not _without_manager(machine)):
        return
    evidence = [Evidence(_told(gpu), "nvml") for gpu in late[:2]]
    evidence += _manager_facts(machine)
    title = "the GPU has not joined its NVLink fabric" if late else "the Fabric Manager does not run"
    yield kinds.gpu.fabric_not_ready.found(
        f"{title}: CUDA does not start (error 802)",
        tuple(evidence),
        _fix(machine),
    )


def _told(gpu: Gpu) -> str:
    fabric = gpu.fabric
    state = fabric.state.replace("_", " ") if fabric else "not known"
    return f"GPU {gpu.index}: fabric state {state}" + (f", status {fabric.status}" if fabric and fabric.status else "")


def _without_manager(machine: Machine) -> bool:
    """For cards before Hopper, whose fabric NVML does not tell: their NVSwitches need the manager all the same.

    Not in a container: the host's processes cannot be seen from there. A program that computes on a GPU has started
    CUDA; and NVreg_NvLinkDisable=1 turns the fabric off, and with it the need for the manager.
    """
    manager = machine.fabric_manager
    if not machine.nvswitches or manager is None or machine.os.container or machine.driver is None:
        return False
    if not machine.gpus or any(gpu.fabric and gpu.fabric.state == "completed" for gpu in machine.gpus):
        return False
    if any(one.kind == "compute" for gpu in machine.gpus for one in gpu.processes or ()):
        return False
    if all(gpu.mig for gpu in machine.gpus) or (machine.module_options or {}).get("NvLinkDisable") == "1":
        return False
    return manager.running is False or (manager.running is None and _other_version(machine))


def _other_version(machine: Machine) -> bool:
    """Fabric Manager User Guide, "Other NVIDIA Software Packages": both must be of exactly one version."""
    manager, driver = machine.fabric_manager, machine.driver
    return bool(manager and manager.version and driver and driver.version and manager.version != driver.version)


def _manager_facts(machine: Machine) -> Iterator[Evidence]:
    if machine.nvswitches:
        first = machine.nvswitches[0]
        count = len(machine.nvswitches)
        yield Evidence(f"{count} NVSwitch{'es' if count > 1 else ''}, the first at {first.address}", "/sys/bus/pci")
    manager = machine.fabric_manager
    if manager is None or machine.os.container:
        return
    if manager.running is False:
        yield Evidence("no process is called nv-fabricmanager", "/proc/*/comm")
    if _other_version(machine):
        driver = machine.driver.version if machine.driver else ""
        yield Evidence(
            f"Fabric Manager {manager.version} is installed, the driver is {driver}", manager.via or "package list"
        )
    if machine.services is not None and _SERVICE not in machine.services:
        yield Evidence(f"{_SERVICE} is not enabled", "/etc/systemd/system")


def _fix(machine: Machine) -> Fix:
    if machine.os.container or not machine.nvswitches:
        return Fix("nothing in here helps: tell the host's operator or provider, or take another machine")
    version = machine.driver.version if machine.driver else None
    start = ("systemctl", "enable", "--now", "nvidia-fabricmanager")
    distro = (machine.os.distro or "").partition(" ")[0]
    manager = machine.fabric_manager
    if version and distro in _PACKAGED and manager and (manager.version is None or _other_version(machine)):
        install = ("apt", "install", f"nvidia-fabricmanager-{numbers(version)[0]}={version}*")
        return Fix(f"install the Fabric Manager of version {version}, and start it", (install, start), root=True)
    if _other_version(machine):
        return Fix(f"install the Fabric Manager of version {version}, and start it", (start,), root=True)
    return Fix("start the Fabric Manager; its log is /var/log/fabricmanager.log", (start,), root=True)
