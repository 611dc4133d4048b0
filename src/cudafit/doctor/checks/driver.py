"""The kernel module and the driver's libraries."""

import re
from collections.abc import Iterator

from cudafit.doctor.checks.compilers import has_compile
from cudafit.doctor.fixes import install_driver
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.machine import Library
from cudafit.model.matrix import ArchitectureSupport
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import sm


def not_loaded(world: World) -> Iterator[Finding | Unchecked]:
    machine = world.machine
    if machine.os.wsl or machine.os.tegra or machine.os.container or not machine.pci:
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
        yield kinds.driver.nouveau_bound.found(
            "the nouveau driver holds the GPU, and it has no CUDA",
            cards,
            install_driver(world),
        )
    elif any(device.driver == "vfio-pci" for device in machine.pci):
        yield Unchecked("the GPU is given to a virtual machine (vfio-pci)")
    elif _dropped(world):
        return  # its module was loaded, and left: the check of the branch says why
    elif found := _on_the_disk(world):
        yield found
    else:
        yield kinds.driver.not_loaded.found(
            "no NVIDIA driver is loaded",
            (*cards, Evidence("no NVIDIA kernel module is loaded", "/proc/driver/nvidia/version")),
            install_driver(world),
        )


_BUILD = {
    "ubuntu": (("apt", "install", "linux-headers-{kernel}"), ("dkms", "autoinstall")),
    "debian": (("apt", "install", "linux-headers-{kernel}"), ("dkms", "autoinstall")),
}


def _on_the_disk(world: World) -> Finding | None:
    """The module is installed, and not loaded: for another kernel, or refused by Secure Boot."""
    system, modules = world.machine.os, world.machine.kernel_modules
    if not modules or not system.kernel:
        return None
    running = Evidence(f"kernel {system.kernel} runs", system.via.get("kernel", "/proc/sys/kernel/osrelease"))
    there = Evidence(f"an NVIDIA module is on the disk for {', '.join(modules[:3])}", "/lib/modules")
    if system.kernel not in modules:
        commands = _BUILD.get((system.distro or "").partition(" ")[0], (("dkms", "autoinstall"),))
        return kinds.driver.module_missing_for_kernel.found(
            "the NVIDIA module was not built for the running kernel",
            (running, there),
            Fix(
                "install the headers of this kernel and build the module, or boot the kernel that has it; then reboot",
                tuple(tuple(word.format(kernel=system.kernel) for word in command) for command in commands),
                root=True,
                reboot=True,
            ),
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
    driver = world.machine.driver
    told = next((one for one in world.machine.problems if "version mismatch" in one.error), None)
    if driver is None or world.machine.os.wsl:
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
    return not re.search(r"/(compat|stubs|i386-linux-gnu|lib32)/", library.path)


def drops_the_card(world: World) -> Iterator[Finding]:
    if told := _dropped(world):
        version, card, row = told
        yield kinds.driver.branch_dropped_gpu.found(
            f"driver {version.fact} does not drive {row.architecture} cards any more",
            (
                card,
                world.driver_evidence if world.machine.driver else Evidence(f"driver {version.fact}", version.via),
                Evidence(f"the last branch for {row.architecture} is {row.last_branch}", ", ".join(row.sources)),
            ),
            install_driver(world, row.last_branch),
        )


def _dropped(world: World) -> tuple[Evidence, Evidence, ArchitectureSupport] | None:
    """The driver's version, a card that it leaves alone, and what is known of such cards."""
    version = _driver_here(world)
    if version is None or world.machine.os.wsl:
        return None
    branch = numbers(version.fact)[0]
    for address, name, gpu in world.cards_on_the_bus:
        row = world.architecture(gpu)
        if row and row.last_branch and branch > int(row.last_branch):
            return version, Evidence(f"{address} is {name}, {sm(gpu)}", "/sys/bus/pci"), row
    return None


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


_IGNORES = r"The (\d{3}\.[\d.]*\d) NVIDIA driver will ignore"


def wrong_module(world: World) -> Iterator[Finding]:
    """The open kernel module begins with Turing; Blackwell has no other."""
    driver = world.machine.driver
    if driver is None or driver.module is None or world.machine.os.wsl:
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
    evidence = (Evidence(f"the first libcuda.so.1 is {first.path}", first.via),)
    if "/stubs" in first.path:
        yield kinds.driver.stub_libcuda.found(
            "a stub of libcuda is found before the driver's own",
            evidence,
            Fix(f"take {first.path.rpartition('/')[0]} out of LD_LIBRARY_PATH"),
        )
    elif "/compat" in first.path and world.host.cards and not world.host.kind.data_centre:
        yield kinds.driver.compat_on_geforce.found(
            "a forward-compatibility libcuda is found first, and this GPU cannot use it",
            (*evidence, *(world.gpu_evidence(card.index) for card in world.host.cards[:1])),
            Fix(f"take {first.path.rpartition('/')[0]} out of the loader's path, or remove the package cuda-compat"),
        )
