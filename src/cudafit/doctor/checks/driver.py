"""The kernel module and the driver's libraries."""

import re
from collections.abc import Iterator
from dataclasses import replace

from cudafit.doctor.checks.compilers import has_compile
from cudafit.doctor.fixes import install_driver
from cudafit.doctor.kernel_modules import built_for_kernel
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.frozen import frozen
from cudafit.model.machine import Library, Machine, Problem
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import sm


def not_loaded(world: World) -> Iterator[Finding | Unchecked]:
    machine = world.machine
    if machine.os.wsl or machine.os.tegra or machine.os.container:
        return
    if not machine.pci:
        yield from _of_described(world)
        return
    if machine.driver is not None or any(device.driver == "nvidia" for device in machine.pci):
        return
    cards = tuple(
        Evidence(
            f"{device.address} is NVIDIA's {device.device_id}, driven by {device.driver or 'nothing'}", "/sys/bus/pci"
        )
        for device in machine.pci
    )
    if any(device.driver == "nouveau" for device in machine.pci):
        # Where NVIDIA's module is installed and cannot be loaded, nouveau only takes what it left.
        found = _on_the_disk(world)
        yield (
            replace(found, evidence=(*found.evidence, *cards))
            if found
            else kinds.driver.nouveau_bound.found(
                "the nouveau driver holds the GPU, and it has no CUDA",
                cards,
                _without_nouveau(world) or install_driver(world),
            )
        )
    elif any(device.driver == "vfio-pci" for device in machine.pci):
        yield Unchecked("the GPU is given to a virtual machine (vfio-pci)")
    elif _dropped(world) or _told_mismatch(world):
        return  # its module was loaded, and left, or is of another version: other checks say why
    elif found := _on_the_disk(world):
        yield found
    else:
        yield kinds.driver.not_loaded.found(
            "no NVIDIA driver is loaded",
            (*cards, Evidence("no NVIDIA kernel module is loaded", "/proc/driver/nvidia/version"), *_left(world)),
            _install(world),
        )


# How the image that the kernel starts with is made anew. Sources: update-initramfs(8), dracut(8), mkinitcpio(8).
_START_IMAGE = {
    "ubuntu": ("update-initramfs", "-u"),
    "debian": ("update-initramfs", "-u"),
    "fedora": ("dracut", "--force"),
    "rocky": ("dracut", "--force"),
    "rhel": ("dracut", "--force"),
    "almalinux": ("dracut", "--force"),
    "arch": ("mkinitcpio", "-P"),
}


def _without_nouveau(world: World) -> Fix | None:
    """NVIDIA's module is there for this kernel: nouveau was first."""
    system = world.machine.os
    if not system.kernel or system.kernel not in (world.machine.kernel_modules or ()):
        return None
    command = _START_IMAGE.get((system.distro or "").partition(" ")[0])
    return Fix(
        "NVIDIA's module is installed for this kernel: keep nouveau from loading (a file in /etc/modprobe.d with the"
        " line `blacklist nouveau`), make the start image anew, then reboot",
        (command,) if command else (),
        root=True,
        reboot=True,
    )


def _of_described(world: World) -> Iterator[Finding]:
    """Of a machine that is only described there is no bus to look at: what was said of it counts."""
    machine = world.machine
    if machine.driver is None and machine.gpus and not machine.live and world.host.kind.state == "no-driver":
        yield kinds.driver.not_loaded.found(
            "there is a GPU and no NVIDIA driver",
            (*(world.gpu_evidence(card.index) for card in world.host.cards[:3]), world.driver_evidence),
            install_driver(world),
        )


def _libraries_of(world: World) -> Library | None:
    """A library of a driver that is installed, whatever is loaded."""
    return next((one for one in world.machine.libraries or () if _is_drivers(one)), None)


def _left(world: World) -> tuple[Evidence, ...]:
    """What is there of a driver whose module is nowhere: half an installation, or half a removal."""
    own = _libraries_of(world)
    if own is None or world.machine.kernel_modules != ():
        return ()
    return (
        Evidence(f"the libraries of driver {own.version} are there", own.path),
        Evidence("there is no NVIDIA module for any kernel", "/lib/modules"),
    )


def _install(world: World) -> Fix:
    """Where libraries are there, with their own branch: a module of another one would not suit them."""
    own = _libraries_of(world)
    fix = install_driver(world)
    if own is None or not _left(world):
        return fix
    branch = str(own.version).partition(".")[0]
    text = (
        f"install the module of this version, {own.version}, too: it was left out, could not be built, or was removed"
    )
    distro = (world.machine.os.distro or "").partition(" ")[0]
    look = (("dpkg", "-l", "*nvidia*"),) if distro in ("ubuntu", "debian") else ()
    return replace(
        fix,
        text=f"{text}. Or remove these libraries, and install a whole driver (branch {branch} or newer)",
        commands=look,
    )


def _on_the_disk(world: World) -> Finding | None:
    """The module is installed, and not loaded: for another kernel, or refused by Secure Boot."""
    system, modules = world.machine.os, world.machine.kernel_modules
    if not modules or not system.kernel:
        return None
    running = Evidence(f"kernel {system.kernel} runs", system.via.get("kernel", "/proc/sys/kernel/osrelease"))
    there = Evidence(f"an NVIDIA module is on the disk for {', '.join(modules[:3])}", "/lib/modules")
    if system.kernel not in modules:
        return kinds.driver.module_missing_for_kernel.found(
            "the NVIDIA module was not built for the running kernel",
            (running, there),
            built_for_kernel(world.machine),
        )
    if system.secure_boot:
        return kinds.driver.secureboot_rejected.found(
            "the NVIDIA module is installed for this kernel and not loaded, and Secure Boot is on",
            (running, there, Evidence("Secure Boot is on", system.via.get("secure_boot", "EFI variable SecureBoot"))),
            Fix(
                "enrol the key that signed it, or install the distribution's signed module",
                (("mokutil", "--import", "/var/lib/dkms/mok.pub"),),
                root=True,
                reboot=True,
            ),
        )
    return None


def versions_differ(world: World) -> Iterator[Finding]:
    driver, told = world.machine.driver, _told_mismatch(world)
    if world.machine.os.wsl:
        return
    if driver is None:
        if told:
            yield _mismatch_alone(world, told)
        return
    if found := _two_drivers(world):
        yield found
        return
    differ = driver.kernel and driver.library and driver.kernel != driver.library
    if not differ and told is None:
        return
    evidence = [
        Evidence(f"the loaded kernel module is {driver.kernel or 'of another version'}", driver.kernel_via or "/proc"),
        Evidence(f"the libraries are {driver.library or 'of another version'}", driver.library_via or "file name"),
    ]
    evidence += [Evidence(told.error, told.probe)] if told else []
    yield kinds.driver.lib_kernel_mismatch.found(
        "the driver was upgraded, and the old kernel module is still loaded",
        tuple(evidence),
        Fix(
            "reboot, so that the kernel loads the module of the installed version",
            (("reboot",),),
            root=True,
            reboot=True,
        ),
    )


def _told_mismatch(world: World) -> Problem | None:
    """NVML's own word for it."""
    return next((one for one in world.machine.problems if "version mismatch" in one.error), None)


def _mismatch_alone(world: World, told: Problem) -> Finding:
    """NVML says so, and the kernel's files, which would tell the loaded version, could not be read."""
    own = _libraries_of(world)
    evidence = [Evidence(told.error, told.probe)]
    evidence += [Evidence(f"the libraries are {own.version}", own.path)] if own else []
    evidence.append(Evidence("which module is loaded could not be read", "/proc/driver/nvidia/version"))
    where = "on the host, " if world.machine.os.container else ""
    return kinds.driver.lib_kernel_mismatch.found(
        "the driver's libraries are of another version than the loaded module",
        tuple(evidence),
        Fix(f"{where}reboot, so that the kernel loads the module of the installed version", root=True, reboot=True),
    )


def _two_drivers(world: World) -> Finding | None:
    """Libraries of two drivers at once, as when a package pulls in those of another branch.

    A second copy that lies behind the loaded module's own is never loaded, and does no harm.
    """
    machine, driver = world.machine, world.machine.driver
    own = [one for one in machine.libraries or () if _is_drivers(one)]
    loaded = driver and (driver.kernel or driver.version)
    firsts = {one.name: one for one in reversed(own)}
    if machine.os.tegra or len({one.version for one in own}) < 2:
        return None
    if driver is None or not loaded or all(one.version == loaded for one in firsts.values()):
        return None
    told = "libnvidia-ml" in firsts and firsts["libnvidia-ml"].version != loaded
    if told and driver.via == "nvml" and not machine.problems and any(gpu.via == "nvml" for gpu in machine.gpus):
        return None  # NVML answers: the loader finds them in another order than it seems from its files
    branches = {str(one.version).partition(".")[0] for one in own} - {loaded.partition(".")[0]}
    debian = (machine.os.distro or "").partition(" ")[0] in ("ubuntu", "debian")
    return kinds.driver.lib_kernel_mismatch.found(
        "libraries of two drivers are installed, and the wrong one is found first",
        (
            Evidence(f"the loaded kernel module is {loaded}", driver.kernel_via or driver.via or "nvml"),
            *(Evidence(f"{one.path} is of {one.version}", one.via) for one in own[:4]),
        ),
        Fix(
            "remove the packages of the driver that is not wanted, then reboot",
            tuple(("apt", "purge", f"libnvidia-compute-{branch}") for branch in sorted(branches)) if debian else (),
            root=True,
            reboot=True,
        ),
    )


def _is_drivers(library: Library) -> bool:
    """Not a stub, not a forward-compatibility copy, and not the copy for 32-bit programs."""
    if library.name not in ("libcuda", "libnvidia-ml") or not re.match(r"\d{3}\.", library.version or ""):
        return False
    return not re.search(r"/(compat|stubs|i386-linux-gnu|lib32)/", library.place)


def drops_the_card(world: World) -> Iterator[Finding]:
    if told := _dropped(world):
        version = told.driver.fact
        yield kinds.driver.branch_dropped_gpu.found(
            f"driver {version} does not drive {told.cards} any more",
            (
                told.card,
                world.driver_evidence if world.machine.driver else Evidence(f"driver {version}", told.driver.via),
                told.last,
            ),
            install_driver(world, told.branch, told.branch),
        )


@frozen
class _Dropped:
    """A driver, a card that it leaves alone, and the last branch for such cards."""

    driver: Evidence
    card: Evidence
    cards: str  # how such cards are called
    branch: str
    last: Evidence


def _dropped(world: World) -> _Dropped | None:
    version = _driver_here(world)
    if version is None or world.machine.os.wsl:
        return None
    branch = numbers(version.fact)[0]
    cards = [(gpu, Evidence(f"{at} is {name}, {sm(gpu)}", "/sys/bus/pci")) for at, name, gpu in world.cards_on_the_bus]
    if not cards and not world.machine.live:  # it is only described
        cards = [(gpu, world.gpu_evidence(index)) for index, gpu in world.capabilities]
    for gpu, card in cards:
        row = world.architecture(gpu)
        if row and row.last_branch and branch > int(row.last_branch):
            last = Evidence(f"the last branch for {row.architecture} is {row.last_branch}", ", ".join(row.sources))
            return _Dropped(version, card, f"{row.architecture} cards", row.last_branch, last)
    return _ignored(world)


def _named(line: str) -> str | None:
    """The GPU that the driver's own words name."""
    _, _, rest = line.partition("The NVIDIA ")
    name, installed, _ = rest.partition(" GPU installed")
    return name.removeprefix("NVIDIA ") if installed else None


def _ignored(world: World) -> _Dropped | None:
    """By the driver's own words, which name the branch to take: also of a card that nobody here knows."""
    if world.machine.driver is not None:
        return None
    lines = world.logged(rf"{_IGNORES}|{_LEGACY}|NVRM: The NVIDIA .* GPU installed in this system")
    ignores = [match for line in lines if (match := re.search(_IGNORES, line))]
    last = [match for line in lines if (match := re.search(_LEGACY, line))]
    if not ignores or not last:
        return None
    named = [name for line in lines if (name := _named(line))]
    return _Dropped(
        Evidence(ignores[-1][1], "kernel log"),
        Evidence(named[-1] if named else "an NVIDIA GPU", "kernel log"),
        f"the {named[-1]}" if named else "this GPU",
        last[-1][1],
        Evidence(f"it names {last[-1][1]}.xx as the branch for it", "kernel log"),
    )


def _driver_here(world: World) -> Evidence | None:
    """The loaded one; else the one that has looked at the cards, said that it ignores them, and unloaded itself."""
    driver = world.machine.driver
    if driver and driver.version:
        return Evidence(driver.version, driver.via or "nvml")
    if driver:
        return None
    for line in reversed(world.logged(_IGNORES)):
        if match := re.search(_IGNORES, line):
            return Evidence(match[1], "kernel log")
    own = [one for one in world.machine.libraries or () if _is_drivers(one)]
    return next((Evidence(str(one.version), one.path) for one in own), None)


def not_listed(world: World) -> Iterator[Finding]:
    """The module holds a card that NVML does not list, and nothing here says why.

    Not in a container or a Slurm job, which get some of the cards; nor for whom the cards' files are closed.
    """
    machine = world.machine
    held = [device for device in machine.pci or () if device.driver == "nvidia"]
    job = machine.limits.slurm if machine.limits else None
    if not held or machine.driver is None or machine.undetermined or not machine.live:
        return
    if machine.os.wsl or machine.os.tegra or machine.os.container or job or _closed(machine):
        return
    listed = {gpu.pci_address for gpu in machine.gpus}
    missing = [device for device in held if device.address not in listed]
    if not missing or (listed and None in listed):
        return
    known = {address: name for address, name, _ in world.cards_on_the_bus}
    which = ", ".join(f"{one.address} ({known.get(one.address, one.device_id)})" for one in missing[:3])
    logged = [Evidence(line, "kernel log") for line in world.logged(r"NVRM: .*(fail|error|unsupported)")[-2:]]
    unread = () if machine.kernel_log is not None else (Evidence("the kernel log could not be read", "/dev/kmsg"),)
    yield kinds.gpu.not_listed.found(
        "the driver is loaded, and does not list " + (which if machine.gpus else "any GPU"),
        (
            Evidence(f"the kernel's module holds {which}", "/sys/bus/pci"),
            Evidence(f"driver {machine.driver.version} lists {len(machine.gpus) or 'no'} GPU(s)", "nvml"),
            *logged,
            *unread,
        ),
        Fix(
            "the kernel log says why the driver could not start it (firmware settings such as Above 4G decoding, power,"
            " a slot, the GPU's firmware files, or the wrong kind of module)",
            (("dmesg", "--level=err,warn,notice"),) if machine.kernel_log is None else (),
            root=machine.kernel_log is None,
        ),
        severity=WARNING if any(gpu.visible for gpu in machine.gpus) else ERROR,
    )


def _closed(machine: Machine) -> bool:
    return any(node.access is False for node in machine.device_nodes or ())


_IGNORES = r"The (\d{3}\.[\d.]*\d) NVIDIA driver will ignore"
_LEGACY = r"supported through the NVIDIA (\d{3})\.xx Legacy"
# What the module itself says of its own kind. Sources: NVIDIA/open-gpu-kernel-modules issues 82 and 230, and
# negativo17/nvidia-driver issue 158.
_NOT_OPEN = (
    r"Open nvidia\.ko is only ready for use on Data Center GPUs|is not supported by open$|supported by open nvidia"
)
_ONLY_OPEN = r"requires use of the NVIDIA open kernel modules"


def wrong_module(world: World) -> Iterator[Finding]:
    """The open kernel module begins with Turing; Blackwell has no other."""
    driver = world.machine.driver
    if world.machine.os.wsl:
        return
    if not world.machine.gpus and (found := _by_its_words(world)):
        yield found
        return
    if driver is None or driver.module is None:
        return
    cards = world.cards_on_the_bus or tuple((f"GPU {index}", f"GPU {index}", gpu) for index, gpu in world.capabilities)
    for address, name, gpu in cards:
        row = world.architecture(gpu)
        if row is None:
            continue
        evidence = (
            Evidence(
                f"the {driver.module} kernel module is loaded", driver.kernel_via or "/proc/driver/nvidia/version"
            ),
            Evidence(f"{address} is {name}, {sm(gpu)} ({row.architecture})", "/sys/bus/pci"),
        )
        if driver.module == "open" and row.open_module == "no":
            title = f"the open kernel module does not drive {row.architecture} cards"
            yield kinds.driver.open_module_unsupported.found(title, evidence, install_driver(world))
            return
        if driver.module == "proprietary" and row.open_module == "required":
            title = f"{row.architecture} cards need the open kernel module"
            yield kinds.driver.open_module_required.found(title, evidence, install_driver(world))
            return


def _by_its_words(world: World) -> Finding | None:
    """The module said in the kernel log that it is the wrong one, and brought no card up."""
    for pattern, kind, title in (
        (_NOT_OPEN, kinds.driver.open_module_unsupported, "the open kernel module does not drive this GPU"),
        (_ONLY_OPEN, kinds.driver.open_module_required, "this GPU needs the open kernel module"),
    ):
        if logged := world.logged(pattern):
            return kind.found(title, (Evidence(logged[-1], "kernel log"),), install_driver(world))
    return None


def only_by_variable(world: World) -> Iterator[Finding]:
    """Triton asks the loader's cache for libcuda, and does not look into LD_LIBRARY_PATH."""
    found = [one for one in world.machine.libraries or () if one.name == "libcuda"]
    environment = world.environment
    if environment and has_compile(environment) and found and all(one.via == "LD_LIBRARY_PATH" for one in found):
        folder = found[0].path.rpartition("/")[0]
        yield kinds.triton.libcuda_not_in_ldcache.found(
            "libcuda is found by LD_LIBRARY_PATH alone, where torch.compile does not look",
            (Evidence(f"the only libcuda.so.1 is {found[0].path}", "LD_LIBRARY_PATH"),),
            Fix("tell Triton where it is, or the loader (ldconfig)", (("export", f"TRITON_LIBCUDA_PATH={folder}"),)),
        )


def libcuda(world: World) -> Iterator[Finding | Unchecked]:
    """Which libcuda.so.1 a program loads: a stub or a compatibility copy in front decides everything."""
    if world.machine.libraries is None:
        yield Unchecked("the loader's folders were not read")
        return
    first = world.library("libcuda")
    if first is None:
        return
    link = f", a link to {first.target}" if first.target else ""
    evidence = (Evidence(f"the first libcuda.so.1 is {first.path}{link}", first.via),)
    away = f"take {first.path.rpartition('/')[0]} out of the loader's path"
    if "/stubs" in first.place:
        yield kinds.driver.stub_libcuda.found(
            "a stub of libcuda is found before the driver's own",
            evidence,
            Fix(
                f"remove this link, and let `ldconfig` make the driver's own again (`{first.path}`)"
                if first.target
                else f"take {first.path.rpartition('/')[0]} out of LD_LIBRARY_PATH"
            ),
        )
    elif "/compat" in first.place and not world.bridged and world.host.cards and not world.host.kind.data_centre:
        yield kinds.driver.compat_on_geforce.found(
            "a forward-compatibility libcuda is found first, and this GPU cannot use it",
            (*evidence, *(world.gpu_evidence(card.index) for card in world.host.cards[:1])),
            Fix("remove this link" if first.target else f"{away}, or remove the package cuda-compat"),
        )
