"""Whether a lock that was written once still suits a machine and a request."""

from collections.abc import Iterator, Sequence

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cudafit.lock.held import Held
from cudafit.model.fit import NO_FIT, Resolution
from cudafit.model.requirement import Wanted, wanted


def problems(held: Held, resolution: Resolution, others: Sequence[Wanted]) -> Iterator[str]:
    """`resolution` is the answer to the request when nothing but the lock's builds may be picked."""
    platforms = {target.platform for target in resolution.targets}
    for platform in sorted(platforms - set(held.platforms)) if held.platforms else ():
        yield f"it was written for {', '.join(held.platforms)}, and this is {platform}"
    if resolution.status == NO_FIT:
        yield from resolution.causes
        return
    for constraint in resolution.constraints:
        item = wanted(constraint.requirement)
        if (version := held.versions.get(item.name)) and not _admits(item.specifier, version):
            yield f"it holds {item.name} {version}, and {constraint.why}"
    if not held.complete:
        return
    for want in others:
        version = held.versions.get(want.name)
        if version is None:
            if not want.constraint:
                yield f"it does not hold `{want.name}` ({want.origin})"
        elif want.specifier and not _admits(want.specifier, version):
            yield f"it holds {want.name} {version}, and `{want.text}` is wanted ({want.origin})"


def _admits(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(Version(version.partition("=")[0]), prereleases=True)
    except ValueError:  # InvalidVersion is one, and so is a number of thousands of digits
        return False
