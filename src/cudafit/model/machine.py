"""A machine, as one snapshot: what its probes read, how each value was learnt, and what could not be read.

`None` always means *not known here*; what is known to be absent is an empty tuple, `False`, or a `Machine.driver`
of `None` (there is none, and `problems` say how that was learnt). The fields without a default are the contract
that other programs rely on, and that a snapshot written by hand must have.
"""

from collections.abc import Mapping
from dataclasses import field

from cudafit.model.frozen import frozen

SCHEMA = "cudafit.machine/1"

DOTTED_VERSION = {"pattern": r"\d+(\.\d+)+", "example": "550.54.15"}
CUDA_VERSION = {"pattern": r"\d+\.\d+", "example": "12.4"}
CAPABILITY = {"pattern": r"\d+\.\d+", "example": "8.9"}


@frozen
class Problem:
    """A probe that failed, or a value it could not read."""

    probe: str
    error: str


@frozen
class Skipped:
    """A probe that does not apply here, or was not asked."""

    probe: str
    reason: str


@frozen
class Tegra:
    """A Jetson or another board whose GPU is part of the chip."""

    model: str | None
    l4t: str | None = None
    via: str | None = None


@frozen
class OperatingSystem:
    """The host. `via` says for each of the other fields where its value was read."""

    system: str
    arch: str | None
    libc: str | None
    distro: str | None
    wsl: bool
    container: str | None
    wsl_version: int | None = None
    kernel: str | None = None
    processor: str | None = None
    secure_boot: bool | None = None
    tegra: Tegra | None = None
    via: Mapping[str, str] = field(default_factory=dict)


@frozen
class Driver:
    """The NVIDIA driver.

    `version` is the one in use; `kernel` is the loaded kernel module's and `library` the user-space library's, kept
    apart because they differ after an upgrade without a reboot.
    """

    version: str | None = field(metadata=DOTTED_VERSION)
    cuda: str | None = field(metadata=CUDA_VERSION)
    via: str | None
    cuda_via: str | None = None
    kernel: str | None = None
    kernel_via: str | None = None
    library: str | None = None
    library_via: str | None = None
    module: str | None = None  # "open" or "proprietary" kernel module


@frozen
class Clocks:
    """MHz."""

    sm: int | None = None
    sm_max: int | None = None
    memory: int | None = None
    memory_max: int | None = None


@frozen
class PcieLink:
    """Generation and lanes, now and at most. A GPU at rest lowers its generation by itself."""

    generation: int | None = None
    generation_max: int | None = None
    width: int | None = None
    width_max: int | None = None


@frozen
class RemappedRows:
    """Memory rows that were replaced by spares."""

    correctable: int
    uncorrectable: int
    pending: bool
    failed: bool


@frozen
class Ecc:
    """Error correction, and the uncorrected errors since the driver was loaded."""

    enabled: bool | None = None
    uncorrected: int | None = None
    remapped: RemappedRows | None = None


@frozen
class Fabric:
    """How far the card is with joining the NVLink fabric of an NVSwitch system.

    `state` is not_supported, not_started, in_progress or completed; `status` is NVML's code of how it was completed.
    """

    state: str
    status: int | None = None


@frozen
class GpuProcess:
    """A process that holds memory on a GPU: `kind` is `compute` or `graphics`."""

    pid: int
    kind: str
    name: str | None = None
    memory_mib: int | None = None
    state: str | None = None  # the kernel's letter for it: `Z` has ended, and its parent has not taken note
    parent: int | None = None


@frozen
class MigDevice:
    """A slice of a GPU in MIG mode."""

    uuid: str | None
    name: str | None = None
    memory_mib: int | None = None
    gpu_instance: int | None = None
    compute_instance: int | None = None
    visible: bool = True


@frozen
class Gpu:
    """One GPU. `unread` names the fields that could not be read, each with the reason given."""

    index: int
    name: str | None
    uuid: str | None
    compute_capability: str | None = field(metadata=CAPABILITY)
    memory_mib: int | None
    mig: bool | None
    compute_mode: str | None
    visible: bool
    via: str | None = None
    pci_address: str | None = None
    pci_device_id: str | None = None  # "10de:2684"
    pci_subsystem_id: str | None = None
    bound_driver: str | None = None  # the kernel driver that holds the card: nvidia, nouveau, vfio-pci, ...
    memory_used_mib: int | None = None
    cores: int | None = None
    temperature_c: int | None = None
    utilization_percent: int | None = None
    power_w: float | None = None
    power_limit_w: float | None = None  # the one that is enforced
    power_limit_default_w: float | None = None
    persistence: bool | None = None
    virtualization: str | None = None
    clocks: Clocks | None = None
    throttle_reasons: tuple[str, ...] | None = None
    pcie: PcieLink | None = None
    ecc: Ecc | None = None
    fabric: Fabric | None = None
    mig_devices: tuple[MigDevice, ...] = ()
    processes: tuple[GpuProcess, ...] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)


@frozen
class VisibleDevices:
    """What CUDA will enumerate: GPU indices or MIG UUIDs, in CUDA's own order.

    `certain` is False when CUDA's numbering cannot be told from outside; `note` says why, or what was cut off.
    """

    variable: str | None
    order: tuple[int | str, ...]
    certain: bool = True
    note: str | None = None


@frozen
class PcieErrors:
    """Errors of a device's PCIe link since the machine was started, as the kernel counts them.

    `rejected` are those of the non-fatal ones that only say that a request is not supported: no fault of the link.
    """

    correctable: int | None = None
    nonfatal: int | None = None
    fatal: int | None = None
    rejected: int | None = None


@frozen
class PciDevice:
    """An NVIDIA device on the bus, whoever drives it: a display or 3D controller, or an NVSwitch."""

    address: str
    device_id: str
    pci_class: str
    driver: str | None
    errors: PcieErrors | None = None


@frozen
class FabricManager:
    """The service that sets up NVSwitches; it must have the driver's own version."""

    version: str | None = None
    running: bool | None = None
    via: str | None = None  # where the version was read


@frozen
class Compiler:
    """A C compiler by the name that Triton looks for.

    `files` are those of the C library that linking needs and that are there; None where the compiler brings its own.
    """

    name: str
    path: str
    via: str
    files: tuple[str, ...] | None = None


@frozen
class DeviceNode:
    """A device file; `access` says whether this user can open it, and `error` why not."""

    path: str
    mode: str
    owner: str | None
    group: str | None
    access: bool | None
    error: str | None = None


@frozen
class Toolkit:
    """A CUDA toolkit on the disk. `nvcc` is the compiler's own answer, present only when it was asked."""

    version: str | None
    path: str
    via: str
    nvcc: str | None = None
    cudnn: str | None = None  # the cuDNN whose header was copied into it, as on Windows


@frozen
class Library:
    """A CUDA library that the loader would find outside of any Python environment."""

    name: str
    version: str | None
    path: str
    via: str
    target: str | None = None  # the file itself, where a link leads to it from another folder

    @property
    def place(self) -> str:
        """Where the file really lies: a link in the system's folder may lead to a stub."""
        return self.target or self.path


@frozen
class CondaInstallation:
    """A conda-like installation: its root prefix, and the version of its `conda` package."""

    kind: str
    path: str
    version: str | None
    via: str


@frozen
class Interpreter:
    """A Python that environments can be made from."""

    version: str
    path: str
    via: str


@frozen
class Limits:
    """What this process may use of the host."""

    cpus: float | None = None
    memory_mib: int | None = None
    slurm: Mapping[str, str] | None = None
    via: Mapping[str, str] = field(default_factory=dict)


@frozen
class Override:
    """An environment variable by which the user replaces a measured fact."""

    variable: str
    field: str
    value: str


@frozen
class Machine:
    """One true picture of a machine."""

    os: OperatingSystem
    driver: Driver | None
    gpus: tuple[Gpu, ...]
    problems: tuple[Problem, ...]
    cudafit: str | None = None
    root: str = "/"
    live: bool = True  # whether the running system was asked, or only files were read
    undetermined: str | None = None  # why the GPUs or the driver could not be determined, if so
    visible_devices: VisibleDevices | None = None
    pci: tuple[PciDevice, ...] | None = None
    nvswitches: tuple[PciDevice, ...] | None = None
    fabric_manager: FabricManager | None = None  # looked for only where there are NVSwitches
    device_nodes: tuple[DeviceNode, ...] | None = None
    nvidia_modprobe: bool | None = None  # whether nvidia-modprobe may make the nodes that are missing, for any user
    toolkits: tuple[Toolkit, ...] | None = None
    libraries: tuple[Library, ...] | None = None
    kernel_modules: tuple[str, ...] | None = None  # the kernel releases that have an NVIDIA module on the disk
    kernel_module_folders: tuple[str, ...] | None = None  # where these lie, which tells who put them there
    kernel_log: tuple[str, ...] | None = None  # what the kernel said of the driver; None: it may not be read
    module_options: Mapping[str, str] | None = None  # options of the loaded modules; None: none is loaded, or not read
    services: tuple[str, ...] | None = (
        None  # NVIDIA's services that systemd starts; None: systemd's folders are not here
    )
    compilers: tuple[Compiler, ...] | None = None
    loader_knows_wsl: bool | None = None  # whether the loader looks into WSL's folder of libraries by itself
    conda: tuple[CondaInstallation, ...] | None = None
    pythons: tuple[Interpreter, ...] | None = None
    limits: Limits | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    skipped: tuple[Skipped, ...] = ()
