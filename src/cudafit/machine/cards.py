"""Joins what several sources say of the same cards and driver: NVML, nvidia-smi, the kernel's files, the bus."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cudafit.machine import kernel_driver, nvidia_smi, nvml, wsl
from cudafit.machine.context import Context
from cudafit.machine.kernel_driver import KernelDriver, ProcGpu
from cudafit.model.frozen import frozen
from cudafit.model.machine import Driver, Gpu, GpuProcess, Library, OperatingSystem, PciDevice, VisibleDevices

_LONGEST_PID = 10


@frozen
class Hardware:
    """Signs of an NVIDIA GPU that need no library."""

    system: OperatingSystem
    kernel: KernelDriver | None
    proc_gpus: Sequence[ProcGpu]
    pci: Sequence[PciDevice]
    has_nodes: bool

    @property
    def driver_is_there(self) -> bool:
        """Some kernel driver of NVIDIA's is at work, so that NVML ought to answer."""
        return self.kernel is not None or any(device.driver == "nvidia" for device in self.pci) or self.has_nodes


def driver_of(
    context: Context,
    kernel: KernelDriver | None,
    reading: nvml.Reading | None,
    asked: nvidia_smi.Answer | None,
    libraries: Sequence[Library],
) -> Driver | None:
    library, library_via = (reading.library, reading.library_via) if reading else (None, None)
    if library is None:
        library, library_via = _driver_library(libraries)
    version, via, cuda, cuda_via = None, None, None, None
    if reading and reading.driver:
        version, via = reading.driver, nvml.PROBE
    elif asked and asked.driver:
        version, via = asked.driver, nvidia_smi.PROBE
    elif kernel:
        version, via = kernel.version, kernel.via
    elif not context.live and library:
        # On a disk that is not running, the installed library is the driver there is.
        version, via = library, library_via
    elif not (reading and reading.opened):
        return None
    if reading and reading.cuda:
        cuda, cuda_via = reading.cuda, nvml.PROBE
    elif asked and asked.cuda:
        cuda, cuda_via = asked.cuda, nvidia_smi.PROBE
    return Driver(
        version,
        cuda,
        via,
        cuda_via,
        kernel.version if kernel else None,
        kernel.via if kernel else None,
        library,
        library_via,
        kernel.module if kernel else None,
    )


def _driver_library(libraries: Sequence[Library]) -> tuple[str | None, str | None]:
    """The driver's own library on the disk; a forward-compatibility or stub copy of libcuda is not the driver's."""
    for name in ("libnvidia-ml", "libcuda"):
        for library in libraries:
            if library.name == name and library.version and not _is_stand_in(library.place):
                return library.version, library.path
    return None, None


def _is_stand_in(path: str) -> bool:
    return "/compat/" in path or "/stubs/" in path


def gpus_of(
    context: Context, hardware: Hardware, reading: nvml.Reading | None, asked: nvidia_smi.Answer | None
) -> tuple[Gpu, ...]:
    """The GPUs by the first source that lists any, completed by what the other ones know of the same card."""
    if reading and reading.gpus:
        gpus = tuple(_with_process_names(context, gpu) for gpu in reading.gpus)
    elif asked and asked.gpus:
        gpus = asked.gpus
    elif reading and reading.driver and not reading.broken:
        gpus = ()  # NVML works and counts no GPU that this process may use
    else:
        gpus = _gpus_from_files(hardware)
    by_address = {gpu.pci_address: gpu for gpu in gpus}
    for device in hardware.pci:
        if device.driver == "nvidia" and reading and reading.opened and device.address not in by_address:
            context.notes.problem(
                nvml.PROBE, f"the card at {device.address} is held by nvidia, but NVML does not list it"
            )
    cards = {device.address: device for device in hardware.pci}
    return tuple(_completed(gpu, cards) for gpu in gpus)


def _gpus_from_files(hardware: Hardware) -> tuple[Gpu, ...]:
    proc = {gpu.address: gpu for gpu in hardware.proc_gpus}
    addresses = sorted({*proc, *(device.address for device in hardware.pci)})
    gpus = [
        _unasked(index, address, proc[address].name, proc[address].uuid, kernel_driver.PROC_GPUS)
        if address in proc
        else _unasked(index, address, None, None, "pci")
        for index, address in enumerate(addresses)
    ]
    if not gpus and (tegra := hardware.system.tegra):
        gpus.append(_unasked(0, None, tegra.model, None, tegra.via or "tegra"))
    return tuple(gpus)


def _unasked(index: int, address: str | None, name: str | None, uuid: str | None, via: str) -> Gpu:
    return Gpu(index, name, uuid, None, None, None, None, visible=True, via=via, pci_address=address)


def _completed(gpu: Gpu, cards: Mapping[str, PciDevice]) -> Gpu:
    card = cards.get(gpu.pci_address or "")
    if card is None:
        return gpu
    return replace(gpu, bound_driver=card.driver, pci_device_id=gpu.pci_device_id or card.device_id)


def _with_process_names(context: Context, gpu: Gpu) -> Gpu:
    """The short name only: a command line may hold secrets."""
    if not gpu.processes or not context.linux:
        return gpu
    return replace(gpu, processes=tuple(_named(context, process) for process in gpu.processes))


def _named(context: Context, process: GpuProcess) -> GpuProcess:
    name = context.read(nvml.PROBE, f"/proc/{process.pid}/comm")
    # The kernel's line: `4711 (python) Z 4690 ...`; the name may hold anything.
    words = (context.read(nvml.PROBE, f"/proc/{process.pid}/stat") or "").rpartition(")")[2].split()
    state, parent = words[:2] if len(words) > 1 and words[1].isdecimal() else (None, None)
    return replace(
        process,
        name=name.strip() if name else None,
        state=state,
        parent=int(parent[:_LONGEST_PID]) if parent else None,
    )


def with_visibility(gpus: Sequence[Gpu], seen: VisibleDevices | None) -> tuple[Gpu, ...]:
    """Marks what CUDA enumerates; where its order is not certain, every GPU that it may be stays visible."""
    if seen is None:
        return tuple(gpus)
    marked = []
    for gpu in gpus:
        slices = tuple(replace(part, visible=part.uuid in seen.order) for part in gpu.mig_devices)
        shown = gpu.index in seen.order or any(part.visible for part in slices) or not seen.certain
        marked.append(replace(gpu, visible=shown, mig_devices=slices))
    return tuple(marked)


def undetermined(
    hardware: Hardware, reading: nvml.Reading | None, asked: nvidia_smi.Answer | None, gpus: Sequence[Gpu]
) -> str | None:
    """Why the question "which GPUs, which driver" has no answer here; None when it has one, "none" included."""
    if reading is None:
        return None
    if asked and asked.driver and not asked.broken:
        return None
    if reading.opened and not reading.broken:
        return None
    if reading.broken and reading.driver and gpus and all(gpu.compute_capability for gpu in gpus):
        return None  # it broke off after what matters was told
    if reading.broken:
        return f"NVML {reading.problems[0]}" if reading.problems else "NVML broke off"
    if reading.code == nvml.DRIVER_NOT_LOADED and not hardware.driver_is_there:
        return None
    if reading.absent and not hardware.driver_is_there and not _wsl_gpu(hardware):
        return None
    return f"NVML: {reading.error}"


def _wsl_gpu(hardware: Hardware) -> bool:
    return hardware.system.wsl_version == wsl.WITH_GPU and hardware.has_nodes
