"""What a brief picture of a machine leaves out: no build depends on it, and reading it takes time."""

from collections.abc import Mapping
from dataclasses import replace

from cudafit.machine import container
from cudafit.machine.compilers import read_compilers
from cudafit.machine.conda import read_conda
from cudafit.machine.context import Context
from cudafit.machine.device_nodes import makes_nodes
from cudafit.machine.fabric import read_fabric_manager
from cudafit.machine.first_probes import FIRST, PCI, SYSTEM
from cudafit.machine.kernel_log import read_kernel_log
from cudafit.machine.libraries import loader_knows_wsl, read_libraries
from cudafit.machine.limits import read_limits
from cudafit.machine.module_options import read_module_options
from cudafit.machine.modules import read_module_folders, releases
from cudafit.machine.pci import is_switch, with_errors
from cudafit.machine.probe import EVERY, LINUX, Probe, Readings
from cudafit.machine.services import read_services
from cudafit.machine.toolkits import read_toolkits
from cudafit.model.machine import (
    Compiler,
    CondaInstallation,
    FabricManager,
    Library,
    Limits,
    Machine,
    PciDevice,
    Toolkit,
)


def _fabric(context: Context, got: Readings) -> FabricManager | None:
    return read_fabric_manager(context) if any(is_switch(device.pci_class) for device in got[PCI] or ()) else None


def _loader(context: Context, got: Readings) -> bool | None:
    return loader_knows_wsl(context) if got.sure(SYSTEM).wsl else None


PCI_ERRORS = Probe[tuple[PciDevice, ...]](
    "pci-errors", LINUX, lambda context, got: with_errors(context, got[PCI] or ()), told=False
)
TOOLKITS = Probe[tuple[Toolkit, ...]]("toolkits", EVERY, lambda context, _: read_toolkits(context))
LIBRARIES = Probe[tuple[Library, ...]]("libraries", LINUX, lambda context, _: read_libraries(context))
CONDA = Probe[tuple[CondaInstallation, ...]]("conda", EVERY, lambda context, _: read_conda(context))
LIMITS = Probe[Limits]("limits", LINUX, lambda context, _: read_limits(context))
MODULES = Probe[tuple[str, ...]]("kernel-modules", LINUX, lambda context, _: read_module_folders(context), told=False)
KERNEL_LOG = Probe[tuple[str, ...]]("kernel-log", LINUX, lambda context, _: read_kernel_log(context), told=False)
FABRIC = Probe[FabricManager]("fabric-manager", LINUX, _fabric, told=False)
OPTIONS = Probe[Mapping[str, str]]("module-options", LINUX, lambda context, _: read_module_options(context), told=False)
SERVICES = Probe[tuple[str, ...]]("services", LINUX, lambda context, _: read_services(context), told=False)
COMPILERS = Probe[tuple[Compiler, ...]]("compilers", LINUX, lambda context, _: read_compilers(context), told=False)
LOADER_KNOWS_WSL = Probe[bool]("loader", LINUX, _loader, told=False)
MODPROBE = Probe[bool]("nvidia-modprobe", LINUX, lambda context, _: makes_nodes(context), told=False)

FULL = (
    PCI_ERRORS,
    TOOLKITS,
    LIBRARIES,
    CONDA,
    LIMITS,
    MODULES,
    KERNEL_LOG,
    FABRIC,
    OPTIONS,
    SERVICES,
    COMPILERS,
    LOADER_KNOWS_WSL,
    MODPROBE,
)

# The container is read with the system.
LINUX_ONLY = (*(probe.name for probe in (*FIRST, *FULL) if probe.told and probe.systems == LINUX), container.PROBE)


def completed(machine: Machine, got: Readings) -> Machine:
    folders = got[MODULES]
    return replace(
        machine,
        toolkits=got[TOOLKITS],
        libraries=got[LIBRARIES],
        conda=got[CONDA],
        limits=got[LIMITS],
        kernel_modules=None if folders is None else releases(folders),
        kernel_module_folders=folders,
        kernel_log=got[KERNEL_LOG],
        fabric_manager=got[FABRIC],
        module_options=got[OPTIONS],
        services=got[SERVICES],
        compilers=got[COMPILERS],
        loader_knows_wsl=got[LOADER_KNOWS_WSL],
        nvidia_modprobe=got[MODPROBE],
    )
