"""JAX, its plugins for CUDA, and the compiler that it shares with TensorFlow."""

import re
from collections.abc import Iterator

from cudafit.doctor.checks.builds import too_old
from cudafit.doctor.fixes import reinstall, replace_build
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Distribution
from cudafit.model.finding import ERROR, INFO, Evidence, Finding, Fix
from cudafit.model.frameworks import JAX, TENSORFLOW
from cudafit.model.versions import numbers
from cudafit.resolve.pins import requirements
from cudafit.resolve.versions import admits_any
from cudafit.system.commands import path_word

_OF_XLA = (*JAX.conda, *TENSORFLOW.conda)  # conda's names of what compiles with it


def _plugins(world: World) -> list[Distribution]:
    names = world.environment.distributions if world.environment else ()
    return [one for one in names if re.fullmatch(r"jax-cuda\d\d-plugin", one.name)]


def plugin(world: World) -> Iterator[Finding]:
    environment = world.environment
    jaxlib = environment.distribution("jaxlib") if environment else None
    if environment is None or jaxlib is None:
        return
    plugins = _plugins(world)
    with_cuda = "+cuda" in (jaxlib.version or "") or any(
        one.name == "jaxlib" and "cuda" in one.build for one in environment.conda
    )
    asked = environment.distribution("jax") is not None and not _came_along(world)
    if not plugins and not with_cuda and world.has_gpu:
        alone = (Evidence(f"jaxlib {jaxlib.version}, and no jax-cuda*-plugin", jaxlib.metadata),)
        if world.machine.os.system == "windows":
            yield kinds.jax.windows_unsupported.found(
                "JAX has no CUDA on Windows",
                alone,
                Fix("use it in WSL2"),
            )
        else:
            yield kinds.jax.no_cuda_plugin.found(
                f"JAX {jaxlib.version} has no CUDA plugin, so it runs on the CPU",
                alone,
                replace_build(world, "jax"),
                severity=ERROR if asked else INFO,
            )
    for plugin in plugins:
        pjrt = environment.distribution(plugin.name.replace("-plugin", "-pjrt"))
        skewed = [one for one in (plugin, pjrt) if one and one.version and not _pairs(one.version, jaxlib.version)]
        if skewed:
            evidence = (
                Evidence(f"jaxlib {jaxlib.version}", jaxlib.metadata),
                *(Evidence(f"{one.name} {one.version}", one.metadata) for one in skewed),
            )
            major = re.sub(r"\D", "", plugin.name)
            version = environment.version("jax") or jaxlib.version
            yield kinds.jax.plugin_version_skew.found(
                f"{skewed[0].name} {skewed[0].version} is not for jaxlib {jaxlib.version}",
                evidence,
                reinstall(world, f"jax[cuda{major}]=={version}", *_of_one_release(world, plugin.name, version)),
            )


def _of_one_release(world: World, plugin: str, jax: str | None) -> Iterator[str]:
    """jax admits a jaxlib and a plugin that are not of one release, and an installer keeps what is admitted."""
    names = ("jaxlib", plugin, plugin.replace("-plugin", "-pjrt"))
    extra = plugin.removeprefix("jax-").removesuffix("-plugin")
    row = next((one for one in world.facts.builds("jax") if one.version == jax and one.extra == extra), None)
    needs = [need for need in requirements(row, (extra,)) if need.name in names] if row else []
    known = [{build.version for build in world.facts.builds(name)} for name in names]
    shared = [one for one in set.intersection(*known) if all(admits_any(need.specifier, one) for need in needs)]
    if needs and shared:
        newest = max(shared, key=numbers)
        yield from (f"{name}=={newest}" for name in names)


def _came_along(world: World) -> bool:
    """Whether another package brought JAX, in an environment whose work is done by another framework on the GPU."""
    environment = world.environment
    if environment is None or any(one.name == "jax" for one in world.project.wanted):
        return False
    torch, tensorflow = environment.torch, environment.tensorflow
    others = [one for one in environment.distributions if "jax" not in one.name]  # whisper-jax is about JAX itself
    brought = any(re.match(r"jax\b(?!-)", text) and "extra" not in text for one in others for text in one.requires)
    return brought and bool((torch and torch.has_cuda) or (tensorflow and tensorflow.has_cuda))


def _pairs(plugin: str, jaxlib: str | None) -> bool:
    """A plugin is for the jaxlib of its own version; a fourth number is a rebuild."""
    return jaxlib is not None and numbers(plugin.partition("+")[0])[:3] == numbers(jaxlib.partition("+")[0])[:3]


def driver(world: World) -> Iterator[Finding]:
    for plugin in _plugins(world):
        major = re.sub(r"\D", "", plugin.name)
        yield from too_old(world, "jax", f"{plugin.name} {plugin.version}", major, plugin.metadata)


def libdevice(world: World) -> Iterator[Finding | Unchecked]:
    """XLA compiles with NVIDIA's device library; without it `jit_compile` and JAX fail at their first step."""
    environment = world.environment
    tensorflow = environment.tensorflow if environment else None
    if environment is None or not world.has_gpu:
        return
    plugins = _plugins(world)
    by_conda = [one for one in environment.conda if one.name in _OF_XLA and "cuda" in one.build]
    if environment.kind == "conda" and not by_conda and not plugins:
        return
    if not plugins and not by_conda and not (tensorflow and tensorflow.has_cuda and environment.libraries):
        return
    if environment.libdevice or world.machine.toolkits:
        return
    if world.machine.toolkits is None:
        yield Unchecked("the CUDA toolkits of this machine were not read")
        return
    if by_conda:
        one = by_conda[0]
        command = ("conda", "install", "--prefix", path_word(environment.path), "-c", "conda-forge", "cuda-nvcc")
        yield kinds.xla.libdevice_missing.found(
            "XLA finds no libdevice, which it compiles with",
            (
                Evidence(f"{one.name} {one.version} ({one.build}) is conda's", "conda-meta"),
                Evidence(f"no libdevice.10.bc in {environment.path}, and no CUDA toolkit", "nvvm/libdevice, lib"),
            ),
            Fix("install the package that has it, in the CUDA of this build", (command,)),
        )
        return
    package = "nvidia-nvvm" if plugins and "cuda13" in plugins[0].name else "nvidia-cuda-nvcc-cu12"
    evidence = "no nvvm/libdevice/libdevice.10.bc in the environment, and no CUDA toolkit"
    yield kinds.xla.libdevice_missing.found(
        "XLA finds no libdevice, which it compiles with",
        (Evidence(evidence, "nvidia/*, /usr/local/cuda*"),),
        reinstall(world, package),
    )
