"""CUDA libraries of one release, and a compiler at run time whose output the driver takes."""

import re
from collections.abc import Iterator

from cudafit.doctor.fixes import reinstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import CondaPackage, Environment
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.machine import Library
from cudafit.model.versions import numbers
from cudafit.system.commands import path_word

# Wheels for each CUDA, whose name says which one.
_NAMED_BY_CUDA = re.compile(r"(cupy|tensorrt|tensorrt-lean|cudf|cuml)-cu(?:da)?(\d\d)x?")

# What compiles kernels when it runs.
_COMPILES = re.compile(r"cupy(-core|-cuda\d+x)?|numba-cuda|cuda-core|openmm")
# Of these nothing runs that is not compiled so. numba has a CUDA target of its own; that it is used is not known.
# Sources: openmm/openmm issue 3585; Numba's documentation, "CUDA Minor Version Compatibility".
_ALWAYS = re.compile(r"numba-cuda|openmm")
# With them numba links for an older driver; later releases of numba-cuda do by cuda-core, with nvJitLink.
_BRIDGES = re.compile(r"(pynvjitlink|cubinlinker)(-cu\d\d)?")
_JIT_LINK = re.compile(r"(nvidia-|lib)nvjitlink(-cu\d\d)?")


def compiler_too_new(world: World) -> Iterator[Finding]:
    """NVRTC writes PTX of its own release, and a driver of an earlier one refuses it (error 222)."""
    environment = world.environment
    if environment is None or world.host.kind.state != "gpu":
        return
    if _bridged(environment):
        return
    users = [one for one in environment.distributions if _COMPILES.fullmatch(one.name)]
    users.sort(key=lambda one: _never(one.name))
    # Up to CUDA 11 conda's compiler is a part of cudatoolkit.
    if of_conda := next((one for one in environment.conda if one.name in ("cuda-nvrtc", "cudatoolkit")), None):
        yield from _of_conda(world, environment, of_conda)
        return
    nvrtc = next(
        (one for one in environment.distributions if re.fullmatch(r"nvidia-cuda-nvrtc(-cu\d\d)?", one.name)), None
    )
    if not users or nvrtc is None or nvrtc.version is None:
        return
    told = numbers(nvrtc.version)
    if not told:  # a version that is none
        return
    major, minor, *_ = *told, 0
    verdict = world.verdict(f"{major}.{minor}")
    if verdict.compat is None or verdict.ptx:
        return
    yield kinds.driver.jit_ptx_too_new.found(
        f"{users[0].name} compiles with NVRTC {major}.{minor}, whose PTX this driver does not take",
        (Evidence(f"{nvrtc.name} {nvrtc.version}", nvrtc.metadata), world.driver_evidence),
        reinstall(world, f"{nvrtc.name}{_limit(world, major)}"),
        severity=ERROR if _ALWAYS.fullmatch(users[0].name) else WARNING,
    )


def _bridged(environment: Environment) -> bool:
    names = {*(one.name for one in environment.conda), *(one.name for one in environment.distributions)}
    if any(_BRIDGES.fullmatch(name) for name in names):
        return True
    numba = environment.distribution("numba-cuda")
    by_core = numba is not None and any(re.match(r"cuda-core\b", text) for text in numba.requires)
    return by_core and any(_JIT_LINK.fullmatch(name) for name in names)


def _of_conda(world: World, environment: Environment, nvrtc: CondaPackage) -> Iterator[Finding]:
    """conda's NVRTC follows the package cuda-version."""
    names = [*(one.name for one in environment.conda), *(one.name for one in environment.distributions)]
    wanted = _COMPILES if nvrtc.name == "cuda-nvrtc" else _ALWAYS
    user = next((name for name in sorted(names, key=_never) if wanted.fullmatch(name)), None)
    told = numbers(nvrtc.version)
    if not told:  # a version that is none
        return
    major, minor, *_ = *told, 0
    verdict = world.verdict(f"{major}.{minor}")
    if user is None or verdict.compat is None or verdict.ptx:
        return
    limit = _limit(world, major)
    held = f"cuda-version{limit}" if nvrtc.name == "cuda-nvrtc" else f"cudatoolkit{limit}"
    command = ("conda", "install", "--prefix", path_word(environment.path), "-c", "conda-forge", held)
    yield kinds.driver.jit_ptx_too_new.found(
        f"{user} compiles with conda's NVRTC {major}.{minor}, whose PTX this driver does not take",
        (Evidence(f"{nvrtc.name} {nvrtc.version} ({nvrtc.build})", "conda-meta"), world.driver_evidence),
        Fix("keep conda's CUDA to what the driver takes", (command,) if limit else ()),
        severity=ERROR if _ALWAYS.fullmatch(user) else WARNING,
    )


def _never(name: str) -> bool:
    """Sorts those first that do nothing without it."""
    return _ALWAYS.fullmatch(name) is None


def _limit(world: World, major: int) -> str:
    """What is below the first release of this CUDA major whose PTX the driver does not take."""
    fitting = [minor for minor in range(20) if world.verdict(f"{major}.{minor}").ptx]
    return f"<{major}.{fitting[-1] + 1}" if fitting else ""


def other_toolkit(world: World) -> Iterator[Finding]:
    """CUDA libraries whose parts are of two releases, and packages for a CUDA that is not the one there."""
    environment = world.environment
    if environment is None:
        return
    for load in environment.loads.get("nvidia", ()):
        yield kinds.lib.mixed_cuda_major.found(
            f"{load.by.rpartition('/')[2]} needs {load.soname}, which is nowhere: parts of two CUDA releases are mixed",
            (Evidence(f"it needs {load.soname}", load.by), Evidence(f"no {load.soname}", "nvidia/*/lib, ld.so.conf")),
            Fix("remove the nvidia-* packages and install the framework anew, for one CUDA"),
        )
        return
    torch = environment.torch
    for one in environment.distributions:
        match = _NAMED_BY_CUDA.match(one.name)
        if match is None:
            continue
        if match[1].startswith("tensorrt") and torch and torch.cuda and torch.cuda.partition(".")[0] != match[2]:
            yield kinds.lib.mixed_cuda_major.found(
                f"{one.name} is for CUDA {match[2]}, and torch {torch.version} for CUDA {torch.cuda}",
                (Evidence(f"{one.name} {one.version}", one.metadata), Evidence(f"torch {torch.version}", torch.path)),
                Fix("take torch-tensorrt and tensorrt for torch's CUDA, from the same index as torch"),
            )
            return
        if match[1] == "cupy" and (majors := _reachable_majors(world)) and match[2] not in majors:
            served = [major for major in majors if world.verdict(major).compat is not None] or list(majors)
            name = f"cupy-cuda{max(served)}x"
            yield kinds.lib.mixed_cuda_major.found(
                f"{one.name} is for CUDA {match[2]}, and the libraries here are of CUDA {', '.join(sorted(majors))}",
                (
                    Evidence(f"{one.name} {one.version}", one.metadata),
                    *(Evidence(f"{lib.name} {lib.version} is {lib.path}", lib.via) for lib in _runtimes(world)[:2]),
                ),
                reinstall(world, name, text=f"install {name} in its place", remove=[one.name]),
            )
            return


def _runtimes(world: World) -> list[Library]:
    return [one for one in world.machine.libraries or () if one.name in ("cudart", "cublas") and one.version]


def _reachable_majors(world: World) -> set[str]:
    """Of the CUDA runtimes that a program can find: the system's and the environment's; empty where none is known."""
    environment = world.environment
    found = {one.version.partition(".")[0] for one in _runtimes(world) if one.version}
    for library in environment.libraries if environment else ():
        if match := re.match(r"lib(?:cudart|cublas)\.so\.(\d+)", library.soname):
            found.add(match[1])
    return found
