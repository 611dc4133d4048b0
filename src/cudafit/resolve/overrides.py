"""What the user tells of a machine by variables, in place of what was measured."""

from collections.abc import Mapping

from cudafit.model.arch_override import ARCH, NO_ARCH, is_arch
from cudafit.model.frozen import frozen
from cudafit.model.machine import Machine
from cudafit.model.versions import major_minor
from cudafit.resolve.kernels import Capability, capability


def driver_told(machine: Machine, overrides: Mapping[str, str]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """The driver's version and CUDA limit, by the user's overrides first, and what to say of them."""
    version = machine.driver.version if machine.driver else None
    cuda = machine.driver.cuda if machine.driver else None
    notes = []
    if value := overrides.get("UV_CUDA_DRIVER_VERSION"):
        version, cuda = value, None
        notes.append(f"the driver is {value} by UV_CUDA_DRIVER_VERSION")
    if (value := overrides.get("CONDA_OVERRIDE_CUDA")) is not None:
        version, cuda = None, value.strip() or None
        notes.append(f"CUDA is {value.strip() or 'hidden'} by CONDA_OVERRIDE_CUDA")
    return version, major_minor(cuda) if cuda else None, tuple(notes)


@frozen
class ArchTold:
    """The capability that every GPU is to be taken for, or that conda's solver is not to be told any."""

    capability: Capability | None = None
    hidden: bool = False
    notes: tuple[str, ...] = ()


def arch_told(overrides: Mapping[str, str]) -> ArchTold:
    """As CEP 46 has it; what is no capability is passed over, and told."""
    if ARCH not in overrides:
        return ArchTold()
    text = overrides[ARCH].strip()
    if not text:
        return ArchTold(hidden=True, notes=(f"conda is not told what the GPUs are: {ARCH} is empty",))
    if not is_arch(text):
        return ArchTold(notes=(NO_ARCH,))
    return ArchTold(capability(text), notes=(f"the GPUs are {text} by {ARCH}",))
