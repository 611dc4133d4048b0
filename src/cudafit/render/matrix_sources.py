"""What stands behind the builds of a version: each with the files and pages that it was read from."""

from collections.abc import Iterator, Mapping, Sequence

from cudafit.model.matrix import ANNOUNCED, LISTING, LOCK, PAIRING, WHEEL, Build, QuotedWheels, Source, wheel_version
from cudafit.render.row import Row

_RELIABILITY = {"A": "the maker's own word, or the file itself", "B": "several that agree", "C": "a single one"}
_STANDS_ON = {
    WHEEL: "the bytes of its wheel",
    LOCK: "locks that quote its wheel with its hash",
    LISTING: "a listing of its index, or a name without a hash",
    ANNOUNCED: "what its makers announced",
    PAIRING: "a package that is made for it",
}


def source_rows(
    builds: Sequence[Build], sources: Mapping[str, Source], quoted: Sequence[QuotedWheels] = ()
) -> list[Row]:
    """`quoted` are the wheels that locks name, with their hashes."""
    return [row for build in builds for row in _of_build(build, sources, quoted)]


def _of_build(build: Build, sources: Mapping[str, Source], quoted: Sequence[QuotedWheels]) -> Iterator[Row]:
    yield Row("build", f"{build.version} {build.variant}, {build.platform}, from {build.index}")
    yield Row("stands on", _STANDS_ON.get(build.evidence, build.evidence))
    if not build.verified:
        yield Row("doubt", "not settled by its sources", "", "warn")
    if build.note:
        yield Row("note", build.note)
    if not build.sources:
        yield Row("source", "none is named", "", "warn")
    for one in quoted:
        if (one.version, one.platform, one.index) == (wheel_version(build), build.platform, build.index):
            for file, _, sha256 in (word.partition("=") for word in one.files):
                yield Row("quoted", file)
                yield Row("sha256", sha256, "", "quiet")
    for name in build.sources:
        if name in sources:
            yield from _of_source(sources[name])
        else:
            yield Row("source", f"`{name}`, of which nothing is known", "", "warn")


def _of_source(source: Source) -> Iterator[Row]:
    if source.kind == WHEEL and source.file:
        yield Row(WHEEL, source.file)
    else:
        yield Row(source.kind if len(source.kind) <= _LABEL else "source", source.title)
    if source.file and source.kind != WHEEL:
        yield Row("file", source.file)
    if source.url:
        yield Row("at", source.url)
    if source.sha256:
        yield Row("sha256", source.sha256, "", "quiet")
    told = [f"on {source.read}"] if source.read else []
    told += [_RELIABILITY[source.reliability]] if source.reliability in _RELIABILITY else []
    if told:
        yield Row("read", ", ".join(told), "", "quiet")


_LABEL = 10
