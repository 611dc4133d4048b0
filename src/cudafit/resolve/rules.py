"""The rules of fitting, in the order in which they are told: each gives None, or what stands in the way."""

from collections.abc import Mapping, Sequence

from cudafit.model.fit import CPU, CUBIN, PTX, UNKNOWN, Compat, How
from cudafit.model.frozen import frozen
from cudafit.model.kernels_in_use import in_use
from cudafit.model.matrix import Build, Spare
from cudafit.resolve.conda import library_text
from cudafit.resolve.drivers import Drivers, Verdict, build_cuda
from cudafit.resolve.host import Kind
from cudafit.resolve.kernels import Capability, oldest, serving_cubin, serving_ptx, sm
from cudafit.resolve.libraries import Lack, Libraries, is_collective, kernels_text
from cudafit.resolve.pins import is_gpu, requirements
from cudafit.resolve.platforms import libc_needed
from cudafit.resolve.pythons import described, has_wheel
from cudafit.resolve.together import Agreements

# What a build is to do: work on the GPU, work on the CPU, or neither matters to it (a package without CUDA builds).
ON_GPU = "gpu"
ON_CPU = "cpu"
EITHER = "either"


@frozen
class Obstacle:
    """What stands in the way of a build on a kind of machine."""

    rule: str
    need: str
    have: str
    source: str | None = None
    driver: str | None = None  # the driver that would lift it


@frozen
class Service:
    """How a build works on a kind of machine: the driver's verdict, and the kernel for each capability."""

    compat: Compat | None
    kernels: tuple[tuple[Capability, str | None, How], ...] = ()


@frozen
class Setting:
    """The facts that the rules look things up in, and the Python that is wanted."""

    drivers: Drivers
    libraries: Libraries
    python: str
    judged: "Judged"  # what was judged already, over all problems of one question
    agreements: Agreements
    spares: Mapping[str, Spare]


# By the build and the kind as objects, which stay for as long as the answers do: hashing their content takes longer.
Judged = dict[tuple[int, int, str, str], tuple[Build, Kind, Service | list[Obstacle]]]


def judge(build: Build, kind: Kind, setting: Setting, purpose: str) -> Service | list[Obstacle]:
    """How the build works here, or everything that stands in its way."""
    key = (id(build), id(kind), setting.python, purpose)
    kept = setting.judged.get(key)
    if kept is None:
        kept = setting.judged[key] = (build, kind, _judge(build, kind, setting, purpose))
    return kept[2]


def _judge(build: Build, kind: Kind, setting: Setting, purpose: str) -> Service | list[Obstacle]:
    if build.platform not in (kind.platform, "any"):
        return [Obstacle("platform", build.platform, kind.platform, _source(build))]
    found = []
    if need := libc_needed(build.tags, kind.libc):
        found.append(Obstacle("platform", need, kind.libc or "", _source(build)))
    if not has_wheel(build.pythons, build.requires_python, setting.python):
        found.append(Obstacle("python", described(build), f"Python {setting.python}", _source(build)))
    if purpose == EITHER:
        return found or Service(CPU if build.variant == CPU else None)
    if purpose == ON_CPU:
        if is_gpu(build):
            found.append(Obstacle("cpu", "a CUDA GPU", "the CPU is to do the work", _source(build)))
        return found or Service(CPU)
    if not is_gpu(build):
        have = f"{build.index}'s wheel for {kind.platform} is for the CPU only"
        return [*found, Obstacle("cpu", "a build for CUDA", have, _source(build))]
    return _on_gpu(build, kind, setting, found)


def _on_gpu(build: Build, kind: Kind, setting: Setting, found: list[Obstacle]) -> Service | list[Obstacle]:
    verdict = setting.drivers.verdict(build_cuda(build), kind)
    if verdict.compat is None:
        need = f"driver {verdict.driver} or newer" if verdict.driver else "a newer driver"
        found.append(Obstacle("driver", need, _driver_text(kind), _source(build), verdict.driver))
    kernels: list[tuple[Capability, str | None, How]] = []
    for gpu in kind.capabilities:
        served = _serve(build, gpu, verdict, kind)
        if isinstance(served, Obstacle) and build.name in setting.spares and not kind.tegra:
            kernels.append((gpu, None, UNKNOWN))
        elif isinstance(served, Obstacle):
            found.append(served)
        else:
            kernels.append((gpu, *served))
    if len(kernels) == len(kind.capabilities) and (obstacle := _libraries(build, kind, setting.libraries)):
        found.append(obstacle)
    return found or Service(verdict.compat, tuple(kernels))


def _serve(build: Build, gpu: Capability, verdict: Verdict, kind: Kind) -> tuple[str | None, How] | Obstacle:
    if not build.kernels and not kind.tegra:
        return None, UNKNOWN
    if not build.kernels:
        have = "a Jetson, which runs its own kernels only"
        return Obstacle("kernels", f"kernels for {sm(gpu)}; which it holds was not read", have, _source(build))
    kernels = in_use(build.kernels, build.partly)
    if cubin := serving_cubin(kernels, gpu, kind.tegra):
        return cubin, CUBIN
    ptx = None if kind.tegra else serving_ptx(kernels, gpu)
    if ptx and verdict.ptx:
        return ptx, PTX
    if ptx and verdict.compat is None:
        return ptx, PTX  # the driver stands in the way, and is told already
    if ptx:
        need = f"driver {verdict.native_driver} or newer, to compile its {ptx}" if verdict.native_driver else sm(gpu)
        return Obstacle("kernels", need, _driver_text(kind), _source(build), verdict.native_driver)
    return Obstacle("kernels", _kernels_needed(kernels, gpu, kind), sm(gpu), _source(build))


def _kernels_needed(kernels: tuple[str, ...], gpu: Capability, kind: Kind) -> str:
    if kind.tegra:
        return f"one of {' '.join(kernels)} (a Jetson runs its own kernels only)"
    first = oldest(kernels)
    if first and gpu < first:
        return f"{sm(first)} or newer"
    return f"one of {' '.join(kernels)}"


def _libraries(build: Build, kind: Kind, libraries: Libraries) -> Obstacle | None:
    for item in requirements(build):
        if item.name not in libraries.packages or is_collective(item.name):
            continue
        lack = libraries.judge(item.name, (item.specifier,), kind.platform, kind.capabilities)
        if isinstance(lack, Lack):
            asked = library_text(f"{item.name}{item.specifier}", build.index)
            need = f"{asked}, whose kernels are {kernels_text(lack.kernels)}"
            return Obstacle("libraries", need, sm(lack.capability), lack.source)
    return None


def _driver_text(kind: Kind) -> str:
    if kind.driver:
        return f"driver {kind.driver}"
    return f"a driver for CUDA {kind.cuda}" if kind.cuda else "no driver"


def _source(build: Build) -> str | None:
    return build.sources[0] if build.sources else None


def combined(services: Sequence[Service]) -> Compat | None:
    """Over several machines a build is as good as on the one where it is worst."""
    order: tuple[Compat | None, ...] = (None, "cpu", "native", "minor", "forward")
    return max((service.compat for service in services), key=order.index, default=None)
