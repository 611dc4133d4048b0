"""conda-forge's builds under the names that people ask for, as builds that the rules can judge."""

from cudafit.model.matrix import Build, Facts

# Package as it is called on the Python side -> the feedstock that builds it.
FEEDSTOCKS = {"torch": "pytorch-cpu", "tensorflow": "tensorflow", "jax": "jaxlib", "jaxlib": "jaxlib"}
# ... and what conda calls it, where that is another name.
CONDA_NAMES = {"torch": "pytorch", "jax": "jaxlib"}
INDEX = "conda-forge"


def conda_builds(name: str, facts: Facts) -> tuple[Build, ...]:
    """Empty for a package whose feedstock the matrix does not hold. Each version has CPU builds beside those for CUDA."""
    feedstock = FEEDSTOCKS.get(name)
    rows = [row for row in facts.conda_builds if row.feedstock == feedstock]
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


def conda_requirement(build: Build) -> str:
    """A match specification by build string, for a solver left alone takes a CPU build where it can."""
    kind = f"cuda{build.cuda.replace('.', '')}" if build.cuda else "cpu"
    return f"{CONDA_NAMES.get(build.name, build.name)}={build.version}={kind}*"
