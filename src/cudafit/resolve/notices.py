"""What a user should know beside the answer itself."""

from collections.abc import Iterator, Sequence

from cudafit.model.fit import CPU, PTX, UNKNOWN, Pick
from cudafit.model.kernels_in_use import in_use
from cudafit.model.matrix import DEFAULT_INDEX, PAIRED, UNREAD_KERNELS, Build, Spare
from cudafit.model.versions import numbers
from cudafit.resolve.candidates import Lost
from cudafit.resolve.command import SOURCE
from cudafit.resolve.host import Host
from cudafit.resolve.kernels import oldest, sm
from cudafit.resolve.libraries import Lack, is_collective
from cudafit.resolve.opened import lacking, told
from cudafit.resolve.pins import is_gpu, label, requirements
from cudafit.resolve.problem import Problem
from cudafit.resolve.search import Combination
from cudafit.resolve.stock import WITHOUT_CUDA
from cudafit.resolve.told import listed
from cudafit.resolve.versions import parsed
from cudafit.system.commands import command_text

_CUDA_EXTRAS = {"cuda", "cudnn"}


def warnings_of(problem: Problem, combination: Combination, picks: Sequence[Pick]) -> Iterator[str]:
    """What works, but not as well as one might think."""
    yield from _dropped(problem)
    for pick in picks:
        compiled = [gpu for gpu in pick.gpus if gpu.how == PTX]
        if compiled and pick.requested:
            gpus = listed([f"GPU {gpu.index}" + (f" of {gpu.machine}" if gpu.machine else "") for gpu in compiled])
            yield (
                f"{pick.name} {pick.version} has no kernels for {gpus}, only PTX ({compiled[0].kernel}): the driver"
                f" compiles it on first use, which takes minutes (source: {_source(pick)})"
            )
        if spare := next((row for row in problem.library.facts.spares if row.package == pick.name), None):
            yield from _spare(combination, pick, spare)
        elif pick.requested and pick.name in _with_kernels(problem) and any(gpu.how == UNKNOWN for gpu in pick.gpus):
            yield f"which kernels {pick.name} {pick.version} ({pick.variant}) holds has not been read"
        if not pick.verified and pick.note != UNREAD_KERNELS:
            why = pick.note or "its source does not settle it"
            hint = "; `-o pylock.toml` asks the index whether it is there" if why.startswith(PAIRED) else ""
            yield f"{pick.name} {pick.version} ({pick.variant}) is not verified: {why}{hint}"
    yield from _collective(problem, combination)


def _dropped(problem: Problem) -> Iterator[str]:
    """A driver that no longer drives the card: on a machine that is only described, nothing else tells."""
    for kind in problem.kinds:
        if not kind.driver or kind.wsl or problem.request.cpu:
            continue
        for gpu in kind.capabilities:
            name = f"{gpu[0]}.{gpu[1]}"
            row = next((row for row in problem.library.facts.architectures if name in row.capabilities), None)
            if row and row.last_branch and numbers(kind.driver)[0] > int(row.last_branch):
                source = row.sources[0] if row.sources else "none told"
                yield (
                    f"driver {kind.driver} leaves {sm(gpu)} alone: the last branch for {row.architecture} is"
                    f" {row.last_branch} (source: {source})"
                )


def _spare(combination: Combination, pick: Pick, spare: Spare) -> Iterator[str]:
    """What works without its own kernels, where they are for other GPUs."""
    build = next(one.build for one in (*combination.picks, *combination.along) if one.build.name == pick.name)
    without = [gpu.index for gpu in pick.gpus if gpu.how == UNKNOWN]
    if build.kernels and without:
        gpus = listed(f"GPU {number}" for number in without)
        yield (
            f"{pick.name} {pick.version} has no kernels of its own for {gpus}: {spare.why}"
            f" (source: {spare.sources[0] if spare.sources else _source(pick)})"
        )


def _with_kernels(problem: Problem) -> set[str]:
    """The packages whose kernels are read as a rule; of the others nobody expects to be told."""
    return {name for name in problem.asked() if any(build.kernels for build in problem.library.builds(name))}


def _collective(problem: Problem, combination: Combination) -> Iterator[str]:
    """NCCL that is pinned and has no kernels for the card: single GPUs work, several together do not."""
    for candidate in (*combination.picks, *combination.along):
        for item in requirements(candidate.build):
            if not is_collective(item.name) or not is_gpu(candidate.build):
                continue
            for platform in {kind.platform for kind in problem.kinds}:
                lack = problem.library.libraries.judge(item.name, (item.specifier,), platform, problem.capabilities)
                if isinstance(lack, Lack):
                    yield (
                        f"{label(candidate.build)} brings {item.name}{item.specifier}, which has no kernels for"
                        f" {sm(lack.capability)}: one GPU works, several together do not (source: {lack.source})"
                    )


def notes_of(
    problem: Problem, combination: Combination | None, picks: Sequence[Pick], hosts: Sequence[Host]
) -> Iterator[str]:
    """Facts that explain the answer."""
    yield from _of_hosts(hosts)
    for name in problem.asked():
        if row := problem.library.named(name, "elsewhere", "dead"):
            yield f"{name}: {row.note} (source: {row.sources[0] if row.sources else 'none told'})"
    if combination:
        for number, name in enumerate(problem.asked()):
            yield from _end_of_line(problem, name, combination.picks[number].build)
            yield from _default_is_cpu(problem, combination.picks[number].build)
        yield from _opened(problem, combination)
        for pick in picks:
            if pick.requested and pick.note == WITHOUT_CUDA:
                yield f"{pick.name}: {pick.note}"
            if pick.variant == SOURCE and any(one.name == "torch" for one in picks):
                # Source: flash-attention's README, "Installation and features".
                command = command_text("uv", "pip", "install", "--no-build-isolation", pick.requirement)
                yield (
                    f"{pick.name} is built where it is installed, and its build imports torch: install the others"
                    f" first, then `{command}`"
                )


def _opened(problem: Problem, combination: Combination) -> Iterator[str]:
    """Of what was asked for without the extra that would bring them; conda's packages need what they open."""
    if problem.request.conda:
        return
    extras = {name for name, items in problem.words.items() if any(_CUDA_EXTRAS & {*item.extras} for item in items)}
    builds = [one.build for one in (*combination.picks, *combination.along)]
    for build in builds:
        beside = [one for one in builds if one is not build]
        if build.name not in extras and (needs := lacking(build, beside, problem.words)):
            yield told(build, needs)


def _of_hosts(hosts: Sequence[Host]) -> Iterator[str]:
    """What is true of single machines: said once, with the machines that it is true of."""
    where: dict[str, list[str]] = {}
    for host in hosts:
        for note in host.notes:
            where.setdefault(note, []).append(host.label)
        if host.hidden and host.cards:
            cards = listed([f"GPU {card.index} ({card.label})" for card in host.hidden])
            where.setdefault(f"hidden, so not counted: {cards}", []).append(host.label)
    for note, labels in where.items():
        yield note if len(hosts) == 1 else f"{listed(labels)}: {note}"


def _end_of_line(problem: Problem, name: str, picked: Build) -> Iterator[str]:
    """The newest version whose kernels serve these cards, when newer ones dropped them."""
    field = problem.field(name)
    dropped = [lost for lost in field.lost if _is_too_new(lost, problem)]
    newer = [lost for lost in dropped if parsed(lost.build.version) > parsed(picked.version)]
    if not newer or any(
        parsed(build.version) > parsed(picked.version) and not build.platform.startswith("macos")
        for build in _still_serving(problem, name)
    ):
        return
    gpu = min(problem.capabilities)
    first = min(newer, key=lambda lost: parsed(lost.build.version)).build.version
    last = f"{name} {picked.version} ({picked.variant})"
    yield f"{last} is the last {name} for {sm(gpu)}: from {first} on no build has kernels for it"


def _is_too_new(lost: Lost, problem: Problem) -> bool:
    """Lost since its oldest kernel is for newer GPUs than the oldest one here."""
    if lost.obstacle.rule not in ("kernels", "libraries") or not lost.build.kernels or not problem.capabilities:
        return False
    first = oldest(in_use(lost.build.kernels, lost.build.partly))
    return first is not None and min(problem.capabilities) < first


def _still_serving(problem: Problem, name: str) -> list[Build]:
    """Builds of this platform that the cards' age does not rule out, whatever else does."""
    field = problem.field(name)
    too_new = {id(lost.build) for lost in field.lost if lost.obstacle.rule in ("kernels", "libraries")}
    elsewhere = {id(lost.build) for lost in field.lost if lost.obstacle.rule in ("platform", "cpu")}
    builds = [candidate.build for candidate in field.candidates]
    builds += [lost.build for lost in field.lost if id(lost.build) not in too_new | elsewhere]
    return [build for build in builds if is_gpu(build) and not parsed(build.version).is_prerelease]


def _default_is_cpu(problem: Problem, picked: Build) -> Iterator[str]:
    """Where the default index has a wheel of this version that cannot use the GPU, `pip install` would take that."""
    if picked.index == DEFAULT_INDEX or not is_gpu(picked):
        return
    for build in problem.library.builds(picked.name):
        same = (build.version, build.platform) == (picked.version, picked.platform)
        if same and build.index == DEFAULT_INDEX and build.variant == CPU:
            yield (
                f"the default index's {build.name} {build.version} for {build.platform} is a CPU build;"
                f" this one comes from {picked.index}"
            )


def _source(pick: Pick) -> str:
    return pick.sources[0] if pick.sources else "none told"
