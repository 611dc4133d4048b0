"""A conda lock compared with what its channel lists: the very packages are asked for, and their hashes looked at."""

from collections.abc import Sequence

from cudafit.conda.solver import Question, solve
from cudafit.errors import CudafitError
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.conda_solve import virtual_of
from cudafit.lock.integrity import Named, listed
from cudafit.lock.listing import Compared
from cudafit.model.fit import Target


def conda_compared(files: Sequence[Named], channel: str, target: Target) -> Compared:
    """Of one platform."""
    platform = conda_platform(target.platform)
    ours = [one for one in files if one.file and (one.url or "").rpartition("/")[0].endswith((platform, "noarch"))]
    if not ours:
        return Compared()
    specs = tuple(" ".join([one.package, *_version_and_build(one.file or "")]) for one in ours)
    try:
        (records,) = solve([Question((channel,), platform, specs, virtual_of(target))])
    except CudafitError as error:
        return Compared(reason=error.what)
    known = {one.file_name: {f"sha256:{one.sha256}", f"md5:{one.md5}"} for one in records}
    other = [one.file for one in ours if one.file in known and not known[one.file].issuperset(one.hashes)]
    problems = (f"{listed([name for name in other if name])} has another hash on its channel",) if other else ()
    return Compared(frozenset(one.package for one in ours if one.file in known), problems)


def _version_and_build(file: str) -> tuple[str, str]:
    stem = file.removesuffix(".conda").removesuffix(".tar.bz2")
    _, version, build = stem.rsplit("-", 2)
    return f"=={version}", build
