"""A machine as the rules see it: only what decides, so that machines which are alike for the rules are equal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from cudafit.model.arch_override import ARCH
from cudafit.model.frozen import frozen
from cudafit.model.gpu_names import capability_by_name, plain_name, spoken
from cudafit.model.machine import Gpu, Machine
from cudafit.model.matrix import Facts
from cudafit.model.versions import major_minor, natural_key
from cudafit.resolve.kernels import Capability, capability, sm
from cudafit.resolve.overrides import arch_told, driver_told

GPU: Final = "gpu"
NO_GPU: Final = "no-gpu"
NO_DRIVER: Final = "no-driver"
UNDETERMINED: Final = "undetermined"

State = Literal["gpu", "no-gpu", "no-driver", "undetermined"]


@frozen
class Card:
    """A GPU that CUDA shows to programs here."""

    index: int
    name: str
    capability: Capability | None

    @property
    def label(self) -> str:
        """`NVIDIA GeForce GTX 1080 Ti, sm_61`."""
        return f"{self.name}, {sm(self.capability)}" if self.capability else self.name


@frozen
class Kind:
    """What the rules look at. Two machines of one kind have the same answer."""

    state: State
    platform: str
    libc: str | None  # `glibc 2.35`; None: not known
    wsl: bool
    tegra: bool
    driver: str | None
    cuda: str | None  # the newest CUDA that the driver says it runs; None: look the driver up
    capabilities: tuple[Capability, ...]  # each once
    data_centre: bool
    pythons: tuple[str, ...]  # as 3.12, each once; none: not known
    arch_hidden: bool = False  # conda is not to be told what the GPUs are


@frozen
class Host:
    """A machine with its name, and the cards that its kind stands for."""

    label: str
    kind: Kind
    cards: tuple[Card, ...]
    hidden: tuple[Card, ...] = ()
    why: str | None = None  # of every state but `gpu`
    notes: tuple[str, ...] = ()


# What a data-centre GPU is called: forward compatibility is for these only (CUDA Compatibility guide).
_DATA_CENTRE = frozenset(
    {"tesla", "p4", "p40", "p100", "v100", "t4", "a2", "a10", "a10g", "a16", "a30", "a40", "a100", "a800", "l4", "l40"}
    | {"l40s", "h20", "h100", "h200", "h800", "gh200", "b100", "b200", "b300", "gb200", "gb300"}
)


def hosts_of(machines: Sequence[tuple[str, Machine]], facts: Callable[..., Facts]) -> list[Host]:
    """Each machine's view; machines that are one object, as those read from like snapshots are, are viewed once."""
    seen: dict[int, Host] = {}
    for label, machine in machines:
        if id(machine) not in seen:
            seen[id(machine)] = host_of(machine, label, facts)
    return [replace(seen[id(machine)], label=label) for label, machine in machines]


def host_of(machine: Machine, label: str, facts: Callable[..., Facts]) -> Host:
    """The machine's view for the rules. `facts` is asked only for a GPU whose capability nobody read."""
    overrides = {override.variable: override.value for override in machine.overrides}
    cards = tuple(_card(gpu, facts) for gpu in machine.gpus if gpu.visible)
    hidden = tuple(_card(gpu, facts) for gpu in machine.gpus if not gpu.visible)
    driver, cuda, notes = driver_told(machine, overrides)
    if (arch := arch_told(overrides)).capability:
        named = cards or ((Card(0, f"GPU by {ARCH}", None),) if (driver or cuda) and not hidden else ())
        cards = tuple(replace(card, capability=arch.capability) for card in named)
    notes += arch.notes if cards else ()
    state, why = _state(machine, cards, hidden, bool(driver or cuda), overrides)
    if machine.undetermined and state == GPU:
        notes += (f"{machine.undetermined}; GPU and driver are known by their files (`cudafit inspect` says more)",)
    kind = Kind(
        state=state,
        platform=f"{machine.os.system}-{machine.os.arch}",
        libc=machine.os.libc,
        wsl=machine.os.wsl,
        tegra=machine.os.tegra is not None,
        driver=driver,
        cuda=cuda,
        capabilities=tuple(sorted({card.capability for card in cards if card.capability})),
        data_centre=bool(cards) and all(_is_data_centre(card.name) for card in cards),
        pythons=_pythons(machine),
        arch_hidden=arch.hidden,
    )
    return Host(label, kind, cards, hidden, why, notes)


def _card(gpu: Gpu, facts: Callable[..., Facts]) -> Card:
    name = gpu.name or (f"PCI device {gpu.pci_device_id}" if gpu.pci_device_id else f"GPU {gpu.index}")
    if gpu.compute_capability:
        return Card(gpu.index, name, capability(gpu.compute_capability))
    if gpu.pci_device_id:
        device = gpu.pci_device_id.removeprefix("10de:").lower()  # the list holds NVIDIA's devices only
        for row in facts("pci_gpus").pci_gpus:
            if row.device == device:
                return Card(gpu.index, gpu.name or spoken(row.name), capability(row.compute_capability))
    if gpu.name and (found := capability_by_name(gpu.name, facts("gpus", "pci_gpus"))):
        return Card(gpu.index, name, capability(found))
    return Card(gpu.index, name, None)


def _state(
    machine: Machine, cards: tuple[Card, ...], hidden: tuple[Card, ...], has_driver: bool, overrides: Mapping[str, str]
) -> tuple[State, str | None]:
    known = has_driver and bool(cards) and all(card.capability for card in cards)
    if machine.undetermined and not known:
        return UNDETERMINED, machine.undetermined
    if machine.os.system == "macos":
        return NO_GPU, "macOS has no CUDA"
    if not cards and hidden:
        variable = machine.visible_devices.variable if machine.visible_devices else None
        told = f" (CUDA_VISIBLE_DEVICES={variable!r})" if variable is not None else ""
        return NO_GPU, f"every GPU is hidden{told}"
    if not cards:
        return NO_GPU, "no NVIDIA GPU was found"
    if overrides.get("CONDA_OVERRIDE_CUDA", "set").strip() == "":
        return NO_GPU, "CONDA_OVERRIDE_CUDA is empty: it hides CUDA"
    if not has_driver:
        if machine.driver:
            return UNDETERMINED, "the version of the driver could not be read"
        names = ", ".join(card.label for card in cards)
        return NO_DRIVER, f"there is a GPU ({names}) but no NVIDIA driver"
    if not known:
        unread = next(card for card in cards if card.capability is None)
        return UNDETERMINED, f"the compute capability of GPU {unread.index} ({unread.name}) could not be read"
    return GPU, None


def _pythons(machine: Machine) -> tuple[str, ...]:
    found = {major_minor(python.version) for python in machine.pythons or () if python.version.startswith("3.")}
    return tuple(sorted(found, key=natural_key, reverse=True))


def _is_data_centre(name: str) -> bool:
    words = plain_name(name)
    return bool(words & _DATA_CENTRE) and "geforce" not in name.lower()
