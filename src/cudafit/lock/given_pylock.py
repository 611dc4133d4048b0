"""A pylock that somebody wrote (PEP 751), before it is installed: see `given`."""

from urllib.parse import urlsplit

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)

from cudafit.errors import InputError
from cudafit.lock.given import Given, Judge, judge, shown
from cudafit.lock.hashes import strong_hash, what_is_missing
from cudafit.lock.pylock_file import File, hashes_of, name_of, read_pylock, sources_of
from cudafit.model import plan
from cudafit.system.toml import toml_text

_BUILT = "would be built here, and what builds it has no hash"


def given_pylock(path: str, text: str, *, allowed: bool) -> Given:
    """Raises InputError. What is handed on is named here, part by part; all else in the file is for readers."""
    court = judge(path, allowed=allowed)
    try:
        lock = read_pylock(text)
        packages = [_judged(court, one) for one in lock.packages]
    except ValueError as error:
        raise InputError(
            f"`{path}` is no pylock: {error}", hint="`cudafit resolve … -o pylock.toml` writes one"
        ) from None
    written = Pylock(
        lock_version=lock.lock_version,
        created_by=lock.created_by,
        requires_python=lock.requires_python,
        environments=lock.environments,
        extras=lock.extras,
        dependency_groups=lock.dependency_groups,
        default_groups=lock.default_groups,
        packages=packages,
    )
    named = tuple(plan.Package(one.name, str(one.version or "")) for one in packages)
    moved = any(source.path for one in lock.packages for source in sources_of(one))
    return court.judged(Given(toml_text(written.to_dict()), named, moved=moved))


def _judged(court: Judge, package: Package) -> Package:
    """A package as it is handed on."""
    name, sdist = package.name, package.sdist
    if package.archive and not name_of(package.archive).endswith(".whl"):
        court.no_hash(name, _BUILT)
    if sdist and not package.wheels:
        court.no_hash(name, _BUILT)
    elif not court.allowed:
        sdist = None  # beside wheels: where none of them fits, nothing is built instead, unless that was allowed
    return Package(
        name=name,
        version=package.version,
        marker=package.marker,
        requires_python=package.requires_python,
        vcs=_repository(court, name, package.vcs) if package.vcs else None,
        directory=_folder(court, name, package.directory) if package.directory else None,
        archive=_archive(court, name, package.archive) if package.archive else None,
        wheels=None if package.wheels is None else [_wheel(court, name, one) for one in package.wheels],
        sdist=_sdist(court, name, sdist) if sdist else None,
    )


def _repository(court: Judge, name: str, vcs: PackageVcs) -> PackageVcs:
    path = court.below_the_lock(vcs.path) if vcs.path else None
    court.no_hash(name, f"is a repository, {shown(vcs.url or path or '')}, whose build is run")
    return PackageVcs(
        type=vcs.type,
        url=vcs.url,
        path=path,
        requested_revision=vcs.requested_revision,
        commit_id=vcs.commit_id,
        subdirectory=vcs.subdirectory,
    )


def _folder(court: Judge, name: str, folder: PackageDirectory) -> PackageDirectory:
    place = court.below_the_lock(folder.path)
    court.no_hash(name, f"is a folder, {place}, whose build is run")
    return PackageDirectory(path=place, editable=folder.editable, subdirectory=folder.subdirectory)


def _archive(court: Judge, name: str, file: PackageArchive) -> PackageArchive:
    url, path, hashes = _file(court, name, file)
    return PackageArchive(url=url, path=path, size=file.size, hashes=hashes, subdirectory=file.subdirectory)


def _wheel(court: Judge, name: str, file: PackageWheel) -> PackageWheel:
    url, path, hashes = _file(court, name, file)
    return PackageWheel(name=file.name, url=url, path=path, size=file.size, hashes=hashes)


def _sdist(court: Judge, name: str, file: PackageSdist) -> PackageSdist:
    url, path, hashes = _file(court, name, file)
    return PackageSdist(name=file.name, url=url, path=path, size=file.size, hashes=hashes)


def _file(court: Judge, package: str, file: File) -> tuple[str | None, str | None, dict[str, str]]:
    """Where it lies, and the one hash to compare."""
    if file.url:
        if urlsplit(file.url).scheme not in ("https", "http", "file"):
            court.not_a_lock(f"`{shown(file.url)}` is no address of a file")
        court.comes_from(file.url)
    path = court.below_the_lock(file.path) if file.path else None
    told = hashes_of(file)
    hashed = strong_hash(told)
    if hashed is None:
        court.no_hash(package, f"{what_is_missing(told)} for `{name_of(file)}`")
    return file.url, path, dict([hashed] if hashed else ())
