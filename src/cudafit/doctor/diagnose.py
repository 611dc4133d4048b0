"""The diagnosis: every check, the one root cause, and what it explains."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from cudafit.doctor.registry import CHECKS, container_checks
from cudafit.doctor.wish import is_repaired
from cudafit.doctor.world import Unchecked, World
from cudafit.model.container_files import shown
from cudafit.model.environment import SYSTEM
from cudafit.model.finding import (
    ERROR,
    LAYERS,
    OK,
    SEVERITIES,
    UNKNOWN,
    WARNING,
    Finding,
    NotChecked,
    Report,
    Status,
    Which,
    is_wanted,
)
from cudafit.model.kinds import KINDS
from cudafit.resolve.request import Request
from cudafit.resolve.told import machine_lines
from cudafit.system.commands import path_word

_NO_GPU = "no NVIDIA GPU was found"  # as `machine_lines` says it
_INSIDE = ("libraries", "framework", "notebook")
NO_ENVIRONMENT = "no Python environment is active or in this folder"


def diagnose(
    world: World,
    *,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    described: str | None = None,
    which: Which | None = None,
    code: Sequence[Finding | NotChecked] = (),
) -> Report:
    """Runs the checks; `select` and `ignore` name findings or beginnings of them (`torch`, `env.cvd_empty`).

    `code` is what was found in training code, which is read elsewhere. `which` says where an environment was looked
    for: where there is none, what asks about one has seen nothing, which is not the same as that all is well.
    """
    findings = [one for one in code if isinstance(one, Finding) and is_wanted(one.id, select, ignore)]
    skipped = [one for one in code if isinstance(one, NotChecked)]
    checked, looks_inside = 0, False
    containers = world.project.containers
    # Files of containers are looked at by themselves: this shell's environment says nothing about them.
    for check in container_checks() if containers else CHECKS:
        wanted = [name for name in check.ids if is_wanted(name, select, ignore)]
        if not wanted:
            continue
        checked += 1
        looks_inside = looks_inside or _looks_inside(wanted)
        for told in check.function(world):
            if isinstance(told, Unchecked):
                skipped.append(NotChecked(check.name, told.reason))
            elif is_wanted(told.id, select, ignore) and told not in findings:
                findings.append(told)
    findings.sort(key=_place)
    nothing = _nothing_inside(world, which, findings) if looks_inside else None
    folded = tuple(_tried(world, _folded(findings)))
    cause = next((one for one in folded if one.severity == ERROR and one.explained_by is None), None)
    return Report(
        status=_status(world, findings, blind=nothing is not None),
        cause=cause.id if cause else None,
        findings=folded,
        skipped=(*_not_seen(world, nothing), *skipped, *_not_read(world)),
        environment=described,
        machine=_machine(world),
        checked=checked,
        repair=_repair(world, folded),
        files=tuple(map(shown, containers.paths)) if containers else (),
        which=which,
        owner=world.environment.owner if world.environment else None,
        gpus=None if containers else _gpus(world),
    )


def _gpus(world: World) -> int | None:
    state = world.host.kind.state
    return len(world.host.cards) if state == "gpu" else None if state == "undetermined" else 0


def _nothing_inside(world: World, which: Which | None, findings: Sequence[Finding]) -> str | None:
    """Why there was nothing to look at where an environment was to be judged: then nothing is known to be well."""
    if world.project.containers:
        return None
    if world.environment is None:
        return NO_ENVIRONMENT if which is not None and which.how == "none" else None
    if world.environment.has_something or any(one.layer in _INSIDE for one in findings):
        return None
    return "nothing in it uses a GPU: no torch, TensorFlow, JAX, CuPy or ONNX Runtime, and no CUDA library"


def _tried(world: World, findings: list[Finding]) -> list[Finding]:
    """With remedies that help, by another look at the environment as each would leave it."""
    if not any(one.fix and one.fix.automatic and one.fix.change for one in findings):
        return findings
    from cudafit.doctor.remedies import remedied  # noqa: PLC0415 - where something is to be changed

    return remedied(world, findings, _all_found)


def _all_found(world: World) -> list[Finding]:
    return [one for check in CHECKS for one in check.function(world) if not isinstance(one, Unchecked)]


def _machine(world: World) -> tuple[str, ...]:
    """With the cards that stand on the bus, where no driver shows any."""
    lines = machine_lines([world.host], world.facts.drivers, Request(()))
    names = ", ".join(name for _, name, _ in world.cards_on_the_bus)
    told = f"{names}, which no driver shows" if names else "a GPU that no driver shows" if world.has_gpu else _NO_GPU
    return tuple(line.replace(_NO_GPU, told, 1) for line in lines)


def _looks_inside(names: Sequence[str]) -> bool:
    """Whether a check asks about an environment, so that without one it has seen nothing.

    `--select driver` asks about the machine, though a framework may be too new for its driver.
    """
    return any(KINDS[name].layer in _INSIDE and not name.startswith("driver.") for name in names)


def _repair(world: World, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What answers every finding that a change of packages answers; none where cudafit changes nothing."""
    environment = world.environment
    if environment is None or not is_repaired(environment, findings):
        return ()
    if environment.kind == SYSTEM:
        return ("cudafit", "repair", path_word(environment.interpreter or environment.path), "--system")
    return ("cudafit", "repair", path_word(environment.path))


def _place(finding: Finding) -> tuple[int, int]:
    return SEVERITIES.index(finding.severity), LAYERS.index(finding.layer)


def _folded(findings: Sequence[Finding]) -> list[Finding]:
    """Each with the finding that explains it, if one does."""
    found = []
    for place, one in enumerate(findings):
        reason = next(
            (
                other.id
                for at, other in enumerate(findings)
                if _explains(other, one) and not (place < at and _explains(one, other))  # of two, the lower one
            ),
            None,
        )
        found.append(replace(one, explained_by=reason) if reason else one)
    return found


def _explains(reason: Finding, one: Finding) -> bool:
    told = reason.severity == ERROR and reason.id != one.id
    return told and one.id.startswith(KINDS[reason.id].explains)


def _status(world: World, findings: Sequence[Finding], *, blind: bool) -> Status:
    severities = {one.severity for one in findings}
    if ERROR in severities:
        return ERROR
    if blind or world.host.kind.state == "undetermined":
        return UNKNOWN
    return WARNING if WARNING in severities else OK


def _not_seen(world: World, nothing: str | None) -> list[NotChecked]:
    """What no check says by itself, and decides: the machine or the environment that could not be looked at."""
    found = []
    if world.host.kind.state == "undetermined":
        found.append(NotChecked("gpu", world.host.why or "the GPUs could not be determined"))
    if world.environment is None and not world.project.containers:
        found.append(NotChecked("environment", NO_ENVIRONMENT))
    elif nothing:
        found.append(NotChecked("environment", nothing))
    return found


def _not_read(world: World) -> list[NotChecked]:
    """Files that could not be read."""
    found: list[NotChecked] = []
    if world.project.containers:
        from cudafit.doctor.checks.images import files  # noqa: PLC0415 - as `container_checks`

        return found + [NotChecked("container-files", one.reason) for one in files(world)]
    for problem in world.environment.problems[:20] if world.environment else ():
        found.append(NotChecked("environment", problem.error))
    return found + [NotChecked("project", reason) for reason in world.project.unread[:20]]
