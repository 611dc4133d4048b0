"""conda-forge's builds under the names that people ask for, as builds that the rules can judge."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.errors import InputError
from cudafit.model.frameworks import CONDA_KINDS, FRAMEWORKS, OF_CONDA
from cudafit.model.matrix import Build, CondaBuild, Facts
from cudafit.model.requirement import wanted
from cudafit.model.versions import numbers
from cudafit.resolve.host import NO_GPU, Host, Kind
from cudafit.resolve.libraries import Cap, Libraries
from cudafit.resolve.request import Request
from cudafit.resolve.versions import admits_any
from cudafit.system.commands import command_text

# Package as it is called on the Python side -> the feedstock that builds it.
FEEDSTOCKS = {name: one.feedstock for one in FRAMEWORKS if one.feedstock for name in (one.name, one.build)}
# ... and what conda calls it.
CONDA_NAMES = {one.name: one.conda[0] for one in FRAMEWORKS if one.conda}
INDEX = "conda-forge"
_RETIRED = "pytorch-cuda"  # of the channel `pytorch`, which has ended


def in_our_names(request: Request, hosts: Sequence[Host]) -> Request:
    """A request for conda, whose names for frameworks, and for their kinds of builds, are as right as ours. Raises
    InputError for a kind that cannot be had."""
    wanted, cpu = [], request.cpu
    for want in request.wanted:
        of = None if want.name in FEEDSTOCKS else OF_CONDA.get(want.name) or CONDA_KINDS.get(want.name)
        if of is None:
            wanted.append(want)
            continue
        if want.name == _RETIRED:
            cuda = command_text("--cuda", want.specifier.lstrip("=").removesuffix(".*") or "12")
            raise InputError(
                f"conda-forge has no `{_RETIRED}`: it was of the channel `pytorch`, which has ended",
                hint=f"leave it out, and add `{cuda}`",
            )
        if want.name.endswith("-gpu") and not cpu and all(host.kind.state == NO_GPU for host in hosts):
            raise InputError(
                f"`{want.name}` asks for a build for CUDA, and there is no GPU here",
                hint=f"`{of.conda[0]}` takes what fits; for another machine say `--gpu` and `--driver`",
            )
        cpu = cpu or want.name.endswith("-cpu") or want.name == "cpuonly"
        is_kind = want.name.endswith(("-gpu", "-cpu"))
        if want.name in OF_CONDA or is_kind:
            wanted.append(replace(want, name=of.name, text=f"{of.name}{want.specifier}"))
        if want.name not in OF_CONDA and want.name != "cpuonly":
            wanted.append(want)  # a package of its own, which the solver is to install
    return replace(request, wanted=tuple(wanted), cpu=cpu)


def conda_builds(name: str, facts: Facts, platforms: Sequence[str]) -> tuple[Build, ...]:
    """None of a feedstock that the matrix does not hold; each version has CPU builds beside those for CUDA.

    conda's locks hold several platforms. Over several a build is what all of them have of one version for one CUDA.
    """
    feedstock = FEEDSTOCKS.get(name)
    rows = [row for row in facts.conda_builds if row.feedstock == feedstock]
    if len(platforms) > 1:
        rows = list(_of_all(rows, platforms))
    cuda = [
        Build(
            name=name,
            version=row.version,
            variant="cu" + row.cuda.replace(".", ""),
            platform=row.platform,
            index=INDEX,
            cuda=row.cuda,
            kernels=row.kernels,
            pythons=row.pythons,
            requires=_libraries(row),
            verified=row.verified,
            note=row.note,
            sources=row.sources,
        )
        for row in rows
    ]
    sources = {(row.version, row.platform): row.sources for row in rows}
    cpu = [
        Build(name=name, version=version, variant="cpu", platform=platform, index=INDEX, sources=read)
        for (version, platform), read in sources.items()
    ]
    return (*cuda, *cpu)


def _of_all(rows: Sequence[CondaBuild], platforms: Sequence[str]) -> Iterator[CondaBuild]:
    """What every platform has, with the kernels that are in each of its builds."""
    same: dict[tuple[str, str], dict[str, CondaBuild]] = {}
    for row in rows:
        same.setdefault((row.version, row.cuda), {})[row.platform] = row
    for found in same.values():
        if all(platform in found for platform in platforms):
            chosen = [found[platform] for platform in platforms]
            known = [row.kernels for row in chosen if row.kernels is not None]
            shared = tuple(kernel for kernel in known[0] if all(kernel in other for other in known)) if known else None
            kernels = shared if len(known) == len(chosen) else None
            pythons = [row.pythons for row in chosen if row.pythons]
            common = tuple(one for one in pythons[0] if all(one in other for other in pythons)) if pythons else ()
            yield replace(
                chosen[0],
                platform="any",
                kernels=kernels,
                pythons=common,
                verified=all(row.verified for row in chosen),
            )


def _libraries(row: CondaBuild) -> tuple[str, ...]:
    """conda-forge packs NVIDIA's own archives of cuDNN, as the wheels do: the same rows tell their kernels. Where
    nobody has told what a build asks for, it may get any of them."""
    wheel = f"nvidia-cudnn-cu{row.cuda.partition('.')[0]}"
    return tuple(re.sub("^(lib)?cudnn", wheel, text) for text in row.requires or ("libcudnn",))


def cudnn_limits(libraries: Libraries, kind: Kind) -> dict[str, tuple[str, ...]]:
    """By CUDA major, what conda's cuDNN may not be on these GPUs, whatever asks for it."""
    found: dict[str, tuple[str, ...]] = {}
    for package in libraries.packages:
        if match := re.fullmatch(r"nvidia-cudnn-cu(\d+)", package):
            cap = libraries.judge(package, ("",), kind.platform, kind.capabilities)
            if isinstance(cap, Cap):
                found[match[1]] = (library_text(cap.requirement, INDEX),)
    return found


def kept_limits(versions: Mapping[str, str], limits: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Those of a lock's CUDA major that what it holds, by name, is within."""
    major = versions.get("cuda-version", "").partition(".")[0]
    wants = [wanted(text) for text in limits.get(major, ())]
    return tuple(one.text for one in wants if one.name in versions and admits_any(one.specifier, versions[one.name]))


def library_text(text: str, build_index: str) -> str:
    """A requirement of one of NVIDIA's libraries as the installer of that index takes it: `nvidia-cudnn-cu12<9.11` is
    conda's `libcudnn<9.11`."""
    match = re.match(r"nvidia-cudnn-cu\d+", text)
    if build_index != INDEX or match is None:
        return text
    bound = text[match.end() :]
    bounds = [numbers(number) for number in re.findall(r"[\d.]+", bound)]
    return f"{'libcudnn' if max(bounds, default=_SPLIT) >= _SPLIT else 'cudnn'}{bound}"


# From here on `cudnn` has the headers alone, and brings `libcudnn`. Source: conda-forge's records, as locks quote them.
_SPLIT = (9, 10)


def conda_requirement(build: Build) -> str:
    """A match specification by build string, for a solver left alone takes a CPU build where it can."""
    kind = f"cuda{build.cuda.replace('.', '')}" if build.cuda else "cpu"
    return f"{CONDA_NAMES.get(build.name, build.name)}={build.version}={kind}*"
