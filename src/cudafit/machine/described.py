"""A machine by description: what the command line says of it, laid over a machine that was read, or over nothing."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.gpu_names import closest, named, spoken, wider
from cudafit.model.gpu_words import words_of
from cudafit.model.machine import Driver, Gpu, Machine, OperatingSystem, Override, Tegra
from cudafit.model.matrix import Facts, GpuModel, PciGpu
from cudafit.model.versions import major_minor, numbers

PLATFORMS = ("linux-x86_64", "linux-aarch64", "windows-x86_64", "windows-aarch64", "macos-aarch64", "macos-x86_64")
VIA = "command line"
# Only boards whose GPU is part of the chip have these.
_TEGRA = ("3.2", "5.3", "6.2", "7.2", "8.7")
_EXAMPLES = 3
_WHOLE = " (`nvidia-smi -L` prints it)"
_FIRST_BRANCH = 300  # NVIDIA's numbers have three digits since 2012; a smaller one is something else


@frozen
class Description:
    """`--driver`, `--gpu`, `--platform` and `--glibc`, as they were given."""

    driver: str | None = None
    gpus: tuple[str, ...] = ()
    platform: str | None = None
    glibc: str | None = None

    def __bool__(self) -> bool:
        return self != Description()


def described(description: Description, base: Machine | None, here: str, facts: Callable[..., Facts]) -> Machine:
    """The machine; raises InputError for what cannot be meant, or what is missing. `here` is this host's platform."""
    machine = base or _blank(description.platform or here)
    if base and description.platform:
        system, _, arch = description.platform.partition("-")
        machine = replace(machine, os=replace(machine.os, system=system, arch=arch))
    if description.glibc:
        if not re.fullmatch(r"2\.\d+", description.glibc):
            raise InputError(f"`--glibc {description.glibc}` is not a version of glibc", hint="write it as `2.28`")
        machine = replace(machine, os=replace(machine.os, libc=f"glibc {description.glibc}"))
    if description.gpus:
        gpus = tuple(_gpu(index, text, facts) for index, text in enumerate(description.gpus))
        tegra = next((Tegra(gpu.name) for gpu in gpus if gpu.compute_capability in _TEGRA), None)
        machine = replace(machine, gpus=gpus, os=replace(machine.os, tegra=tegra), visible_devices=None, pci=None)
        machine = replace(machine, nvswitches=None, fabric_manager=None, overrides=_overrides(machine, gpus=False))
    if description.driver:
        machine = replace(machine, driver=_driver(description.driver, facts), overrides=_overrides(machine, gpus=True))
    if description.driver or description.gpus:
        machine = replace(machine, problems=(), undetermined=None)
    _check(description, machine)
    return machine


def _overrides(machine: Machine, *, gpus: bool) -> tuple[Override, ...]:
    """What stays of them when the other part of the machine, the driver or the GPUs, is described."""
    return tuple(one for one in machine.overrides if one.field.startswith("gpus") == gpus)


def _blank(platform: str) -> Machine:
    system, _, arch = platform.partition("-")
    host = OperatingSystem(system=system, arch=arch, libc=None, distro=None, wsl=False, container=None)
    return Machine(os=host, driver=None, gpus=(), problems=(), live=False)


def _check(description: Description, machine: Machine) -> None:
    """A described machine with half of what decides has no answer, and none is made up."""
    if description.driver not in (None, "none") and not machine.gpus:
        raise InputError(
            f"the driver is {description.driver}, but no GPU is known",
            hint="add `--gpu NAME` (such as `--gpu 'RTX 4090'`) or `--gpu sm_89`",
        )
    if description.gpus and machine.driver is None and description.driver != "none":
        raise InputError(
            "the GPU is given, but no driver is known",
            hint="add `--driver VERSION` (nvidia-smi shows it), or `--driver none`",
        )


def _driver(text: str, facts: Callable[..., Facts]) -> Driver | None:
    if text == "none":
        return None
    if not re.fullmatch(r"\d+(\.\d+){0,3}", text):
        raise InputError(f"`--driver {text}` is not a driver version", hint="write it as `550.54.15`, or `none`")
    if numbers(text)[0] < _FIRST_BRANCH:
        raise InputError(
            f"`--driver {text}` looks like a CUDA version, not a driver version",
            cause=["nvidia-smi shows both: `Driver Version: 550.54.15` is the one to give"],
            hint=_driver_for(major_minor(text), facts),
        )
    return Driver(version=text, cuda=None, via=VIA)


def _driver_for(cuda: str, facts: Callable[..., Facts]) -> str:
    """The branch that reports this CUDA version."""
    branch = next((row.branch for row in facts("drivers").drivers if row.cuda == cuda), None)
    return f"`--driver {branch}` is the branch of CUDA {cuda}" if branch else "write it as `550.54.15`"


def _gpu(index: int, text: str, facts: Callable[..., Facts]) -> Gpu:
    capability, name = _capability(text), text
    if capability is None:
        capability, name = _by_name(text, facts)
    return Gpu(index, name, None, capability, None, None, None, visible=True, via=VIA)


def _capability(text: str) -> str | None:
    """`sm_89`, `compute_89` or `8.9`."""
    if match := re.fullmatch(r"(?:sm_?|compute_?|cc)?(\d{1,2})[.]?(\d)", text.strip(), re.I):
        if "." not in text and not re.match(r"[a-z]", text, re.I):
            return None  # `89` may be anything
        return f"{int(match[1])}.{match[2]}"
    return None


def _by_name(text: str, facts: Callable[..., Facts]) -> tuple[str, str]:
    """The capability and the name; the list of PCI devices, which is long, is read only where the other does not do."""
    for lists in (("gpus",), ("gpus", "pci_gpus")):
        known = facts(*lists)
        rows = named(text, known)
        if rows:
            break
    if len({row.compute_capability for row in rows}) == 1:
        return rows[0].compute_capability, spoken(rows[0].name) if len(rows) == 1 else text
    words = words_of(text)
    if words.share and not words.core:
        raise InputError(
            f"`--gpu {text!r}` is a part of a GPU, and does not say of which",
            hint="give the GPU's name too, such as `--gpu 'H100 MIG 1g.10gb'`",
        )
    if rows := rows or wider(text, known):
        examples = [f"{spoken(row.name)} ({row.compute_capability})" for row in _one_each(rows)]
        whole = _WHOLE if words.cut is not None else ""
        if len(examples) == 1:
            examples = [spoken(row.name) for row in rows[:_EXAMPLES]]
        raise InputError(
            f"`--gpu {text!r}` is the name of different GPUs",
            cause=[f"it may be {' or '.join(examples)}"],
            hint=f"give the whole name{whole}, or the compute capability as `--gpu sm_89`",
        )
    names = " or ".join(f"`{name}`" for name in closest(text, known))
    raise InputError(
        f"no GPU is known by the name {text!r}",
        cause=[f"the closest names are {names}"],
        hint="give one of those, or the compute capability as `--gpu sm_89`",
    )


def _one_each(rows: Sequence[GpuModel | PciGpu]) -> list[GpuModel | PciGpu]:
    """An example for each capability."""
    found: dict[str, GpuModel | PciGpu] = {}
    for row in rows:
        found.setdefault(row.compute_capability, row)
    return list(found.values())
