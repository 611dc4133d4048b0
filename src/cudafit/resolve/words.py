"""The user's own words about a build: specifiers, extras, `--cuda`, a lock, and what was said of other packages."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cudafit.model.declaration import Chosen
from cudafit.model.fit import CPU
from cudafit.model.frameworks import FRAMEWORKS, JAX, TORCH
from cudafit.model.matrix import DEFAULT_INDEX, Build, wheel_version
from cudafit.model.requirement import Wanted
from cudafit.resolve.drivers import build_cuda
from cudafit.resolve.pins import label, requirements
from cudafit.resolve.request import Request
from cudafit.resolve.rules import Obstacle
from cudafit.resolve.together import Agreements
from cudafit.resolve.versions import admits, disjoint, parsed, read

# Whose extra chooses the build; that of onnxruntime-gpu only brings libraries along.
_WITH_CUDA_EXTRA = frozenset(name for one in FRAMEWORKS if one.cuda_extra for name in (one.name, one.build))

_IN_KINDS = frozenset((*TORCH.builds, *TORCH.companions))  # of which an index for one CUDA has all
_JAX = frozenset((JAX.name, JAX.build))


def against_words(
    build: Build,
    wants: Sequence[Wanted],
    request: Request,
    others: Mapping[str, Sequence[Wanted]],
    agreements: Agreements,
    *,
    has_gpu: bool,
) -> Iterator[Obstacle]:
    for want in wants:
        if not _admitted(want.specifier, build):
            yield Obstacle("request", f"{want.name}{want.specifier} ({want.origin})", label(build))
        choosing = [extra for extra in want.extras if is_cuda_extra(want.name, extra)]
        if missing := [extra for extra in choosing if _cuda_extra(extra) != build.extra]:
            yield Obstacle("request", f"{want.name}[{missing[0]}] ({want.origin})", label(build))
    if request.locked is not None and (told := _not_locked(build, request.locked, asked=bool(wants))):
        yield Obstacle("request", told, label(build))
    if request.cuda and has_gpu and not _is_of_cuda(build, request.cuda):
        yield Obstacle("request", f"CUDA {request.cuda} (--cuda)", label(build))
    if has_gpu and request.chosen and (told := against_chosen(build, request.chosen)):
        yield Obstacle("request", told, label(build))
    for item in requirements(build) if others else ():
        for want in others.get(item.name, ()):
            if disjoint(item.specifier, want.specifier):
                row = agreements.told(build, item.name)
                have = f"{label(build)} needs {item.name}{item.specifier}" + (f": it {row.why}" if row else "")
                source = row.sources[0] if row and row.sources else None
                yield Obstacle("request", f"{want.text} ({want.origin})", have, source)


def against_chosen(build: Build, chosen: Sequence[Chosen]) -> str | None:
    """What the project's own choice of a kind of build has against this one."""
    told = [one for one in chosen if one.package == build.name or (one.package is None and build.name in _IN_KINDS)]
    if not told or any(_is_kind(build, one.variant) for one in told):
        return None
    return f"{told[0].variant} ({told[0].origin})"


def _is_kind(build: Build, variant: str) -> bool:
    """`cu12` is any of CUDA 12: some names tell no more."""
    if build.variant == variant:
        return True
    return len(variant) == len("cu12") and variant.startswith("cu") and build.variant.startswith(variant)


def takes_cpu(name: str, wants: Sequence[Wanted], request: Request) -> bool:
    """Whether this package is to work on the CPU though there is a GPU: by an index for the CPU, `+cpu`, `jax[cpu]`."""
    leader = TORCH.name if name in TORCH.companions else JAX.name if name == JAX.build else None
    wants = (*wants, *(want for want in request.wanted if want.name == leader))
    for one in request.chosen:
        if one.variant == CPU and (one.package == name or (one.package is None and name in _IN_KINDS)):
            return True
    if any("+cpu" in want.specifier for want in wants):
        return True
    extras = {extra for want in wants for extra in want.extras}
    return (
        name in _JAX and bool(extras & {"cpu", "tpu", "rocm"}) and not any(is_cuda_extra(name, one) for one in extras)
    )


def _admitted(specifier: str, build: Build) -> bool:
    """`==2.14.1+cu126` names the variant too, as the PyTorch indexes do; whether its wheels carry that mark or not."""
    if "+" in specifier and build.index != DEFAULT_INDEX:
        return any(admits(specifier, text) for text in _spelt(build))
    return admits(specifier, build.version)


def _not_locked(build: Build, locked: Mapping[str, str], *, asked: bool) -> str | None:
    """What the lock holds in place of this build. What nobody asked for may be missing: not every lock names all."""
    held = locked.get(build.name)
    if held is None:
        return f"in the lock, which names no {build.name}" if asked else None
    if "=" in held:
        version, _, string = held.partition("=")
        kind = f"cuda{build.cuda.replace('.', '')}" if build.cuda else "cpu"
        same = build.version == version and string.startswith(kind)
    elif "+" in held:
        same = build.index != DEFAULT_INDEX and any(parsed(text) == read(held) for text in _spelt(build))
    else:
        same = "+" not in wheel_version(build) and parsed(build.version) == read(held)
    return None if same else f"{build.name} {held} (the lock)"


def _spelt(build: Build) -> tuple[str, str]:
    return wheel_version(build), f"{build.version}+{build.variant}"


def is_cuda_extra(package: str, extra: str) -> bool:
    """Whether an extra chooses the build."""
    return package in _WITH_CUDA_EXTRA and (extra == "and-cuda" or extra.startswith("cuda"))


def _cuda_extra(extra: str) -> str:
    """jax's extra has had several names: `cuda` and `cuda12_pip` are `cuda12` today."""
    return "cuda12" if extra == "cuda" else re.sub("[-_]pip$", "", extra)


def _is_of_cuda(build: Build, wanted: str) -> bool:
    """`--cuda 12` admits every 12.x; a build for a whole major is admitted by any of its CUDA versions."""
    cuda = build_cuda(build)
    if cuda is None:
        return build.variant == "multi"
    numbers = [int(part) for part in wanted.split(".")[:2]]
    return cuda[0] == numbers[0] and (len(numbers) < 2 or cuda[1] is None or cuda[1] == numbers[1])
