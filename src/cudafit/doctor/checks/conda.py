"""conda environments: files that are not as conda left them, pip over conda, CUDA's version, channels, the solver."""

from collections.abc import Iterator, Sequence

from cudafit.doctor.fixes import replace_build
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import CONDA, CondaDamage, CondaPackage, Environment
from cudafit.model.finding import ERROR, WARNING, Change, Evidence, Finding, Fix
from cudafit.model.frameworks import OF_CONDA
from cudafit.model.versions import numbers
from cudafit.system.commands import path_word

_FORGE = "conda-forge"
# Anaconda's own channels: `defaults` is made of these two.
_DEFAULTS = ("defaults", "main", "r", "anaconda")
# Given up for conda-forge: PyTorch's own builds end with 2.5.1.
_RETIRED = ("pytorch", "pytorch-nightly", "nvidia")
_OWN_SOLVER = (23, 10)
_SHOWN = 4


def _of_conda(world: World) -> Environment | None:
    environment = world.environment
    return environment if environment and environment.kind == CONDA else None


def _repair(environment: Environment, text: str, change: Change) -> Fix:
    return Fix(text, (("cudafit", "repair", path_word(environment.path)),), automatic=True, conda=change)


def doubled(world: World) -> Iterator[Finding]:
    """pip over conda: pip takes conda's files away first, and conda does not notice."""
    environment = _of_conda(world)
    if environment is None or not environment.doubled:
        return
    frameworks = [one for one in environment.doubled if one.conda in OF_CONDA]
    names = tuple(one.name for one in environment.doubled)
    named = _named(names)
    evidence = [
        fact
        for one in environment.doubled[:_SHOWN]
        for fact in (
            Evidence(f"{one.name} {one.version} by pip", one.metadata),
            Evidence(f"{one.conda} {one.conda_version} by conda", "conda-meta"),
        )
    ]
    change = Change(
        choose=tuple(_for_the_cpu(world, environment)),
        reinstall=tuple(one.conda for one in environment.doubled),
        uninstall=names,
    )
    yield kinds.conda.pip_over_conda.found(
        f"pip installed {named} over what conda had installed",
        tuple(evidence),
        _repair(environment, f"take out pip's {named}, and bring back the files of conda", change),
        severity=ERROR if frameworks else WARNING,
    )


def _for_the_cpu(world: World, environment: Environment) -> Iterator[str]:
    """What conda's own files would be when they are back: a build that this machine would not want."""
    over = {one.conda for one in environment.doubled}
    for one in environment.conda:
        if one.name in over and one.name in OF_CONDA and "cpu" in one.build and world.has_gpu:
            fix = replace_build(world, OF_CONDA[one.name].name)
            yield from fix.conda.choose if fix and fix.conda else ()


def damaged(world: World) -> Iterator[Finding]:
    """Files of frameworks that are missing or altered, where pip is not the reason."""
    environment = _of_conda(world)
    if environment is None:
        return
    over = {one.conda for one in environment.doubled}
    found = [one for one in environment.damaged if one.package not in over]
    if not found:
        return
    names = tuple(one.package for one in found)
    yield kinds.conda.files_damaged.found(
        f"files of {', '.join(names[:_SHOWN])} are not as conda installed them",
        tuple(Evidence(_damage(one), f"conda-meta, {environment.path}") for one in found[:_SHOWN]),
        _repair(environment, f"install {', '.join(names)} again", Change(reinstall=names)),
    )


def _damage(one: CondaDamage) -> str:
    parts = [f"{len(paths)} {word}" for paths, word in ((one.missing, "missing"), (one.altered, "altered")) if paths]
    first = (*one.missing, *one.altered)[0]
    return f"{one.package}: {' and '.join(parts)}, such as {first}"


def cuda_version(world: World) -> Iterator[Finding]:
    """conda itself compares no more than the major with the driver, and not even that by its old solver."""
    environment = _of_conda(world)
    package = _package(environment, "cuda-version")
    if environment is None or package is None or not numbers(package.version) or world.host.kind.state != "gpu":
        return
    verdict = world.verdict(package.version)
    if verdict.compat is not None or not verdict.driver:
        return
    names = tuple(dict.fromkeys(OF_CONDA[one.name].name for one in environment.conda if one.name in OF_CONDA))
    yield kinds.conda.cuda_version_too_new.found(
        f"the packages are for CUDA {package.version}, which needs driver {verdict.driver} or newer",
        (Evidence(f"cuda-version {package.version}", "conda-meta"), world.driver_evidence),
        replace_build(world, *names) if names else None,
    )


def cuda_arch(world: World) -> Iterator[Finding]:
    """Builds for newer GPUs than one here: of a prefix from another machine, or of a solver that was told no GPU."""
    environment = _of_conda(world)
    if environment is None or world.host.kind.state != "gpu" or not world.capabilities:
        return
    index, least = min(world.capabilities, key=lambda one: one[1])
    found = [one for one in environment.conda if one.cuda_arch and numbers(one.cuda_arch) > least]
    if not found:
        return
    names = tuple(dict.fromkeys(one.name for one in found))
    have = f"{least[0]}.{least[1]}"
    frameworks = tuple(dict.fromkeys(OF_CONDA[one].name for one in names if one in OF_CONDA))
    command = ("conda", "install", "--prefix", path_word(environment.path), "-c", _FORGE)
    need = max((one.cuda_arch or "" for one in found), key=numbers)
    told = [Evidence(f"{one.name} {one.version} {one.build}, cuda-arch {one.cuda_arch}", "conda-meta") for one in found]
    verb = "is" if len(names) == 1 else "are"
    yield kinds.conda.cuda_arch_too_new.found(
        f"{_named(names)} {verb} built for GPUs from {need} on, and GPU {index} is {have}",
        (*told[:_SHOWN], world.gpu_evidence(index)),
        Fix(
            f"install {_named(names)} in builds for {have}",
            ((*command, *names, f"cuda-arch<={have}"),),
            automatic=True,
            conda=Change(choose=frameworks, free=(*names, "cuda-arch")),
        ),
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def toolkit_major(world: World) -> Iterator[Finding]:
    """`cudatoolkit` was CUDA up to 11; beside packages for CUDA 12 it is what is left of an earlier installation."""
    environment = _of_conda(world)
    toolkit, version = _package(environment, "cudatoolkit"), _package(environment, "cuda-version")
    if environment is None or toolkit is None:
        return
    other = version.version if version else _built_for(environment)
    if other is None or numbers(toolkit.version)[:1] == numbers(other)[:1]:
        return
    yield kinds.conda.toolkit_major.found(
        f"cudatoolkit {toolkit.version} lies beside packages for CUDA {other}",
        (
            Evidence(f"cudatoolkit {toolkit.version}", "conda-meta"),
            Evidence(f"packages for CUDA {other}", "conda-meta"),
        ),
        _repair(environment, "remove cudatoolkit", Change(remove=("cudatoolkit",))),
    )


def _built_for(environment: Environment) -> str | None:
    return environment.torch.cuda if environment.torch and _package(environment, "pytorch") else None


def channels(world: World) -> Iterator[Finding]:
    """Two collections of packages that are not built for each other, and channels that were given up."""
    environment = _of_conda(world)
    if environment is None:
        return
    retired = [one for one in environment.conda if one.channel in _RETIRED]
    if retired:
        yield _retired(world, environment, retired)
    defaults = [one for one in environment.conda if one.channel in _DEFAULTS]
    if defaults and any(one.channel == _FORGE for one in environment.conda):
        named = ", ".join(one.name for one in defaults[:_SHOWN])
        yield kinds.conda.mixed_channels.found(
            f"{len(defaults)} packages are from Anaconda's channels, the others from conda-forge",
            (Evidence(f"{named} from {defaults[0].channel}", "conda-meta"),),
            _repair(
                environment,
                "take all of them from conda-forge",
                Change(free=tuple(one.name for one in defaults)),
            ),
        )


def _retired(world: World, environment: Environment, retired: Sequence[CondaPackage]) -> Finding:
    names = tuple(dict.fromkeys(OF_CONDA[one.name].name for one in retired if one.name in OF_CONDA))
    fix = replace_build(world, *names) if names else None
    change = Change(choose=fix.conda.choose if fix and fix.conda else (), free=tuple(one.name for one in retired))
    named = ", ".join(f"{one.name} {one.version}" for one in retired[:_SHOWN])
    return kinds.conda.retired_channel.found(
        f"packages are from the channel {retired[0].channel}, which is retired",
        (Evidence(f"{named} from {retired[0].channel}", "conda-meta"),),
        _repair(environment, "take them from conda-forge", change),
    )


def classic_solver(world: World) -> Iterator[Finding]:
    """Before 23.10 conda solved by itself, and passed over what a package constrains: `__cuda` among it."""
    environment = _of_conda(world)
    if environment is None:
        return
    for one in world.machine.conda or ():
        if one.kind == "conda" and one.version and numbers(one.version)[:2] < _OWN_SOLVER:
            yield kinds.conda.classic_solver.found(
                f"conda {one.version} uses its classic solver, which does not look at the driver",
                (Evidence(f"conda {one.version}", one.path),),
                Fix(
                    "update conda, or let it use libmamba",
                    (
                        ("conda", "install", "--name", "base", "conda-libmamba-solver"),
                        ("conda", "config", "--set", "solver", "libmamba"),
                    ),
                ),
            )


def _package(environment: Environment | None, name: str) -> CondaPackage | None:
    return next((one for one in environment.conda if one.name == name), None) if environment else None
