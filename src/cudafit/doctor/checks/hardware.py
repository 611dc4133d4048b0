"""The cards themselves."""

import re
from collections.abc import Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.finding import INFO, WARNING, Evidence, Finding, Fix
from cudafit.model.machine import Ecc, Gpu, PcieLink

_BUSY_PERCENT = 10
# A user may lower the limit somewhat to save power; `inspect` shows it from here on, too.
CLEARLY_LOWER = 0.8
_HOT = ("hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown")


def no_gpu(world: World) -> Iterator[Finding | Unchecked]:
    if world.has_gpu is None:
        yield Unchecked(world.machine.undetermined or "the PCI bus could not be read")
    elif not world.has_gpu and not world.machine.os.wsl:
        via = "/sys/bus/pci/devices" if world.machine.os.system == "linux" else "nvml"
        yield kinds.gpu.none.found(
            "there is no NVIDIA GPU here",
            (Evidence("no device of vendor 10de", via),),
        )


def lost(world: World) -> Iterator[Finding]:
    told = [problem for problem in world.machine.problems if "GPU is lost" in problem.error]
    unread = [(gpu, why) for gpu in world.machine.gpus for why in gpu.unread.values() if "GPU is lost" in why]
    unread += _without_handle(world)
    logged = world.logged(r"fallen off the bus|Xid \(.*\): 79,")
    if told or unread or logged:
        evidence = [Evidence(problem.error, problem.probe) for problem in told]
        evidence += [Evidence(line, "kernel log") for line in logged[-1:]]
        evidence += [Evidence(f"GPU {gpu.index}: {why}", "nvml") for gpu, why in unread[:1]]
        yield kinds.gpu.fallen_off_bus.found(
            "a GPU does not answer any more",
            tuple(evidence),
            Fix("check its power cables and slot, then reboot", reboot=True),
        )


def _without_handle(world: World) -> list[tuple[Gpu, str]]:
    """NVML gives no handle of it (`Unknown Error`), while others answer: where none does, it is no matter of a card."""
    gpus = world.machine.gpus
    silent = [(gpu, gpu.unread["handle"]) for gpu in gpus if "Unknown Error" in gpu.unread.get("handle", "")]
    return silent if len(silent) < len(gpus) else []


def log_unread(world: World) -> Iterator[Finding | Unchecked]:
    """Most users may not read it. It is a finding only where something is wrong, and the log would say what."""
    machine = world.machine
    if machine.kernel_log is not None or not machine.pci or not machine.live:
        return
    why = next((one.reason for one in machine.skipped if one.probe == "kernel-log"), "it was not read")
    ran = (world.environment.ran if world.environment else None) or ()
    unlisted = any(device.driver == "nvidia" for device in machine.pci) and not machine.gpus
    if not unlisted and not machine.undetermined and not any(one.error for one in ran):
        yield Unchecked(f"errors of the GPU that only the kernel log tells: {why}")
    else:
        yield kinds.info.kernel_log_unreadable.found(
            "the kernel log was not checked, which is not to say that it has no errors",
            (Evidence(why, "/dev/kmsg"),),
        )


def failed_to_start(world: World) -> Iterator[Finding]:
    """The driver's module is right, and a card does not come up."""
    logged = world.logged(r"RmInitAdapter failed|failed to initialize (the )?adapter")
    if logged and not world.machine.gpus:
        yield kinds.gpu.init_failed.found(
            "the driver could not start the GPU",
            tuple(Evidence(line, "kernel log") for line in logged[-2:]),
            Fix("in the firmware: Above 4G decoding and Resizable BAR; check the power cables; try another slot"),
        )


# NVIDIA's Xid catalogue: double-bit errors, row remapping, contained and uncontained errors.
_MEMORY_XIDS = r"Xid \(.*\): (48|64|94|95),"


def memory_xids(world: World) -> Iterator[Finding]:
    if logged := [line for line in world.logged(_MEMORY_XIDS) if not _replaced_since(world, line)]:
        yield kinds.gpu.ecc_error.found(
            "the kernel log has errors of a GPU's memory",
            tuple(Evidence(line, "kernel log") for line in logged[-2:]),
            Fix("reset the GPU or reboot; return the card if it comes back", reboot=True),
        )


def _replaced_since(world: World, line: str) -> bool:
    """Whether the card that a line names has had the bad rows replaced: the log keeps what a reset has mended."""
    match = re.search(r"PCI:([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)", line, re.I)
    told = [int(part, 16) for part in match.groups()] if match else None
    for gpu in world.machine.gpus:
        parts = re.findall(r"[0-9a-f]+", (gpu.pci_address or "").lower())[:3]
        if told == [int(part, 16) for part in parts] and gpu.ecc and gpu.ecc.remapped:
            return gpu.ecc.remapped.uncorrectable > 0 and _replaced(gpu.ecc)
    return False


def _replaced(ecc: Ecc) -> bool:
    """The driver has put spare rows in place of the bad ones, and nothing is left to do."""
    rows = ecc.remapped
    return bool(rows and not rows.pending and not rows.failed and rows.uncorrectable >= (ecc.uncorrected or 0))


def ecc(world: World) -> Iterator[Finding]:
    for gpu in world.machine.gpus:
        if gpu.ecc is None:
            continue
        rows = gpu.ecc.remapped
        broken = rows is not None and (rows.pending or rows.failed)
        if broken or (gpu.ecc.uncorrected and not _replaced(gpu.ecc)):
            facts = (
                [f"{gpu.ecc.uncorrected} uncorrected errors since the driver was loaded"] if gpu.ecc.uncorrected else []
            )
            if rows and rows.pending:
                facts.append("a row of memory waits to be remapped")
            if rows and rows.failed:
                facts.append("remapping a row of memory failed")
            yield kinds.gpu.ecc_error.found(
                f"GPU {gpu.index} has errors in its memory",
                tuple(Evidence(f"GPU {gpu.index}: {fact}", "nvml") for fact in facts),
                Fix("reset the GPU or reboot; return the card if it comes back", reboot=True),
            )
        elif rows and (rows.correctable or rows.uncorrectable):
            fact = f"GPU {gpu.index}: {rows.correctable + rows.uncorrectable} rows were remapped, none is pending"
            yield kinds.info.ecc_recovered.found(
                f"GPU {gpu.index} has replaced worn rows of its memory",
                (Evidence(fact, "nvml"),),
            )


def link(world: World) -> Iterator[Finding]:
    """A card at rest lowers its link by itself: only a busy one tells."""
    for gpu in world.machine.gpus:
        pcie = gpu.pcie
        if pcie is None or pcie.width is None or pcie.width_max is None or pcie.width >= pcie.width_max:
            continue
        if (gpu.utilization_percent or 0) < _BUSY_PERCENT:
            yield _at_rest(gpu, pcie)
            continue
        yield kinds.perf.pcie_degraded.found(
            f"GPU {gpu.index} uses {pcie.width} of {pcie.width_max} PCIe lanes",
            (
                Evidence(
                    f"GPU {gpu.index}: x{pcie.width} of x{pcie.width_max} at {gpu.utilization_percent} % load", "nvml"
                ),
            ),
            Fix("check the slot and the riser; some boards share lanes between slots"),
        )


def _at_rest(gpu: Gpu, pcie: PcieLink) -> Finding:
    """Fewer lanes at rest may come back under load, and may be a riser's fault: told, without a judgement."""
    generation = f", generation {pcie.generation} of {pcie.generation_max}" if pcie.generation else ""
    return kinds.ok.pcie_idle_downshift.found(
        f"GPU {gpu.index} rests, and its PCIe link is lowered: look again while it works",
        (Evidence(f"GPU {gpu.index}: x{pcie.width} of x{pcie.width_max}{generation} at rest", "nvml"),),
    )


def throttled(world: World) -> Iterator[Finding]:
    for gpu in world.machine.gpus:
        reasons = gpu.throttle_reasons or ()
        hot = [reason for reason in reasons if reason in _HOT]
        lowered = _lowered(gpu)
        if hot:
            facts = [f"GPU {gpu.index}: {', '.join(hot)}", *([f"GPU {gpu.index}: {lowered}"] if lowered else [])]
            yield kinds.perf.throttled.found(
                f"GPU {gpu.index} lowers its clock to protect itself",
                tuple(Evidence(fact, "nvml") for fact in facts),
                Fix("check cooling, dust and the power supply"),
            )
        elif lowered:
            # Many lower it on purpose, against heat and noise: it is a warning where it holds the card back.
            capped = "sw_power_cap" in reasons
            fact = f"GPU {gpu.index}: {lowered}" + (", and sw_power_cap holds its clock down" if capped else "")
            yield kinds.perf.throttled.found(
                f"GPU {gpu.index} may not use all its power: {lowered}",
                (Evidence(fact, "nvml"),),
                Fix(
                    "where nobody set this: check the power supply and the server's own power limits (BMC, iDRAC, iLO)",
                    (("nvidia-smi", "-i", str(gpu.index), "-pl", f"{gpu.power_limit_default_w:g}"),),
                    root=True,
                ),
                severity=WARNING if capped else INFO,
            )
        elif "sw_power_cap" in reasons:
            yield kinds.info.power_capped.found(
                f"GPU {gpu.index} runs at its power limit, which is normal at full load",
                (Evidence(f"GPU {gpu.index}: sw_power_cap", "nvml"),),
            )


def _lowered(gpu: Gpu) -> str | None:
    """A laptop shares its power between processor and GPU, and lowers the limit by itself: no fault."""
    limit, default = gpu.power_limit_w, gpu.power_limit_default_w
    if (
        re.search(r"\b(Laptop|Mobile|Max-Q)\b", gpu.name or "")
        or not limit
        or not default
        or limit >= CLEARLY_LOWER * default
    ):
        return None
    return f"its power limit is {limit:g} of {default:g} W"


# Some correctable errors a day are usual on a sound link, and the counters run from the start of the machine, which may
# be months. A bad riser, slot or cable gives thousands within hours.
_MANY_CORRECTABLE = 1000
_AER = "/sys/bus/pci/devices/*/aer_dev_*"


def pcie_errors(world: World) -> Iterator[Finding]:
    for device in (*(world.machine.pci or ()), *(world.machine.nvswitches or ())):
        errors = device.errors
        if errors is None:
            continue
        lost = (errors.nonfatal or 0) - (errors.rejected or 0)
        found = [
            (errors.fatal or 0, 1, "fatal errors"),
            (lost, 1, "errors that lost a transaction"),
            (errors.correctable or 0, _MANY_CORRECTABLE, "corrected errors"),
        ]
        facts = [f"{device.address}: {count} {what}" for count, least, what in found if count >= least]
        if facts:
            yield kinds.gpu.pcie_errors.found(
                f"the PCIe link of {device.address} makes errors",
                tuple(Evidence(f"{fact} since the machine was started", _AER) for fact in facts),
                Fix("seat the card and its cables again; try another slot, or without the riser"),
            )
