"""A machine as rows of a screen: one line a layer, each value with where it was learnt. Pure text, no colour."""

from collections.abc import Iterator, Sequence

from cudafit.model.machine import Gpu, Machine
from cudafit.render.row import Row

NOT_KNOWN = "not known"


def machine_rows(machine: Machine) -> list[Row]:
    """The screen of `cudafit inspect`, top to bottom."""
    return [
        *_gpu_rows(machine),
        *_driver_rows(machine),
        *_fabric_rows(machine),
        *_visible_rows(machine),
        *_software_rows(machine),
        *_host_rows(machine),
        *_note_rows(machine),
    ]


def _gpu_rows(machine: Machine) -> Iterator[Row]:
    for gpu in machine.gpus:
        yield Row(f"GPU {gpu.index}", _gpu_text(gpu), gpu.via or "", "good" if gpu.compute_capability else "warn")
        for part in gpu.mig_devices:
            memory = f" · {part.memory_mib} MiB" if part.memory_mib is not None else ""
            seen = "" if part.visible else " · hidden"
            name = (part.name or "MIG device").removeprefix(gpu.name or "").strip()
            yield Row("", f"{name} · {part.uuid or 'UUID not known'}{memory}{seen}", gpu.via or "")
    if not machine.gpus:
        yield Row("GPU", *_no_gpu(machine))


def _no_gpu(machine: Machine) -> tuple[str, str, str]:
    if machine.undetermined:
        return "could not be determined", "", "bad"
    if not machine.live:
        return "none found in its files (a disk that is not running shows none)", "", "quiet"
    if machine.driver is not None and machine.driver.via == "nvml":
        return "none that this user may use: the driver lists no GPU", machine.driver.via, "warn"
    if machine.os.system == "macos":
        return "none: macOS has no NVIDIA driver", "", "quiet"
    where = f"in this {machine.os.container} container" if machine.os.container else "on this machine"
    return f"no NVIDIA GPU {where}", "PCI bus, NVML" if machine.pci is not None else "NVML", "quiet"


def _gpu_text(gpu: Gpu) -> str:
    parts = [gpu.name or (f"NVIDIA device {gpu.pci_device_id}" if gpu.pci_device_id else "NVIDIA GPU, name not known")]
    parts.append(f"sm_{gpu.compute_capability.replace('.', '')}" if gpu.compute_capability else "capability not known")
    if gpu.memory_mib is not None:
        used = f", {gpu.memory_used_mib} used" if gpu.memory_used_mib is not None else ""
        parts.append(f"{gpu.memory_mib} MiB{used}")
    return " · ".join([*parts, *_gpu_flags(gpu)])


def _gpu_flags(gpu: Gpu) -> Iterator[str]:
    """What is out of the ordinary, in a few words each."""
    if not gpu.visible:
        yield "hidden"
    if gpu.mig:
        yield "MIG on" if gpu.mig_devices else "MIG on, no slices"
    if gpu.bound_driver not in (None, "nvidia"):
        yield f"held by {gpu.bound_driver}"
    elif gpu.via == "pci" and gpu.bound_driver is None:
        yield "no driver bound"
    if gpu.compute_mode not in (None, "default"):
        yield f"compute mode {gpu.compute_mode}"
    if gpu.virtualization == "vgpu":
        yield "vGPU"
    if gpu.processes:
        yield f"{len(gpu.processes)} process{'es' if len(gpu.processes) > 1 else ''}"
    yield from _slow(gpu)
    if gpu.fabric and gpu.fabric.state in ("not_started", "in_progress"):
        yield f"fabric {gpu.fabric.state.replace('_', ' ')}"
    if gpu.ecc and gpu.ecc.uncorrected:
        yield f"{gpu.ecc.uncorrected} uncorrected memory errors"
    if gpu.ecc and gpu.ecc.remapped and (gpu.ecc.remapped.pending or gpu.ecc.remapped.failed):
        yield "row remapping " + ("failed" if gpu.ecc.remapped.failed else "waits for a reset")
    if "handle" in gpu.unread:
        yield gpu.unread["handle"]


def _slow(gpu: Gpu) -> Iterator[str]:
    """What keeps it from its full speed."""
    slowed = [reason for reason in gpu.throttle_reasons or () if "slowdown" in reason]
    if slowed:
        yield "slowed: " + ", ".join(slowed)
    if gpu.pcie and gpu.pcie.width and gpu.pcie.width_max and gpu.pcie.width < gpu.pcie.width_max:
        yield f"PCIe x{gpu.pcie.width} of x{gpu.pcie.width_max}"
    if gpu.power_limit_w and gpu.power_limit_default_w and gpu.power_limit_w < 0.8 * gpu.power_limit_default_w:
        yield f"power limit {gpu.power_limit_w:g} of {gpu.power_limit_default_w:g} W"


def _driver_rows(machine: Machine) -> Iterator[Row]:
    driver = machine.driver
    if driver is None:
        yield Row("driver", "no NVIDIA driver is loaded", tone="warn" if machine.gpus else "quiet")
        return
    module = f" · {driver.module} kernel module" if driver.module else ""
    if driver.kernel and driver.library and driver.kernel != driver.library:
        yield Row("driver", f"kernel module {driver.kernel}", driver.kernel_via or "", "bad")
        yield Row("", f"library {driver.library}: not the same version", driver.library_via or "", "bad")
    else:
        tone = "good" if driver.version else "warn"
        yield Row("driver", f"{driver.version or NOT_KNOWN}{module}", driver.via or "", tone)
    if driver.cuda:
        yield Row("CUDA limit", driver.cuda, driver.cuda_via or driver.via or "", "good")
    else:
        yield Row("CUDA limit", NOT_KNOWN, tone="warn")


def _fabric_rows(machine: Machine) -> Iterator[Row]:
    manager = machine.fabric_manager
    if machine.nvswitches:
        running = {True: "runs", False: "does not run", None: "not known"}[manager.running if manager else None]
        version = f" {manager.version}" if manager and manager.version else ""
        text = f"{len(machine.nvswitches)} · Fabric Manager{version} {running}"
        yield Row("NVSwitches", text, "PCI bus", "warn" if running == "does not run" else "plain")


def _visible_rows(machine: Machine) -> Iterator[Row]:
    seen = machine.visible_devices
    if seen is not None and seen.variable is not None:
        order = ", ".join(f"GPU {item}" if isinstance(item, int) else item for item in seen.order) or "none"
        text = f"{order} (CUDA_VISIBLE_DEVICES={seen.variable})" + ("" if seen.certain else " · not certain")
        yield Row("visible", text, "environment", "plain" if seen.order and not seen.note else "warn")
    if seen is not None and seen.note:
        yield Row("" if seen.variable is not None else "visible", seen.note, "", "warn")
    for override in machine.overrides:
        yield Row("override", f"{override.field} = {override.value or 'none'}", override.variable, "warn")


def _software_rows(machine: Machine) -> Iterator[Row]:
    if machine.toolkits is not None:
        yield from _list_rows(
            "toolkits",
            "no CUDA toolkit (wheels bring what they need)",
            [(f"{kit.version or NOT_KNOWN}  {kit.path}", kit.via) for kit in machine.toolkits],
        )
    if machine.libraries:
        texts = [f"{library.name} {library.version or '(version not known)'}" for library in machine.libraries]
        yield Row("libraries", ", ".join(dict.fromkeys(texts)), _joined(library.via for library in machine.libraries))
    if machine.pythons is not None:
        texts = [python.version for python in machine.pythons]
        via = _joined(python.via for python in machine.pythons)
        yield Row("Pythons", ", ".join(dict.fromkeys(texts)) or "none found", via, "plain" if texts else "quiet")
    if machine.conda:
        found = [(f"{base.kind} {base.version or ''}".strip() + f"  {base.path}", base.via) for base in machine.conda]
        yield from _list_rows("conda", "", found)


def _host_rows(machine: Machine) -> Iterator[Row]:
    system = machine.os
    parts = [system.distro or system.system, system.arch or "processor not known", system.libc]
    parts.append(f"kernel {system.kernel}" if system.kernel else None)
    yield Row("system", " · ".join(part for part in parts if part), system.via.get("distro", ""))
    if system.tegra:
        l4t = f" · Jetson Linux {system.tegra.l4t}" if system.tegra.l4t else ""
        yield Row("board", f"{system.tegra.model or 'NVIDIA Tegra'}{l4t}", system.tegra.via or "")
    if system.wsl:
        yield Row("WSL", str(system.wsl_version or NOT_KNOWN), system.via.get("wsl", ""))
    if system.container:
        yield Row("container", system.container, system.via.get("container", ""))
    if machine.limits and machine.limits.slurm:
        job = machine.limits.slurm
        gpus = job.get("SLURM_JOB_GPUS") or job.get("SLURM_STEP_GPUS") or "none named"
        yield Row("Slurm", f"job {job.get('SLURM_JOB_ID', NOT_KNOWN)}, GPUs {gpus}", "environment")
    if system.secure_boot and machine.gpus and machine.driver is None:
        yield Row("secure boot", "on: an unsigned driver module is refused", system.via.get("secure_boot", ""), "warn")
    for node in machine.device_nodes or ():
        if node.access is False:
            owner = f"{node.owner}:{node.group} {node.mode}"
            yield Row("device file", f"{node.path} cannot be opened: {node.error} ({owner})", "open", "bad")


def _note_rows(machine: Machine) -> Iterator[Row]:
    for problem in machine.problems:
        yield Row("problem", problem.error, problem.probe, "bad")
    for skipped in machine.skipped:
        yield Row("not asked", skipped.reason, skipped.probe, "quiet")


def _list_rows(label: str, nothing: str, found: Sequence[tuple[str, str]]) -> Iterator[Row]:
    if not found:
        yield Row(label, nothing, tone="quiet")
    for number, (text, via) in enumerate(found):
        yield Row(label if number == 0 else "", text, via)


def _joined(words: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(words))
