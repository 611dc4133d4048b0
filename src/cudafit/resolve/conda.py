"""conda-forge's builds under the names that people ask for, as builds that the rules can judge."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.matrix import Build, CondaBuild, Facts

# Package as it is called on the Python side -> the feedstock that builds it.
FEEDSTOCKS = {name: one.feedstock for one in FRAMEWORKS if one.feedstock for name in (one.name, one.build)}
# ... and what conda calls it.
CONDA_NAMES = {one.name: one.conda[0] for one in FRAMEWORKS if one.conda}
INDEX = "conda-forge"


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
            yield replace(chosen[0], platform="any", kernels=kernels, verified=all(row.verified for row in chosen))


def conda_requirement(build: Build) -> str:
    """A match specification by build string, for a solver left alone takes a CPU build where it can."""
    kind = f"cuda{build.cuda.replace('.', '')}" if build.cuda else "cpu"
    return f"{CONDA_NAMES.get(build.name, build.name)}={build.version}={kind}*"
