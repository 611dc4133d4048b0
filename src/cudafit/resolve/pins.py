"""What a build brings along, and whether two builds can share an environment."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from cudafit.model.bitsandbytes import has_library
from cudafit.model.fit import CPU
from cudafit.model.frameworks import JAX, TORCH
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build, SharedPlace
from cudafit.model.versions import numbers
from cudafit.resolve.drivers import build_cuda
from cudafit.resolve.together import Agreements
from cudafit.resolve.versions import Needed, admits_any, disjoint, needed

_PYTORCH = "pytorch-"
_FAMILY = frozenset((TORCH.name, *TORCH.companions, "torchao", "torchcodec"))  # on each of PyTorch's indexes
NO_EXTRAS: frozenset[str] = frozenset()
_CUDNN = re.compile(r"(?:lib)?cudnn(?:_\w+?)?(?:\.so\.|64_)(\d+)")


@frozen
class Clash:
    """Why two builds cannot stand in one environment."""

    rule: str  # pairing, shared-libraries
    need: str
    have: str
    source: str | None = None


def is_gpu(build: Build) -> bool:
    """Whether a build is made for CUDA, by its variant."""
    return build.variant.startswith("cu") or build.variant == "multi"


def requirements(build: Build, extras: Iterable[str] = ()) -> tuple[Needed, ...]:
    """What a build requires: as its row says, and for a wheel of an extra index the libraries that the row names."""
    return _requirements(build.requires, _implied(build), frozenset(extras))


def every_name(build: Build) -> frozenset[str]:
    """What a build can require at all, whichever extras of it are wanted."""
    return _names((*build.requires, *_implied(build)))


@cache
def _names(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(needed(text).name for text in texts)


@cache
def _requirements(texts: tuple[str, ...], implied: tuple[str, ...], extras: frozenset[str]) -> tuple[Needed, ...]:
    found = [needed(text) for text in (*texts, *implied)]
    return tuple(one for one in found if one.for_extra is None or one.for_extra in extras)


def _implied(build: Build) -> tuple[str, ...]:
    """PyTorch's Linux wheels pin the cuDNN and NCCL that they were built with; their rows name only those."""
    if not build.index.startswith(_PYTORCH) or not build.platform.startswith("linux") or not is_gpu(build):
        return ()
    if any(text.startswith("nvidia-") for text in build.requires):
        return ()
    cuda = build_cuda(build)
    major = cuda[0] if cuda else 0
    pairs = (("cudnn", build.cudnn), ("nccl", build.nccl))
    return tuple(f"nvidia-{library}-cu{major}=={version}" for library, version in pairs if version)


class Sharing:
    """Answers which builds can stand together; every answer is kept."""

    def __init__(self, places: Sequence[SharedPlace], agreements: Agreements | None = None) -> None:
        self._agreements = agreements or Agreements((), ())
        self._places: dict[str, list[SharedPlace]] = {}
        for place in places:
            for package in place.packages:
                self._places.setdefault(package, []).append(place)
        self._kept: dict[tuple[int, int, frozenset[str], frozenset[str]], Clash | None] = {}  # builds outlive it

    def clash(
        self, one: Build, other: Build, extras: frozenset[str] = NO_EXTRAS, other_extras: frozenset[str] = NO_EXTRAS
    ) -> Clash | None:
        """What keeps the two apart; None when nothing does. The extras are those wanted of each."""
        key = (id(one), id(other), extras, other_extras)
        if key not in self._kept:
            self._kept[key] = self._judge(one, other, extras, other_extras)
        return self._kept[key]

    def _judge(self, one: Build, other: Build, extras: frozenset[str], other_extras: frozenset[str]) -> Clash | None:
        mine, theirs = requirements(one, extras), requirements(other, other_extras)
        clash = self._pairing(one, mine, other) or self._pairing(other, theirs, one) or _family(one, other)
        clash = clash or self._majors(one, other) or _cudnn(one, other) or _cudnn(other, one)
        clash = clash or _no_library(one, other) or _no_library(other, one)
        return clash or _pins(one, mine, other, theirs) or self._same_place(one, mine, other, theirs)

    def _majors(self, one: Build, other: Build) -> Clash | None:
        a, b = build_cuda(one), build_cuda(other)
        if a is None or b is None or not is_gpu(one) or not is_gpu(other) or a[0] == b[0]:
            return None
        source = next((place.sources[0] for places in self._places.values() for place in places if place.sources), None)
        return Clash(
            "shared-libraries",
            f"CUDA {a[0]} libraries, for {label(one)}",
            f"CUDA {b[0]} libraries, for {label(other)}: both fill the same folders",
            source,
        )

    def _pairing(self, one: Build, mine: Sequence[Needed], other: Build) -> Clash | None:
        for item in mine:
            if item.name != other.name:
                continue
            told = self._agreements.told(one, other.name)
            why = f": it {told.why}" if told else ""
            source = next(iter((told.sources if told else ()) or one.sources), None)
            if not admits_any(item.specifier, other.version):
                return Clash("pairing", f"{item.name}{item.specifier}, by {label(one)}{why}", label(other), source)
            if _unlike(one, other, exact=item.specifier.startswith("==") or bool(told and told.same_cuda)):
                return Clash("pairing", f"a {other.name} of its own CUDA, by {label(one)}{why}", label(other), source)
        return None

    def _same_place(self, one: Build, mine: Sequence[Needed], other: Build, theirs: Sequence[Needed]) -> Clash | None:
        for name in (one.name, *(item.name for item in mine)):
            for place in self._places.get(name, ()):
                for against in (other.name, *(item.name for item in theirs)):
                    if against != name and against in place.packages:
                        return Clash(
                            "shared-libraries",
                            f"{name}, for {label(one)}",
                            f"{against}, for {label(other)}: both fill {place.place}",
                            place.sources[0] if place.sources else None,
                        )
        return None


def label(build: Build) -> str:
    """`torch 2.14.1+cu126`; the variant only where there is a choice of them."""
    return f"{build.name} {build.version}" + (f" ({build.variant})" if build.variant not in ("any", "cpu") else "")


def _cudnn(one: Build, other: Build) -> Clash | None:
    """Of cuDNN a process has one: that which the one opens by its name must be what the other brings."""
    opened = next((match[1] for name in one.opens or () if (match := _CUDNN.match(name))), None)
    if opened is None or not is_gpu(other):
        return None
    brought = other.cudnn or _cudnn_of_torch(other)
    if brought is None or brought.partition(".")[0] == opened:
        return None
    return Clash(
        "shared-libraries",
        f"cuDNN {opened}, which {label(one)} opens",
        f"cuDNN {brought}, of {label(other)}",
        one.sources[0] if one.sources else None,
    )


def _cudnn_of_torch(build: Build) -> str | None:
    """Its major, where a row does not tell it. Source: PyTorch's RELEASE.md, "Release Compatibility Matrix"."""
    return "9" if build.name == TORCH.name and numbers(build.version) >= (2, 4) else None


def _no_library(one: Build, other: Build) -> Clash | None:
    """A build with a library for each CUDA loads that of torch's."""
    if not one.torch_cudas or other.name != TORCH.name or not is_gpu(other):
        return None
    cuda = build_cuda(other)
    if cuda is None or has_library(one.torch_cudas, one.nearest, *cuda):
        return None
    held = " ".join(one.torch_cudas)
    source = one.sources[0] if one.sources else None
    return Clash("pairing", f"a torch for CUDA {held}, of which {label(one)} has libraries", label(other), source)


def _family(one: Build, other: Build) -> Clash | None:
    """Each of PyTorch's indexes serves torch and what is built with it for one CUDA; an environment has one of them."""
    if one.index == other.index or not (one.index.startswith(_PYTORCH) and other.index.startswith(_PYTORCH)):
        return None
    if one.name not in _FAMILY or other.name not in _FAMILY:
        return None
    source = one.sources[0] if one.sources else None
    return Clash("pairing", f"{other.name} of {one.index}, by {label(one)}", label(other), source)


def _unlike(one: Build, other: Build, *, exact: bool) -> bool:
    """A build that names the other's exact version was compiled against it, its CUDA included."""
    neutral = ("any", "source")
    if one.variant in neutral or other.variant in neutral or (other.name in JAX.builds and other.variant == CPU):
        return False  # jaxlib's CUDA is that of the plugin beside it
    a, b = build_cuda(one), build_cuda(other)
    if a is None or b is None:
        return exact and (a is None) != (b is None) and "multi" not in (one.variant, other.variant)
    return a[0] != b[0] or (exact and None not in (a[1], b[1]) and a[1] != b[1])


def _pins(one: Build, mine: Sequence[Needed], other: Build, theirs: Sequence[Needed]) -> Clash | None:
    by_name: Mapping[str, list[str]] = _by_name(tuple(theirs))
    for item in mine:
        for specifier in by_name.get(item.name, ()):
            if disjoint(item.specifier, specifier):
                return Clash(
                    "shared-libraries",
                    f"{item.name}{item.specifier}, by {label(one)}",
                    f"{item.name}{specifier}, by {label(other)}",
                    one.sources[0] if one.sources else None,
                )
    return None


@cache
def _by_name(items: tuple[Needed, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.name, []).append(item.specifier)
    return found
