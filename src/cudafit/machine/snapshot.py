"""Takes the snapshot: runs the probes and joins what they read into one `Machine`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cudafit import __version__
from cudafit.machine import kernel_driver, nvidia_smi, nvml, wsl
from cudafit.machine.context import Context
from cudafit.machine.device_nodes import is_tegra, makes_nodes, read_device_nodes, with_openings
from cudafit.machine.environment import overrides, read_environment
from cudafit.machine.host import read_os
from cudafit.machine.kernel_driver import KernelDriver, ProcGpu, read_kernel_driver, read_proc_gpus
from cudafit.machine.pci import is_switch, read_pci, with_errors
from cudafit.machine.pythons import read_pythons
from cudafit.machine.question import Question
from cudafit.model.frozen import frozen
from cudafit.model.machine import (
    Compiler,
    CondaInstallation,
    Driver,
    FabricManager,
    Gpu,
    GpuProcess,
    Library,
    Limits,
    Machine,
    OperatingSystem,
    PciDevice,
    Toolkit,
    VisibleDevices,
)
from cudafit.model.visible_devices import visible_devices

LINUX_ONLY = ("kernel-driver", "pci", "device-nodes", "libraries", "limits", "container")


def take(context: Context, question: Question | None = None, *, brief: bool = False) -> Machine:
    """One true picture of the machine; whatever fails is in its `problems`.

    `question` is NVML, asked already; it works in its own process while the files are read here. A brief picture leaves
    out (as not known) what no build depends on: toolkits, libraries, conda installations, limits.
    """
    _note_unasked(context, question)
    nodes = read_device_nodes(context) if context.linux else ()
    system = read_os(context)
    kernel = read_kernel_driver(context) if context.linux else None
    proc_gpus = read_proc_gpus(context) if context.linux else []
    bus = read_pci(context) if context.linux else ()
    bus = bus if brief else with_errors(context, bus)
    switches = tuple(device for device in bus if is_switch(device.pci_class))
    pci = bus[: len(bus) - len(switches)]
    rest = None if brief else _rest(context, system, switches)
    pythons = read_pythons(context)
    if not context.linux:
        for probe in LINUX_ONLY:
            context.notes.skip(probe, f"reads files that {context.system} does not have")

    reading = nvml.interpret(question.answer()) if question else None
    hardware = Hardware(system, kernel, proc_gpus, pci, not all(is_tegra(node) for node in nodes))
    asked = _ask_further(context, reading)
    _note_reading(context, reading, hardware)
    gpus = _gpus(context, hardware, reading, asked)
    environment = read_environment(context.environ)
    seen = visible_devices(gpus, environment) if context.live else None
    return Machine(
        os=system,
        driver=_driver(context, kernel, reading, asked, rest.libraries if rest else ()),
        gpus=with_visibility(gpus, seen),
        problems=tuple(context.notes.problems),
        cudafit=__version__,
        root=context.files.root,
        live=context.live,
        undetermined=_undetermined(hardware, reading, asked, gpus),
        visible_devices=seen,
        pci=pci if context.linux else None,
        nvswitches=switches if context.linux else None,
        fabric_manager=rest.fabric_manager if rest else None,
        device_nodes=with_openings(nodes, reading.nodes if reading else {}) if context.linux else None,
        nvidia_modprobe=makes_nodes(context) if rest and context.linux else None,
        toolkits=rest.toolkits if rest else None,
        libraries=rest.libraries if rest and context.linux else None,
        kernel_modules=rest.kernel_modules if rest else None,
        kernel_log=rest.kernel_log if rest else None,
        module_options=rest.module_options if rest else None,
        services=rest.services if rest else None,
        compilers=rest.compilers if rest else None,
        loader_knows_wsl=rest.loader_knows_wsl if rest else None,
        conda=rest.conda if rest else None,
        pythons=pythons,
        limits=rest.limits if rest else None,
        environment=environment,
        overrides=overrides(context.environ),
        skipped=tuple(context.notes.skipped),
    )


@frozen
class Rest:
    """What a brief picture leaves out."""

    toolkits: tuple[Toolkit, ...]
    libraries: tuple[Library, ...]
    conda: tuple[CondaInstallation, ...]
    limits: Limits | None
    kernel_modules: tuple[str, ...] | None
    kernel_log: tuple[str, ...] | None
    fabric_manager: FabricManager | None
    module_options: Mapping[str, str] | None
    services: tuple[str, ...] | None
    compilers: tuple[Compiler, ...] | None
    loader_knows_wsl: bool | None


def _rest(context: Context, system: OperatingSystem, switches: Sequence[PciDevice]) -> Rest:
    # Loaded only here: a brief picture is taken where every millisecond counts.
    from cudafit.machine.compilers import read_compilers  # noqa: PLC0415
    from cudafit.machine.conda import read_conda  # noqa: PLC0415
    from cudafit.machine.fabric import read_fabric_manager  # noqa: PLC0415
    from cudafit.machine.kernel_log import read_kernel_log  # noqa: PLC0415
    from cudafit.machine.libraries import loader_knows_wsl, read_libraries  # noqa: PLC0415
    from cudafit.machine.limits import read_limits  # noqa: PLC0415
    from cudafit.machine.module_options import read_module_options  # noqa: PLC0415
    from cudafit.machine.modules import read_modules  # noqa: PLC0415
    from cudafit.machine.services import read_services  # noqa: PLC0415
    from cudafit.machine.toolkits import read_toolkits  # noqa: PLC0415

    return Rest(
        read_toolkits(context),
        read_libraries(context) if context.linux else (),
        read_conda(context),
        read_limits(context) if context.linux else None,
        read_modules(context) if context.linux else None,
        read_kernel_log(context) if context.linux else None,
        read_fabric_manager(context) if switches else None,
        read_module_options(context) if context.linux else None,
        read_services(context) if context.linux else None,
        read_compilers(context) if context.linux else None,
        loader_knows_wsl(context) if system.wsl else None,
    )


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


def _note_unasked(context: Context, question: Question | None) -> None:
    if question is None:
        live = f"there is no NVIDIA driver for {context.system}"
        reason = live if context.live else f"only files below {context.files.root} were read"
        context.notes.skip(nvml.PROBE, reason)
        context.notes.skip(nvidia_smi.PROBE, reason)


def _ask_further(context: Context, reading: nvml.Reading | None) -> nvidia_smi.Answer | None:
    """nvidia-smi sits on NVML: where NVML answered, even with an error, it has nothing to add."""
    if reading is None or (reading.opened and not reading.broken) or reading.code not in (None, nvml.LIBRARY_NOT_FOUND):
        return None
    program = nvidia_smi.find(context)
    if program is None:
        return None
    answer = nvidia_smi.ask(context, program)
    if answer.error:
        context.notes.problem(nvidia_smi.PROBE, answer.error)
    return answer


def _note_reading(context: Context, reading: nvml.Reading | None, hardware: Hardware) -> None:
    """A missing library is no problem on a machine that has no NVIDIA GPU."""
    if reading is None:
        return
    if reading.error and (not reading.absent or hardware.driver_is_there or hardware.pci):
        context.notes.problem(nvml.PROBE, reading.error)
    elif reading.absent:
        context.notes.skip(nvml.PROBE, "libnvidia-ml.so.1 is not installed" if context.linux else "nvml.dll not found")
    for problem in reading.problems:
        if problem != reading.error:
            context.notes.problem(nvml.PROBE, problem)


def _driver(
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
            if library.name == name and library.version and not _is_stand_in(library.path):
                return library.version, library.path
    return None, None


def _is_stand_in(path: str) -> bool:
    return "/compat/" in path or "/stubs/" in path


def _gpus(
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
            unlisted = f"the card at {device.address} is held by nvidia, but NVML does not list it"
            context.notes.problem(nvml.PROBE, unlisted)
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
    return replace(process, name=name.strip() if name else None)


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


def _undetermined(
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
