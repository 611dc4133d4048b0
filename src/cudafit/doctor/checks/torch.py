"""PyTorch: what was installed, against the driver, the cards and the packages that are compiled against it."""

import re
from collections.abc import Iterator, Sequence

from cudafit.doctor.checks.builds import compiles, too_old
from cudafit.doctor.fixes import replace_build
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.frameworks import TORCH
from cudafit.model.requirement import wanted
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import Capability, oldest, serving_cubin, serving_ptx, sm
from cudafit.resolve.versions import admits_any


def build(world: World) -> Iterator[Finding | Unchecked]:
    """A CPU build where a GPU is there. `+cpu` stands in version.py, not in METADATA."""
    environment = world.environment
    torch = environment.torch if environment else None
    if environment is None or torch is None:
        return
    if torch.has_cuda is None:
        yield Unchecked(f"{torch.path} does not tell what torch was built for")
        return
    if torch.has_cuda or torch.hip or not world.has_gpu:
        return
    conda = next((one for one in environment.conda if one.name in ("pytorch", "libtorch") and "cpu" in one.build), None)
    if conda:
        yield kinds.torch.cpu_conda.found(
            f"conda installed the CPU build of pytorch {conda.version}",
            (Evidence(f"{conda.name} {conda.version}, build {conda.build}", "conda-meta"),),
            replace_build(world, "torch"),
        )
        return
    evidence = [Evidence(f"torch {torch.version}, cuda = None", torch.path)]
    if torch.cuda_library is False:
        evidence.append(Evidence("libtorch_cuda is not there", torch.path.replace("version.py", "lib")))
    evidence += _who_pins(world, "torch")
    yield kinds.torch.cpu_wheel.found(
        f"torch {torch.version} is a build for the CPU",
        tuple(evidence),
        replace_build(world, "torch"),
    )


def _who_pins(world: World, name: str) -> list[Evidence]:
    """Whoever names an exact version may have replaced the build."""
    found = []
    for one in world.environment.distributions if world.environment else ():
        for text in one.requires:
            if re.match(rf"{name}\s*\(?==[^;]*$", text):
                found.append(Evidence(f"{one.name} {one.version} requires {text}", one.metadata))
    return found[:2]


def driver(world: World) -> Iterator[Finding]:
    torch = world.environment.torch if world.environment else None
    if torch and torch.cuda:
        yield from too_old(world, "torch", f"torch {torch.version}", torch.cuda, torch.path)


def kernels(world: World) -> Iterator[Finding | Unchecked]:
    torch = world.environment.torch if world.environment else None
    if torch is None or not torch.has_cuda:
        return
    if torch.kernels is None:
        yield Unchecked("the kernels of torch could not be read from its library")
        return
    yield from _unserved(world, "torch", f"torch {torch.version}", torch.kernels, torch.cuda, torch.path)
    yield from _newer_than_listed(world, torch.kernels, torch.path)


def _newer_than_listed(world: World, kernels: Sequence[str], via: str) -> Iterator[Finding]:
    """torch warns of a card newer than its list; kernels of the same major run there all the same."""
    if world.machine.os.tegra:
        return
    listed = [numbers(re.sub(r"sm_(\d+)(\d)[af]?", r"\1.\2", name)) for name in kernels if name.startswith("sm_")]
    for index, gpu in world.capabilities:
        if listed and gpu > max(listed) and (cubin := serving_cubin(tuple(kernels), gpu)):
            yield kinds.ok.arch_minor_compatible.found(
                f"{sm(gpu)} runs the kernels for {cubin}: torch's warning of an unknown card does not matter",
                (Evidence(f"its kernels are {' '.join(kernels)}", via), world.gpu_evidence(index)),
            )
            return


def _unserved(
    world: World, name: str, what: str, kernels: Sequence[str], cuda: str | None, via: str
) -> Iterator[Finding]:
    """Cards that no kernel serves: all of them is an error, some of them a warning."""
    given = tuple(kernels)
    exact = world.machine.os.tegra is not None
    compiled = compiles(world, cuda)

    def served(gpu: Capability) -> bool:
        return bool(serving_cubin(given, gpu, exact) or (compiled and not exact and serving_ptx(given, gpu)))

    without = [(index, gpu) for index, gpu in world.capabilities if not served(gpu)]
    if not without:
        return
    index, gpu = without[0]
    evidence = (Evidence(f"its kernels are {' '.join(given)}", via), world.gpu_evidence(index))
    if exact:
        yield kinds.torch.jetson_wrong_wheel.found(
            f"{what} is not a build for this Jetson",
            evidence,
            Fix("take NVIDIA's own wheel or container for this JetPack"),
        )
    elif len(without) < len(world.capabilities):
        others = ",".join(str(one) for one, capability in world.capabilities if served(capability))
        yield kinds.torch.arch_mixed_gpus.found(
            f"{what} has no kernels for GPU {index} ({sm(gpu)}), and has for the others",
            evidence,
            Fix(
                f"leave GPU {index} out",
                (("export", "CUDA_DEVICE_ORDER=PCI_BUS_ID", f"CUDA_VISIBLE_DEVICES={others}"),),
            ),
        )
    else:
        first = oldest(given)
        older = first and gpu < first
        kind = kinds.torch.arch_unsupported_old if older else kinds.torch.arch_unsupported_new
        yield kind.found(
            f"{what} has no kernels for {sm(gpu)}",
            evidence,
            replace_build(world, name),
        )


def companions(world: World) -> Iterator[Finding]:
    """torchvision and torchaudio are compiled against one torch."""
    environment = world.environment
    torch = environment.distribution("torch") if environment else None
    if environment is None or torch is None or torch.version is None:
        return
    for name in TORCH.companions:
        one = environment.distribution(name)
        for text in one.requires if one else ():
            if not re.match(r"torch\s*\(?==", text) or one is None:
                continue
            need = wanted(text.partition(";")[0])
            public = torch.version.partition("+")[0]
            if not admits_any(need.specifier, torch.version) and not admits_any(need.specifier, public):
                yield kinds.torch.companion_mismatch.found(
                    f"{name} {one.version} was built for torch{need.specifier}, and {torch.version} is installed",
                    (
                        Evidence(f"{name} {one.version} requires {text}", one.metadata),
                        Evidence(f"torch {torch.version}", torch.metadata),
                    ),
                    replace_build(world, name, keep=("torch",)) or replace_build(world, "torch"),
                )


def companion_variants(world: World) -> Iterator[Finding]:
    """`torchvision 0.21.0+cu126` beside a torch for another CUDA: by the local parts of their own version.py."""
    environment = world.environment
    torch = environment.torch if environment else None
    local = (torch.version or "").partition("+")[2] if torch else ""
    for name, version in environment.companions.items() if environment and torch and local else ():
        other = version.partition("+")[2]
        if other and other != local and re.fullmatch(r"cpu|cu\d+", other) and re.fullmatch(r"cpu|cu\d+", local):
            yield kinds.torch.companion_mismatch.found(
                f"{name} {version} was built for another CUDA than torch {torch.version if torch else ''}",
                (
                    Evidence(f"{name} {version}", f"{name}/version.py"),
                    Evidence(f"torch {torch.version}" if torch else "", torch.path if torch else ""),
                ),
                replace_build(world, name, keep=("torch",)) or replace_build(world, "torch"),
            )
