"""What the frameworks said themselves, where they were run (`--deep`)."""

from collections.abc import Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Ran
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.messages import Match
from cudafit.system.commands import joined


def ran(world: World) -> Iterator[Finding | Unchecked]:
    environment = world.environment
    if environment is None or environment.ran is None:
        return
    for one in environment.ran:
        yield from _judged(one, world, environment.interpreter or "python")


def _judged(one: Ran, world: World, interpreter: str) -> Iterator[Finding | Unchecked]:
    what = f"{one.framework} {one.version or ''}".strip()
    if one.error:
        did = "failed at its first operation on the GPU" if one.imported else "cannot be imported"
        kind = kinds.run.operation_failed if one.imported else kinds.run.import_failed
        meaning = _meaning(one)
        title = f"{what} {did}" + (f": {meaning.says or meaning.title}" if meaning else "")
        yield kind.found(title, (Evidence(one.error, interpreter), *_quoted(one, meaning, interpreter)), _fix(meaning))
    elif one.devices == 0 and world.visible:
        meaning = _meaning(one)
        seen = (Evidence(f"{what} sees 0 GPUs", interpreter), Evidence(f"{len(world.visible)} are visible", "nvml"))
        title = f"{what} runs and sees no GPU" + (f": {meaning.says or meaning.title}" if meaning else "")
        yield kinds.run.gpu_not_seen.found(title, (*seen, *_quoted(one, meaning, interpreter)), _fix(meaning))
    elif one.devices is not None and len(one.worked) < one.devices:
        bad = [index for index in range(one.devices) if index not in one.worked]
        evidence = (Evidence(f"a matrix product was wrong on GPU {bad[0]}", interpreter),)
        yield kinds.run.operation_failed.found(f"{what} computes wrongly on GPU {bad[0]}", evidence)


def _meaning(one: Ran) -> Match | None:
    """The root of what it said, where the rules know it."""
    told = one.meaning
    return next((match for match in told.matches if match.id == told.root), None) if told and told.root else None


def _quoted(one: Ran, meaning: Match | None, interpreter: str) -> tuple[Evidence, ...]:
    """The line that tells, where the error itself does not hold it."""
    if meaning is None or (one.error and meaning.text.strip() in one.error):
        return ()
    if one.error and one.error in meaning.text:
        return ()
    return (Evidence(meaning.text.strip(), f"stderr of {interpreter}"),)


def _fix(meaning: Match | None) -> Fix | None:
    """What the text's own rule says to do, and the page that says more."""
    if meaning is None:
        return None
    page = ("cudafit", "explain", meaning.id)
    told = meaning.fix
    if told is None:
        return Fix(f"see `{joined(page)}`", (page,)) if meaning.id in kinds.KINDS else None
    return Fix(told.text, (*told.commands, page) if meaning.id in kinds.KINDS else told.commands)
