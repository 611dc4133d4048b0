"""Takes the snapshot: runs the probes and joins what they read into one `Machine`."""

from collections.abc import Sequence

from cudafit import __version__
from cudafit.machine import nvidia_smi, nvml
from cudafit.machine.cards import Hardware, driver_of, gpus_of, undetermined, with_visibility
from cudafit.machine.context import Context
from cudafit.machine.device_nodes import is_tegra, with_openings
from cudafit.machine.environment import overrides, read_environment
from cudafit.machine.first_probes import FIRST, KERNEL, NODES, PCI, PROC_GPUS, PYTHONS, SYSTEM
from cudafit.machine.pci import is_switch
from cudafit.machine.probe import Readings
from cudafit.machine.question import Question
from cudafit.model.machine import Library, Machine, PciDevice
from cudafit.model.visible_devices import visible_devices


def take(context: Context, question: Question | None = None, *, brief: bool = False) -> Machine:
    """One true picture of the machine; whatever fails is in its `problems`.

    `question` is NVML, asked already; it works in its own process while the files are read here. A brief picture leaves
    out (as not known) what no build depends on: toolkits, libraries, conda installations, limits.
    """
    _note_unasked(context, question)
    got = Readings(context)
    got.take(FIRST)
    if brief:
        got.take((PYTHONS,))
        _note_other_system(context)
        return _joined(context, got, question, got[PCI], ())
    # Loaded only here: a brief picture is taken where every millisecond counts.
    from cudafit.machine import full_probes as full  # noqa: PLC0415

    got.take((*full.FULL, PYTHONS))
    _note_other_system(context)
    machine = _joined(context, got, question, got[full.PCI_ERRORS], got[full.LIBRARIES] or ())
    return full.completed(machine, got)


def _joined(
    context: Context,
    got: Readings,
    question: Question | None,
    bus: Sequence[PciDevice] | None,
    libraries: Sequence[Library],
) -> Machine:
    nodes, kernel, system = got[NODES] or (), got[KERNEL], got.sure(SYSTEM)
    switches = tuple(device for device in bus or () if is_switch(device.pci_class))
    pci = tuple(bus or ())[: len(bus or ()) - len(switches)]
    reading = nvml.interpret(question.answer()) if question else None
    hardware = Hardware(system, kernel, got[PROC_GPUS] or [], pci, not all(is_tegra(node) for node in nodes))
    asked = _ask_further(context, reading)
    _note_reading(context, reading, hardware)
    gpus = gpus_of(context, hardware, reading, asked)
    environment = read_environment(context.environ)
    seen = visible_devices(gpus, environment) if context.live else None
    return Machine(
        os=system,
        driver=driver_of(context, kernel, reading, asked, libraries),
        gpus=with_visibility(gpus, seen),
        problems=tuple(context.notes.problems),
        cudafit=__version__,
        root=context.files.root,
        live=context.live,
        undetermined=undetermined(hardware, reading, asked, gpus),
        visible_devices=seen,
        pci=pci if bus is not None else None,
        nvswitches=switches if bus is not None else None,
        device_nodes=with_openings(nodes, reading.nodes if reading else {}) if context.linux else None,
        pythons=got[PYTHONS],
        environment=environment,
        overrides=overrides(context.environ),
        skipped=tuple(context.notes.skipped),
    )


def _note_other_system(context: Context) -> None:
    if context.linux:
        return
    from cudafit.machine.full_probes import LINUX_ONLY  # noqa: PLC0415 - for other systems alone

    for probe in LINUX_ONLY:
        context.notes.skip(probe, f"reads files that {context.system} does not have")


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
