"""The user's own layer of facts: what is new on the index, read and written into it; and taken back."""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from cudafit.app.matrix_update import DEFAULT_NAME, Request, harvested, refuse, version_of_today
from cudafit.app.result import Result
from cudafit.errors import CudafitError, InputError
from cudafit.matrix import own_writing
from cudafit.matrix.compiled import Compiled, merged_facts
from cudafit.matrix.difference import differences
from cudafit.matrix.harvest.harvest import Group, Harvest
from cudafit.matrix.harvest.readers import READERS
from cudafit.matrix.load import packaged
from cudafit.matrix.merge import merged_builds, merged_source
from cudafit.matrix.own import Layer, LayerError, NewerError, own_folder, own_layer
from cudafit.model.frozen import frozen
from cudafit.model.matrix import SCHEMA, Build, CondaBuild, Facts, Matrix, Source
from cudafit.model.versions import natural_key
from cudafit.render.row import Row

_FAILED = 1


@frozen
class Standing:
    """The facts as they are now, with the update in use; `builds` are those of the packages that are read."""

    facts: Compiled
    layer: Layer | None
    over: Compiled | None
    builds: Mapping[str, tuple[Build, ...]]
    sources: Mapping[str, Source]
    drivers: Facts

    def knows(self, group: Group) -> bool:
        """Whether these very bytes were read before, and for the same Pythons."""
        chosen = group.chosen
        read = {name for name, one in self.sources.items() if one.sha256 and one.sha256 == chosen.sha256}
        pythons = {python for file in group.files for python in file.pythons}
        return any(
            read & set(build.sources) and pythons <= set(build.pythons) for build in self.builds.get(group.package, ())
        )


def update(
    request: Request, progress: Callable[[int, int], None], environ: Mapping[str, str] = os.environ
) -> tuple[Result, str]:
    """Reads what is new and writes it, all or nothing; the text says what it took."""
    refuse(request.packages, request.index, request.index_name)
    chosen = request.packages or tuple(READERS)
    standing = standing_of(chosen, environ)
    read = harvested(request, _oldest(standing, request), progress, environ, standing.knows)
    new = _changed(standing, read)
    lines = lines_of(standing, new)
    written = bool(new) and not request.dry_run
    if written:
        write_new(standing, new, read.sources, Facts(), environ)
    return _result(request, lines, read), _cost(read, environ, found=bool(new), written=written)


def revert(environ: Mapping[str, str] = os.environ) -> Result:
    """Takes the last update back."""
    try:
        gone, now = own_writing.revert(environ)
    except OSError as error:
        raise _unwritten(error) from None
    what = f"your update of {gone} is taken back" if gone else "what could not be used is taken away"
    shipped = packaged(environ).version
    left = f"the one of {now.date} is in use" if now else f"answers follow from the facts of {shipped}"
    record = {"version": now.date if now else shipped, "reverted": gone or None}
    return Result(SCHEMA, record, "matrix revert", lambda: [Row("reverted", what), Row("now", left)])


def standing_of(chosen: tuple[str, ...], environ: Mapping[str, str]) -> Standing:
    facts = packaged(environ)
    layer, over = _layer(facts, environ)
    both = facts.under(over, facts.version) if over else facts
    needed = both.facts("sources", "floors")
    sources = {source.name: source for source in needed.sources}
    return Standing(facts, layer, over, {name: both.builds(name) for name in chosen}, sources, needed)


def _layer(facts: Compiled, environ: Mapping[str, str]) -> tuple[Layer | None, Compiled | None]:
    """The update in use; one that cannot be used is written anew, but for what this cudafit must not touch."""
    try:
        layer = own_layer(environ)
        if layer is None or layer.is_older_than(facts.version):
            return layer, None
        own_writing.check_written(layer)
        return layer, layer.compiled()
    except NewerError as error:
        raise InputError(
            f"your own layer of facts {error}, so nothing was changed",
            hint="update with that cudafit, or take it away with `cudafit matrix revert`",
        ) from None
    except (LayerError, CudafitError):
        return None, None


def _oldest(standing: Standing, request: Request) -> dict[str, str]:
    """The oldest version that the facts have of a package: what is older was left out on purpose."""
    index = request.index_name or DEFAULT_NAME
    held = {name: [one.version for one in rows if one.index == index] for name, rows in standing.builds.items()}
    return {name: min(versions, key=natural_key) for name, versions in held.items() if versions}


def _changed(standing: Standing, read: Harvest) -> dict[str, tuple[Build, ...]]:
    """The packages that are not what they were."""
    by_package: dict[str, list[Build]] = {}
    for build in read.builds:
        by_package.setdefault(build.name, []).append(build)
    new = {name: tuple(merged_builds(standing.builds[name], own)) for name, own in by_package.items()}
    return {name: builds for name, builds in new.items() if set(builds) != set(standing.builds[name])}


def lines_of(
    standing: Standing,
    new: Mapping[str, tuple[Build, ...]],
    conda: tuple[CondaBuild, ...] = (),
    new_conda: tuple[CondaBuild, ...] = (),
) -> list[str]:
    """`conda` are all builds of conda as they were, `new_conda` as they are to be."""
    old = {name: standing.builds[name] for name in new}
    floors = standing.drivers.floors
    before, after = Facts(floors=floors, conda_builds=conda), Facts(floors=floors, conda_builds=new_conda)
    return list(differences(Matrix(before, old), Matrix(after, new)))


def write_new(
    standing: Standing,
    new: Mapping[str, tuple[Build, ...]],
    read: Iterable[Source],
    quoted: Facts,
    environ: Mapping[str, str],
) -> None:
    """What the layer held of other packages stays in it; `quoted` are files and builds of conda that locks tell."""
    facts = merged_facts(standing.over.facts("wheels", "conda_builds") if standing.over else Facts(), quoted)
    kept = {name: standing.over.builds(name) for name in standing.over.packages} if standing.over else {}
    builds = {**kept, **new}
    sources = dict(standing.sources)
    for source in read:
        sources[source.name] = merged_source(sources.get(source.name), source)
    used = {name for rows in builds.values() for build in rows for name in build.sources}
    used |= {name for row in facts.wheels for name in row.sources}
    used |= {name for one in facts.conda_builds for name in one.sources}
    packaged_sources = {source.name: source for source in standing.facts.facts("sources").sources}
    own = [sources[name] for name in sorted(used & sources.keys()) if sources[name] != packaged_sources.get(name)]
    matrix = Matrix(replace(facts, sources=tuple(own)), dict(sorted(builds.items())))
    try:
        own_writing.write_layer(matrix, version_of_today(), standing.facts.version, standing.layer, environ)
    except OSError as error:
        raise _unwritten(error) from None


def _unwritten(error: OSError) -> CudafitError:
    return CudafitError(
        f"your own layer of facts cannot be written: {error.strerror or error}",
        cause=[f"it is kept in `{own_folder()}`; what was there is unchanged"],
        hint="make room, and run it again: what was read is kept" if error.errno == errno.ENOSPC else None,
    )


def _result(request: Request, lines: list[str], read: Harvest) -> Result:
    record = {
        "version": "",
        "changes": lines,
        "failures": read.failures,
        "written": bool(lines) and not request.dry_run,
    }
    rows = [Row("", line) for line in lines]
    title = "matrix update" + (" --dry-run" if request.dry_run else "")
    return Result(SCHEMA, record, title, lambda: rows, _FAILED if read.failures else 0)


def _cost(read: Harvest, environ: Mapping[str, str], *, found: bool, written: bool) -> str:
    cost = f"{len(read.builds)} builds read, {len(read.failures)} not; {read.requests} requests, "
    cost += f"{read.bytes / (1 << 20):.1f} MiB; "
    if written:
        return f"{cost}written to {own_folder(environ)}"
    if found:
        return f"{cost}nothing written"
    return f"{cost}{'nothing written' if read.failures else 'nothing is new'}"
