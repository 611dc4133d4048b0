"""One row as a cell of quoted wheels has it: what agrees is confirmed, the rest is extended or settled."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cudafit.matrix.quotes.cells import Cell, in_order
from cudafit.model.matrix import (
    DEFAULT_INDEX,
    EVIDENCE,
    LISTING,
    LOCK,
    NO_LOCAL,
    PAIRED,
    UNREAD_KERNELS,
    WHEEL,
    Build,
    Source,
)
from cudafit.model.quoted import Listed

_UNREAD = "the CPU is a target of every release in PyTorch's build matrix; the index itself was not read"
_LIBRARIES = (("cudnn", r"nvidia-cudnn-cu\d+"), ("nccl", r"nvidia-nccl-cu\d+"), ("triton", "triton"))
_SPELT = {"cudnn": "cuDNN", "nccl": "NCCL", "triton": "triton"}
_FROM_NOTES = "its cuDNN is from RELEASE.md"
_CUDA = re.compile(r"cu(\d\d)(\d)")


def with_cell(build: Build, cell: Cell, pinned: tuple[str, ...], by: Sequence[Source]) -> tuple[Build, list[str]]:
    """The row and what was settled against it. `pinned` are the requirements that locks tell, `by` who tells them."""
    settled: list[str] = []
    local = local_of(cell)
    if local != build.local:
        settled.append(f"its wheels carry {'no mark' if local == NO_LOCAL else f'+{cell.local}'}")
    tags = _tags(build, cell, settled)
    requires, libraries = _requirements(build, pinned, settled)
    named = [*cell.sources, *(by if (requires, libraries) != (build.requires, {}) else ())]
    evidence = stronger(build.evidence, LOCK if cell.is_hashed else LISTING)
    changed = replace(
        build,
        pythons=_pythons(build, cell.pythons),
        tags=tags,
        local=local,
        requires=requires,
        cudnn=libraries.get("cudnn", build.cudnn),
        nccl=libraries.get("nccl", build.nccl),
        triton=libraries.get("triton", build.triton),
        evidence=evidence,
    )
    return _believed(changed, build, named, settled), settled


def new_row(cell: Cell, variant: str, release: Sequence[Build], pinned: tuple[str, ...], by: Sequence[Source]) -> Build:
    """Of a cell that has no row: what holds for the whole release, it has from another row of it."""
    sibling = _sibling(release, cell.platform, variant)
    match = _CUDA.fullmatch(variant)
    requires, libraries = _requirements(
        replace(sibling, requires=(), cudnn=None, nccl=None, triton=None, platform=cell.platform), pinned, []
    )
    of_release = tuple(text for text in sibling.requires if re.match(r"torch(?![a-z])", text))
    sources = [source.name for source in (*cell.sources, *(by if requires else ()))]
    unread = bool(match and any(row.kernels for row in release))
    return Build(
        name=cell.package,
        version=cell.version,
        variant=variant,
        platform=cell.platform,
        index=cell.index,
        cuda=f"{match[1]}.{match[2]}" if match else None,
        cudnn=libraries.get("cudnn"),
        nccl=libraries.get("nccl"),
        triton=libraries.get("triton"),
        pythons=in_order(cell.pythons),
        tags=tuple(sorted(cell.tags)),
        requires=requires or of_release,
        local=local_of(cell),
        evidence=LOCK if cell.is_hashed else LISTING,
        verified=not unread,
        note=UNREAD_KERNELS if unread else None,
        sources=tuple(dict.fromkeys(sources)),
    )


def with_twin(build: Build, twin: Build) -> Build:
    """The same release for the same CUDA and platform, read on the default index: it requires the same."""
    if (build.requires, build.cudnn, build.nccl, build.triton) == (
        twin.requires,
        twin.cudnn,
        twin.nccl,
        twin.triton,
    ) or build.evidence == WHEEL:
        return build
    return replace(
        build,
        requires=twin.requires,
        cudnn=twin.cudnn,
        nccl=twin.nccl,
        triton=twin.triton,
        sources=tuple(dict.fromkeys((*build.sources, *twin.sources[:1]))),
    )


def with_libraries(build: Build, other: Build) -> Build:
    """Of the same release and CUDA for another platform, whose pins locks tell. What only the release notes told of
    this one gives way."""
    if build.cudnn == other.cudnn or build.cudnn is None or build.evidence == WHEEL:
        return build
    note = build.note or ""
    told = f"locks pin cuDNN {other.cudnn} for {other.platform}; it was thought to be {build.cudnn}"
    return replace(
        build,
        cudnn=other.cudnn,
        requires=tuple(text.replace(f"=={build.cudnn}", f"=={other.cudnn}") for text in build.requires),
        note=told if not note or note.startswith(_FROM_NOTES) else f"{note}; {told}",
        sources=tuple(dict.fromkeys((*other.sources[:1], *build.sources))),
    )


def with_triton(build: Build, required: str, version: str | None, source: str) -> Build:
    """A release of torch has one triton, whatever its CUDA."""
    requires = build.requires
    major = build.variant[2:4]
    if not any(text.startswith("nvidia-") for text in requires):
        told = (("cudnn", build.cudnn), ("nccl", build.nccl))
        requires = (*requires, *(f"nvidia-{name}-cu{major}=={value}" for name, value in told if value))
    return replace(
        build,
        requires=tuple(sorted({*requires, required})),
        triton=version,
        sources=tuple(dict.fromkeys((*build.sources, source))),
    )


def with_listing(build: Build, listed: Listed, quoted: Iterable[str]) -> tuple[Build, list[str]]:
    """A listing tells all Pythons but the free-threaded ones; what a lock quotes stays."""
    settled: list[str] = []
    kept = set(quoted)
    gone = [one for one in build.pythons if not one.endswith("t") and one not in (*listed.pythons, *kept)]
    if gone:
        settled.append(f"a listing has no wheel for Python {' '.join(gone)}")
    pythons = in_order({*(one for one in build.pythons if one not in gone), *listed.pythons})
    if not gone and pythons == build.pythons and strength(build.evidence) <= strength(LISTING):
        return build, []
    changed = replace(build, pythons=pythons, evidence=stronger(build.evidence, LISTING))
    return _believed(changed, build, [listed.source], settled), settled


def listed_row(listed: Listed, variant: str, release: Sequence[Build]) -> Build:
    """As `new_row`, of a listing alone."""
    cell = Cell(listed.package, listed.version, listed.platform, listed.index, variant, listed.pythons)
    return replace(new_row(cell, variant, release, (), ()), evidence=LISTING, sources=(listed.source.name,))


def _sibling(release: Sequence[Build], platform: str, variant: str) -> Build:
    """Of the same variant first, then of the same platform."""
    return min(release, key=lambda row: (row.variant != variant, row.platform != platform, row.index))


def local_of(cell: Cell) -> str | None:
    variant = cell.index.partition("-")[2]
    return None if cell.index == DEFAULT_INDEX or cell.local == variant else cell.local or NO_LOCAL


def strength(evidence: str) -> int:
    """0 is the strongest."""
    return EVIDENCE.index(evidence)


def stronger(one: str, other: str) -> str:
    return min(one, other, key=strength)


def _pythons(build: Build, quoted: Iterable[str]) -> tuple[str, ...]:
    missing = set(quoted) - set(build.pythons)
    return in_order({*build.pythons, *missing}) if missing else build.pythons


def _tags(build: Build, cell: Cell, settled: list[str]) -> tuple[str, ...]:
    """Tags that nobody had read were taken from another index's wheels."""
    quoted = set(cell.tags)
    if build.evidence in (WHEEL, LOCK):
        return tuple(sorted(quoted | set(build.tags)))
    if build.tags and not quoted <= set(build.tags):
        settled.append(f"its wheels are {' and '.join(sorted(quoted))}, not {' '.join(build.tags)}")
    return tuple(sorted(quoted))


def _requirements(build: Build, pinned: tuple[str, ...], settled: list[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The requirements and the versions that they name. A row that was read from a wheel has them from there."""
    if build.evidence == WHEEL and build.requires:
        return build.requires, {}
    libraries: dict[str, str] = {}
    for name, pattern in _LIBRARIES:
        for text in pinned:
            match = re.fullmatch(rf"(?:{pattern})(?:==|~=)([0-9][0-9A-Za-z.]*)", text)
            if match is None or not build.variant.startswith("cu"):
                continue
            before = getattr(build, name)
            if before not in (None, match[1]):
                settled.append(f"locks pin {_SPELT[name]} {match[1]}; it was thought to be {before}")
            libraries[name] = match[1]
    changed = {name: value for name, value in libraries.items() if getattr(build, name) != value}
    ours = tuple(text for text in pinned if re.match(r"nvidia-|cuda-toolkit|triton", text))
    if build.name != "torch" or not any(text.startswith("nvidia-") for text in ours):
        return build.requires, changed
    have = {re.match(r"[a-z0-9-]+", text)[0] for text in ours}  # type: ignore[index]
    major = build.variant[2:4]
    for name, value in (("cudnn", build.cudnn), ("nccl", build.nccl)):
        if value and not any(re.fullmatch(rf"nvidia-{name}-cu\d+", one) for one in have):
            ours = (*ours, f"nvidia-{name}-cu{major}=={value}")
    return tuple(sorted(ours)), changed


def _believed(changed: Build, before: Build, named: Sequence[Source], settled: Sequence[str]) -> Build:
    """With whoever tells it, and without the doubt that it settles."""
    note = before.note or ""
    verified = before.verified
    if note.startswith(PAIRED):
        note, verified = "", True
    elif note == _UNREAD or (note.startswith(_FROM_NOTES) and changed.cudnn != before.cudnn):
        note = ""
    # What locks do not tell, the kernels above all, is still from where it was.
    older = before.sources if before.kernels or before.cudnn or before.evidence in (WHEEL, LOCK, LISTING) else ()
    sources = tuple(dict.fromkeys((*(source.name for source in named), *older)))
    if set(sources) <= set(before.sources):
        sources = tuple(name for name in before.sources if name in sources)  # a second reading changes nothing
    notes = [part for part in (note, *(text for text in settled if text not in note)) if part]
    return replace(changed, sources=sources, note="; ".join(notes) or None, verified=verified)
