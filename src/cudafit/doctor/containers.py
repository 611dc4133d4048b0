"""The questions that several checks of container files ask."""

import re
from collections.abc import Iterator

from cudafit.doctor.images import Image, image
from cudafit.doctor.world import World
from cudafit.model.container_files import Dockerfile, Service, Setting, Stage, effective, shown
from cudafit.model.finding import Evidence, Fix
from cudafit.model.fit import NATIVE, NO_FIT
from cudafit.model.frameworks import FRAMEWORKS, ONNXRUNTIME
from cudafit.model.frozen import frozen
from cudafit.model.installs import PIP, UV, Install, installs, torch_variant
from cudafit.model.matrix import Build
from cudafit.model.requirement import wanted
from cudafit.model.versions import numbers
from cudafit.resolve.answer import resolve
from cudafit.resolve.drivers import Verdict
from cudafit.resolve.host import GPU
from cudafit.resolve.kernels import Capability, serving_cubin, serving_ptx
from cudafit.resolve.request import Request
from cudafit.system.commands import command_text

HIDING = ("void", "none", "")
# What a copy takes along for its installed packages to come too.
_PACKAGES = re.compile(r"venv|site-packages|dist-packages|conda|\.local|/install|/wheels|^/$|^/(opt|usr|usr/local)/?$")


@frozen
class Built:
    """A Dockerfile as one service builds it, or by itself."""

    dockerfile: Dockerfile
    service: Service | None = None

    @property
    def base(self) -> Stage:
        return self.dockerfile.chain[0]

    @property
    def image(self) -> Image | None:
        return image(self.base.image) if self.base.image else None

    @property
    def platform(self) -> str | None:
        """As `linux/arm64`, where it is told."""
        told = self.service.platform if self.service else None
        return told or next((one.platform for one in self.dockerfile.chain[::-1] if one.platform), None)

    @property
    def installs(self) -> tuple[Install, ...]:
        """Those that end up in the image: of its own stages, and of stages whose packages are copied."""
        chain = self.dockerfile.chain
        fed: list[Stage] = []
        for stage in chain:
            for copied in stage.copied:
                source = self.dockerfile.named(copied.stage)
                if source and source not in fed and any(_PACKAGES.search(path) for path in copied.paths):
                    fed.append(source)
        found = [one for stage in (*fed, *chain) for one in installs(stage.commands)]
        return tuple(found)

    @property
    def settings(self) -> dict[str, Setting]:
        """The image's variables that a service does not set anew."""
        own = dict(effective(self.dockerfile.chain))
        for setting in self.service.settings if self.service else ():
            own.pop(setting.name, None)
        return own

    @property
    def wants_gpu(self) -> tuple[str, str] | None:
        """What in it says that a GPU is meant to be used, and where that stands."""
        if self.service and gives_gpu(self.service):
            return f"the service `{self.service.name}` has a GPU", self.service.place
        if self.image and self.image.gpu:
            return f"the base `{self.image.name}` is made for a GPU", self.base.place
        told = self.settings.get("NVIDIA_VISIBLE_DEVICES")
        if told and told.value is not None and told.value not in HIDING:
            return f"NVIDIA_VISIBLE_DEVICES={told.value}", told.place
        for one in self.installs:
            if one.tool in (PIP, UV) and (
                re.fullmatch(r"(extra-)?cu\d+", torch_variant(one) or "") or _brings_cuda(one)
            ):
                return "builds for CUDA are installed", one.command.place
        return None


def _brings_cuda(install: Install) -> bool:
    """A package that is for a GPU by its name, or by its extra."""
    return any(
        one.name == ONNXRUNTIME.build
        or (of.cuda_extra and one.name == of.name and any(extra.startswith(of.cuda_extra) for extra in one.extras))
        for one in install.wanted
        for of in FRAMEWORKS
    )


def every_build(world: World) -> Iterator[Built]:
    """Each Dockerfile with the service that builds it; by itself where none does."""
    files = world.project.containers
    if files is None:
        return
    built = [Built(service.dockerfile, service) for service in files.services if service.dockerfile]
    yield from built
    for one in files.dockerfiles:
        if all(other.dockerfile.path != one.path for other in built):
            yield Built(one)


def services(world: World) -> tuple[Service, ...]:
    return world.project.containers.services if world.project.containers else ()


def gives_gpu(service: Service) -> bool:
    given = [one for one in service.requests if one.count != "0"]
    return bool(given or service.device_files or service.runtime == "nvidia")


def platform_of(world: World, told: str | None) -> str:
    """The platform of an image, `linux-aarch64`: the machine's own processor where none is told."""
    word = (told or "").rpartition("/")[0] or told or ""
    processor = {"linux/arm64": "aarch64", "arm64": "aarch64", "linux/amd64": "x86_64", "amd64": "x86_64"}
    if told and (found := processor.get(told) or processor.get(word)):
        return f"linux-{found}"
    return f"linux-{world.machine.os.arch}"


def why_not_judged(world: World, told: str | None = None) -> str | None:
    """Why nothing can be said about drivers and kernels here; None where it can."""
    if world.host.kind.state != GPU:
        return world.host.why or "the driver and the GPUs of this machine are not known"
    platform = platform_of(world, told)
    if platform != f"linux-{world.machine.os.arch}":
        return f"the image is for {platform}, and this machine is {world.machine.os.arch}"
    return None


def unserved(world: World, build: Build) -> list[tuple[int, Capability]]:
    """The cards that no kernel of a build serves; none where its kernels are not known."""
    if build.kernels is None or not build.cuda:
        return []
    exact = world.machine.os.tegra is not None
    compiles = world.verdict(build.cuda).ptx and not exact
    return [
        (index, gpu)
        for index, gpu in world.capabilities
        if not serving_cubin(build.kernels, gpu, exact) and not (compiles and serving_ptx(build.kernels, gpu))
    ]


def needs(verdict: Verdict) -> str:
    return f"driver {verdict.driver} or newer"


def newest_cuda(world: World) -> str | None:
    """The newest release of the toolkit that this driver has everything for."""
    rows = [one.cuda for one in world.facts.facts.toolkits if one.verified and one.cuda.count(".") == 2]
    fitting = [one for one in rows if world.verdict(one).compat == NATIVE and world.verdict(one).ptx]
    return max(fitting, key=numbers, default=None)


def exact_torch(world: World, version: str | None, python: str | None) -> tuple[str, ...]:
    """The torch that works here, the wanted release if there is one: `torch==2.9.1+cu126` and its index."""
    if world.host.kind.state != GPU or not world.host.kind.platform.startswith("linux"):
        return ()
    for text in (f"torch=={version}", "torch") if version else ("torch",):
        answer = resolve(Request(wanted=(wanted(text),), python=python), [world.host], world.facts.book)
        picks = [one for one in answer.picks if one.requested]
        if answer.status not in (NO_FIT, "cpu") and picks:
            index = () if picks[0].index_name == "pypi" else ("--index-url", picks[0].index)
            return (picks[0].requirement, *index)
    return ()


def install_fix(world: World, place: str, version: str | None, python: str | None) -> Fix:
    exact = exact_torch(world, version, python)
    return Fix(
        f"in {place} write `{command_text('pip', 'install', *exact)}`"
        if exact
        else f"in {place} take torch from an index for CUDA; `cudafit resolve torch` where the GPU is names it"
    )


def evidence(text: str, place: str) -> Evidence:
    return Evidence(shown(text), shown(place))
