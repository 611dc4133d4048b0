"""A combination as what the user installs: requirements, indexes, and how each GPU is served."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cudafit.model.fit import Pick, Served
from cudafit.model.matrix import Build, wheel_version
from cudafit.model.requirement import Wanted
from cudafit.resolve.candidates import Candidate
from cudafit.resolve.closing import because
from cudafit.resolve.conda import INDEX as CONDA
from cudafit.resolve.conda import conda_requirement
from cudafit.resolve.host import Host
from cudafit.resolve.pins import is_gpu, requirements
from cudafit.resolve.problem import Library
from cudafit.resolve.search import Combination
from cudafit.resolve.words import is_cuda_extra


def picks_of(
    combination: Combination, hosts: Sequence[Host], library: Library, words: Sequence[Sequence[Wanted]]
) -> tuple[Pick, ...]:
    """The packages that were asked for, in that order, and then what comes along."""
    chosen = (*combination.picks, *combination.along)
    kinds = list(dict.fromkeys(host.kind for host in hosts))
    told = {candidate.build.name: _served(candidate, hosts, kinds) for candidate in chosen}
    made = []
    for number, candidate in enumerate(chosen):
        asked = words[number] if number < len(combination.picks) else ()
        gpus = _through(candidate, chosen, told)
        by = _by_agreement(candidate, chosen, library) if number >= len(combination.picks) else ()
        pick = _pick(candidate, gpus, library, asked, requested=number < len(combination.picks) or bool(by))
        made.append(replace(pick, because=(*pick.because, *by)))
    return tuple(made)


def _by_agreement(candidate: Candidate, chosen: Sequence[Candidate], library: Library) -> tuple[str, ...]:
    """Who needs what came along though no metadata says so: no installer would bring it."""
    name = candidate.build.name
    told = [(one.build, library.agreements.told(one.build, name)) for one in chosen]
    added = {(build.name, f"{name}{row.admits}") for build, row in told if row}
    for one in chosen:
        for item in requirements(one.build):
            if item.name == name and (one.build.name, f"{name}{item.specifier}") not in added:
                return ()  # metadata brings it
    return tuple(f"{build.name} {build.version} {row.why}" for build, row in told if row)


def _pick(
    candidate: Candidate, gpus: tuple[Served, ...], library: Library, asked: Sequence[Wanted], *, requested: bool
) -> Pick:
    build = candidate.build
    index = library.indexes.get(build.index)
    return Pick(
        name=build.name,
        version=build.version,
        variant=build.variant,
        cuda=build.cuda,
        cudnn=build.cudnn,
        requirement=conda_requirement(build) if build.index == CONDA else requirement(build, asked),
        index=(index.url if index else None) or build.index,
        compat=candidate.compat,
        gpus=gpus,
        sources=build.sources,
        index_name=build.index,
        requested=requested,
        verified=build.verified,
        note=build.note,
        because=because(asked),
    )


def requirement(build: Build, asked: Sequence[Wanted] = ()) -> str:
    """`tensorflow[and-cuda]==2.21.0`, `torch==2.14.1+cu126`: as its wheels are named, on most extra indexes with the
    variant."""
    # The user's word for the CUDA extra may be an old one; the build knows today's.
    extras = {extra for want in asked for extra in want.extras if not is_cuda_extra(build.name, extra)}
    extras |= {build.extra} if build.extra else set()
    written = f"[{','.join(sorted(extras))}]" if extras else ""
    return f"{build.name}{written}=={wheel_version(build)}"


def _served(candidate: Candidate, hosts: Sequence[Host], kinds: Sequence[object]) -> tuple[Served, ...]:
    """Each GPU of each machine, with the kernel that its capability is served by."""
    found = []
    for host in hosts:
        service = candidate.services[kinds.index(host.kind)]
        kernels = {gpu: (kernel, how) for gpu, kernel, how in service.kernels}
        for card in host.cards:
            if card.capability in kernels:
                kernel, how = kernels[card.capability]
                found.append(Served(card.index, kernel, how, host.label if len(hosts) > 1 else None))
    return tuple(found)


def _through(
    candidate: Candidate, chosen: Sequence[Candidate], told: Mapping[str, tuple[Served, ...]]
) -> tuple[Served, ...]:
    """jax itself holds no kernels: the CUDA plugin that it brings along does."""
    if candidate.build.kernels != ():
        return told[candidate.build.name]
    required = {item.name for item in requirements(candidate.build)}
    for other in chosen:
        if other.build.name in required and other.build.kernels and is_gpu(other.build):
            return told[other.build.name]
    return told[candidate.build.name]
