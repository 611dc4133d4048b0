"""What every picture of a machine begins with, also a brief one: the system, the driver's module, the cards."""

from cudafit.machine.device_nodes import read_device_nodes
from cudafit.machine.host import read_os
from cudafit.machine.kernel_driver import KernelDriver, ProcGpu, read_kernel_driver, read_proc_gpus
from cudafit.machine.pci import read_pci
from cudafit.machine.probe import EVERY, LINUX, Probe
from cudafit.machine.pythons import read_pythons
from cudafit.model.machine import DeviceNode, Interpreter, OperatingSystem, PciDevice

NODES = Probe[tuple[DeviceNode, ...]]("device-nodes", LINUX, lambda context, _: read_device_nodes(context))
SYSTEM = Probe[OperatingSystem]("host", EVERY, lambda context, _: read_os(context))
KERNEL = Probe[KernelDriver]("kernel-driver", LINUX, lambda context, _: read_kernel_driver(context))
PROC_GPUS = Probe[list[ProcGpu]]("proc-gpus", LINUX, lambda context, _: read_proc_gpus(context), told=False)
PCI = Probe[tuple[PciDevice, ...]]("pci", LINUX, lambda context, _: read_pci(context))
PYTHONS = Probe[tuple[Interpreter, ...]]("pythons", EVERY, lambda context, _: read_pythons(context))

FIRST = (NODES, SYSTEM, KERNEL, PROC_GPUS, PCI)
