"""Images against the driver and the cards: their base, and the wheels that are put into them."""

import re
from collections.abc import Iterator
from functools import partial

from cudafit.doctor.containers import (
    Built,
    every_build,
    evidence,
    exact_torch,
    install_fix,
    needs,
    newest_cuda,
    platform_of,
    services,
    unserved,
    why_not_judged,
)
from cudafit.doctor.images import Image, image
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.container_files import shown
from cudafit.model.finding import ERROR, WARNING, Finding, Fix
from cudafit.model.frameworks import TORCH
from cudafit.model.installs import PIP, UV, Install, torch_variant
from cudafit.model.kind import FindingKind
from cudafit.model.matrix import Build
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import sm
from cudafit.resolve.pythons import has_wheel
from cudafit.resolve.versions import admits_any
from cudafit.system.commands import command_text

Told = Iterator[Finding | Unchecked]
# What is installed with torch in one line without deciding which torch it is.
_BESIDE = frozenset({TORCH.name, *TORCH.companions, "numpy"})


def files(world: World) -> Iterator[Unchecked]:
    """What could not be read."""
    reasons = [reason for one in services(world) for reason in one.unread]
    for built in every_build(world):
        reasons += built.dockerfile.unread
        if built.base.image is None:
            reasons.append(f"{built.base.place}: a variable of `{built.base.text}` is not known")
        for install in built.installs:
            if install.tool in (PIP, UV) and (listed := install.option("-r", "--requirement", "--requirements")):
                reasons.append(f"{install.command.place}: what `{listed[0]}` installs is not read here")
    yield from (Unchecked(shown(reason)) for reason in dict.fromkeys(reasons))


def base(world: World) -> Told:
    """The base of a Dockerfile."""
    for built in every_build(world):
        if built.image and built.image.gpu:
            yield from _image(
                world, built.image, built.base.place, built.platform, kinds.image.base_too_new, kinds.image.no_kernels
            )


def service_image(world: World) -> Told:
    """The image of a service that is not built."""
    for service in services(world):
        if service.image and (one := image(service.image)).gpu:
            yield from _image(
                world,
                one,
                service.image_place or service.place,
                service.platform,
                kinds.compose.image_too_new,
                kinds.compose.no_kernels,
            )


def _image(
    world: World, one: Image, place: str, platform: str | None, too_new: FindingKind, no_kernels: FindingKind
) -> Told:
    build = _framework(world, one, platform)
    cuda = one.cuda or (build.cuda if build else None)
    if cuda is None:
        reason = (
            "the matrix does not tell what is in NVIDIA's monthly images" if one.monthly else "its CUDA is not known"
        )
        yield Unchecked(f"{shown(place)}: `{shown(one.name)}`: {reason}")
    elif why := why_not_judged(world, platform):
        yield Unchecked(f"{shown(place)}: `{shown(one.name)}` has CUDA {cuda}; {why}")
    elif (verdict := world.verdict(cuda)).compat is None and verdict.driver:
        yield too_new.found(
            f"`{shown(one.name)}` has CUDA {cuda}, which needs {needs(verdict)}",
            (evidence(one.name, place), world.driver_evidence),
            _older_image(world, one, needs(verdict)),
        )
    elif build:
        what = f"{build.name} {build.version} in `{shown(one.name)}`"
        fix = _older_image(world, one, None)
        yield from _kernels(world, build, what, place, no_kernels, fix)


def _framework(world: World, one: Image, platform: str | None) -> Build | None:
    """The build of the framework that an image is named after."""
    if not one.framework or not one.version:
        return None
    found = [
        build
        for build in world.facts.builds(one.framework)
        if build.version == one.version
        and build.platform == platform_of(world, platform)
        and build.cuda
        and (one.cuda is None or numbers(build.cuda)[:2] == numbers(one.cuda)[:2])
    ]
    return found[0] if found else None


def _older_image(world: World, one: Image, driver: str | None) -> Fix:
    newest = newest_cuda(world)
    upgrade = f"; or install {driver} on the host" if driver else ""
    if one.framework == "torch" and (exact := exact_torch(world, None, None)):
        match = re.match(r"torch==([\d.]+)\+cu(\d+)(\d)", exact[0])
        told = f"torch {match[1]} with CUDA {match[2]}.{match[3]}" if match else exact[0]
        return Fix(f"take a tag of `{shown(one.repository)}` for this machine: {told}{upgrade}")
    if newest is None:
        return Fix(f"take a tag with an older CUDA{upgrade}")
    tag = f" `{shown(one.repository)}:{newest}-...`" if one.repository.endswith("nvidia/cuda") else ""
    return Fix(f"take a tag{tag} with CUDA {newest}, the newest that this driver knows, or older{upgrade}")


def wheels(world: World) -> Told:
    """The torch that pip or uv takes while the image is built."""
    for built in every_build(world):
        found = [one for one in built.installs if one.tool in (PIP, UV) and one.requirement("torch")]
        unsure = [one for one in found if not one.command.certain]
        if unsure:
            yield Unchecked(f"{shown(unsure[0].command.place)}: torch is installed under a condition")
        elif found:
            yield from _wheel(world, built, found[-1])


def _wheel(world: World, built: Built, install: Install) -> Told:
    variant = torch_variant(install)
    place = install.command.place
    if variant is None or variant in ("cpu", "auto", "extra-cpu"):
        return
    build = _taken(world, built, install, variant)
    named = re.fullmatch(r"cu(\d\d)(\d)", variant)
    cuda = build.cuda if build else f"{named[1]}.{named[2]}" if named else None
    if build and build.variant == "cpu":
        yield from _arm(world, built, build, place)
        return
    if cuda is None:
        return
    what = f"torch {build.version} for CUDA {cuda}" if build else f"torch for CUDA {cuda}"
    if reason := why_not_judged(world, built.platform):
        yield Unchecked(f"{shown(place)}: {what} is installed; {reason}")
        return
    fix = partial(
        install_fix, world, install.command.where, _pinned(install), built.image.python if built.image else None
    )
    verdict = world.verdict(cuda)
    if verdict.compat is None and verdict.driver:
        yield kinds.image.wheel_too_new.found(
            f"{what} is installed, which needs {needs(verdict)}",
            (evidence(_words(install, variant), place), world.driver_evidence),
            fix(),
        )
    elif build:
        yield from _kernels(
            world, build, what, place, kinds.image.no_kernels, fix() if unserved(world, build) else None
        )


def _taken(world: World, built: Built, install: Install, variant: str) -> Build | None:
    """The build that the installer takes, where that is certain."""
    want = install.requirement("torch")
    exact = _pinned(install)
    if want is None:
        return None
    platform = platform_of(world, built.platform)
    python = built.image.python if built.image else None
    fitting = [
        one
        for one in world.facts.builds("torch")
        if one.platform == platform
        and (admits_any(want.specifier.partition("+")[0], one.version) if want.specifier else True)
        and (python is None or has_wheel(one.pythons, one.requires_python, python))
    ]
    if variant.startswith("extra-"):
        # A version with a local part is newer than the same without one, so the extra index wins where it has it.
        extra = [one for one in fitting if exact and one.index == f"pytorch-{variant.removeprefix('extra-')}"]
        variant = "default" if not extra else extra[0].variant
        if not exact:
            return None
    index = "pypi" if variant == "default" else f"pytorch-{variant}"
    there = [one for one in fitting if one.index == index]
    # Without a pin, what else is asked for and which Python there is decide as well.
    free = python is not None and not want.url and {one.name for one in install.wanted} <= _BESIDE
    if not there or (variant == "default" and not exact and not free):
        return None
    return max(there, key=lambda one: numbers(one.version))


def _pinned(install: Install) -> str | None:
    want = install.requirement("torch")
    match = re.fullmatch(r"===?(\d+(?:\.\d+)+)(?:\+\w+)?", want.specifier) if want else None
    return match[1] if match else None


def _words(install: Install, variant: str) -> str:
    asked = next((text for text in install.packages if re.match(r"torch\b", text)), "torch")
    return f"{install.tool} takes {asked} from {'the default index' if variant == 'default' else variant}"


def _arm(world: World, built: Built, build: Build, place: str) -> Iterator[Finding]:
    """On ARM the default index had builds for the CPU alone."""
    wish = built.wants_gpu
    if build.platform != "linux-aarch64" or not wish:
        return
    for_cuda = [one for one in world.facts.builds("torch") if one.platform == build.platform and one.cuda]
    first = min((one.version for one in for_cuda if one.index == "pypi"), key=numbers, default=None)
    indexes = sorted({one.index.removeprefix("pytorch-") for one in for_cuda if one.version == build.version})
    if indexes:
        option = command_text("--index-url", f"https://download.pytorch.org/whl/{indexes[-1]}")
        text = f"add `{option}`, which has torch {build.version} for ARM"
    else:
        text = f"take torch {first} or newer" if first else "take a build for CUDA"
    yield kinds.image.arm_cpu_wheel.found(
        f"torch {build.version} of the default index is a build for the CPU on linux-aarch64",
        (evidence(f"torch {build.version} for linux-aarch64 is {build.variant}", place), evidence(*wish)),
        Fix(f"in {shown(place)} {text}"),
    )


def _kernels(
    world: World, build: Build, what: str, place: str, kind: FindingKind, fix: Fix | None
) -> Iterator[Finding]:
    without = unserved(world, build)
    if not without:
        return
    index, gpu = without[0]
    every = len(without) == len(world.capabilities)
    yield kind.found(
        f"{what} has no kernels for {sm(gpu)}" + ("" if every else f" (GPU {index}), and has for the others"),
        (evidence(f"its kernels are {' '.join(build.kernels or ())}", place), world.gpu_evidence(index)),
        fix,
        severity=ERROR if every else WARNING,
    )
