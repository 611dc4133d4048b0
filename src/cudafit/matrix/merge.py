"""Lays a harvest into a folder of matrix files: what a wheel tells replaces what stood there, the rest stays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from cudafit.matrix.folder import BUILDS, FRAMEWORKS, Folder, MatrixFile, file_text
from cudafit.matrix.linters.unique import KEYS
from cudafit.model.matrix import CPU, PAIRED, Build, CondaBuild, QuotedWheels, Source
from cudafit.model.versions import natural_key

_IDENTITY = set(KEYS[BUILDS])

# The note of a row whose wheel told neither by its name nor by its libraries.
UNKNOWN_CUDA = "its CUDA version is not known"


def merged_files(folder: Folder, builds: Iterable[Build], sources: Iterable[Source]) -> dict[str, str]:
    """The new text of every file that changes."""
    by_package: dict[str, list[Build]] = {}
    for build in builds:
        by_package.setdefault(build.name, []).append(build)
    texts: dict[str, str] = {}
    merged: dict[str, list[Build]] = {}
    for package, own in sorted(by_package.items()):
        name = f"{FRAMEWORKS}/{package}.yaml"
        file = folder.files.get(name) or _new_file(name, package)
        merged[name] = merged_builds([entry.record for entry in file.entries.get(BUILDS, [])], own)
        texts[name] = file_text(file.comment, file.scalars, {BUILDS: merged[name]})
    return _with_sources(folder, texts, merged, (), sources)


def quoted_files(
    folder: Folder,
    builds: Mapping[str, list[Build]],
    conda: Sequence[CondaBuild] | None,
    wheels: list[QuotedWheels],
    sources: Iterable[Source],
) -> dict[str, str]:
    """The same for whole packages as locks have them, for all of conda's builds, and for the files that locks quote."""
    merged: dict[str, Sequence[Any]] = {
        f"{FRAMEWORKS}/{package}.yaml": sorted(rows, key=_order) for package, rows in builds.items()
    }
    texts = {}
    for name, rows in merged.items():
        file = folder.files[name]
        texts[name] = file_text(file.comment, file.scalars, {BUILDS: rows})
    if conda is not None:
        texts[CONDA], merged[CONDA] = _conda_file(folder, conda)
    if wheels:
        comment = folder.files[WHEELS].comment if WHEELS in folder.files else _WHEELS_COMMENT
        texts[WHEELS] = file_text(comment, {}, {"wheels": wheels})
    return _with_sources(folder, texts, merged, wheels, sources)


def _conda_file(folder: Folder, rows: Sequence[CondaBuild]) -> tuple[str, Sequence[Any]]:
    """Its text, and all that is in it."""
    file = folder.files.get(CONDA) or MatrixFile(CONDA, "", _CONDA_COMMENT, {})
    lists = {name: [entry.record for entry in entries] for name, entries in file.entries.items()}
    lists = {**lists, "conda_builds": list(rows)}
    return file_text(file.comment, file.scalars, lists), [row for rows in lists.values() for row in rows]


def _with_sources(
    folder: Folder,
    texts: dict[str, str],
    merged: Mapping[str, Sequence[Any]],
    wheels: Iterable[QuotedWheels],
    sources: Iterable[Source],
) -> dict[str, str]:
    used = _used_sources(folder, merged) | {name for row in wheels for name in row.sources}
    known = folder.files["sources.yaml"]
    rows = _merged_sources([entry.record for entry in known.entries.get("sources", [])], list(sources), used)
    texts["sources.yaml"] = file_text(known.comment, known.scalars, {"sources": rows})
    return {name: text for name, text in texts.items() if name not in folder.files or folder.files[name].text != text}


CONDA = "conda.yaml"
_CONDA_COMMENT = "What conda-forge's recipes build for CUDA."
WHEELS = "wheels.yaml"
_WHEELS_COMMENT = (
    "Files that locks quote, wheels and packages of conda, each with its sha256 (`-`: a lock names the file without)."
)


def _new_file(name: str, package: str) -> MatrixFile:
    comment = (
        f"Builds of {package}: one record a version, variant, platform and index.\n"
        "Rows of the index pypi are read from the wheels."
    )
    return MatrixFile(name, "", comment, {"package": package})


def merged_builds(old: Sequence[Build], new: Sequence[Build]) -> list[Build]:
    """The builds of one package, as the wheels that were read tell them."""
    by_key = {_key(build): build for build in old}
    read = {_key(build) for build in new}
    for build in new:
        # An index serves one variant of a version for a platform, or several by the extras of one wheel, which are then
        # all read: another one that stood there was wrong or vague.
        standing = [row for row in by_key.values() if _place(row) == _place(build)]
        named = _named(build, standing[0] if standing else None)
        others = [
            row
            for row in standing
            if row.variant != named.variant and _key(row) not in read and not _is_of_another_wheel(row, named)
        ]
        if build.index == "pypi":
            for other in others:
                del by_key[_key(other)]
        known = by_key.get(_key(named)) or next((other for other in others if _is_like(other, named)), None)
        by_key[_key(named)] = _merged(known, named)
    return sorted(by_key.values(), key=_order)


def _is_of_another_wheel(row: Build, new: Build) -> bool:
    """Of one version there may be wheels for older and for newer systems, each with a row."""
    place = f"{row.name}-{row.version}-{row.platform}"
    return (
        all(one.sources and one.sources[0].startswith(place) for one in (row, new)) and row.sources[0] != new.sources[0]
    )


def _named(build: Build, standing: Build | None) -> Build:
    """Where the wheel does not tell its variant, the one that stands there, or one that says that it is not known."""
    if build.variant:
        return build
    if standing is not None:
        return replace(build, variant=standing.variant)
    return replace(build, variant="cu", verified=False, note=UNKNOWN_CUDA)


def _is_like(one: Build, other: Build) -> bool:
    """Whether one is the vaguer name of the same build: `cu12` of `cu126`, never `cpu`."""
    return one.variant != CPU and other.variant.startswith(one.variant)


def _merged(old: Build | None, new: Build) -> Build:
    """What the wheel told; where it told nothing, what stood there, with its sources after the wheel."""
    if old is None:
        return new
    kept = {
        part.name: getattr(old, part.name)
        for part in fields(Build)
        if part.name not in (*_IDENTITY, "sources", "verified")
        and getattr(new, part.name) in (None, ())
        and getattr(old, part.name) not in (None, ())
    }
    sources = new.sources
    if set(kept) - {"note"}:
        sources = tuple(dict.fromkeys((*new.sources, *old.sources)))
    if kept.get("note", "").startswith((PAIRED, UNKNOWN_CUDA)):
        del kept["note"]
    elif not old.verified:
        kept["verified"] = False  # a doubt that a reading of the wheel does not settle
    return replace(new, **kept, sources=sources)


def _key(build: Build) -> tuple[str, ...]:
    return (build.version, build.variant, build.platform, build.index)


def _place(build: Build) -> tuple[str, ...]:
    return (build.version, build.platform, build.index)


def _order(build: Build) -> tuple[object, ...]:
    return (natural_key(build.version), build.index != "pypi", build.index, build.variant, build.platform)


def merged_source(old: Source | None, new: Source) -> Source:
    """A wheel that was read before keeps the day on which it was read."""
    return old if old is not None and old.sha256 == new.sha256 else new


def _used_sources(folder: Folder, merged: Mapping[str, Sequence[Any]]) -> set[str]:
    """The sources that some row names, in the files as they will be."""
    used = {name for builds in merged.values() for build in builds for name in build.sources}
    for file in folder.files.values():
        if file.name != "sources.yaml" and file.name not in merged:
            used |= {name for entries in file.entries.values() for entry in entries for name in entry.record.sources}
    return used


def _merged_sources(old: list[Source], new: list[Source], used: set[str]) -> list[Source]:
    by_name = {source.name: source for source in old}
    for source in new:
        by_name[source.name] = merged_source(by_name.get(source.name), source)
    rows = [source for source in by_name.values() if source.name in used]
    return sorted(rows, key=lambda source: (source.kind == "wheel", source.kind == "lock", natural_key(source.name)))
