"""Whether the CUDA libraries that a build brings (cuDNN, NCCL) have kernels for the GPUs.

Builds pin them exactly or leave them open; where they are open, a package solver takes the newest, which may have
dropped an older GPU. Then the answer carries a constraint.
"""

from collections.abc import Iterable, Sequence
from functools import cache

from cudafit.model.frozen import frozen
from cudafit.model.matrix import LibraryRelease
from cudafit.resolve.kernels import Capability, serving_cubin, serving_ptx
from cudafit.resolve.versions import admits_any, parsed

# Used only when several GPUs work together: its lack of kernels stops no single one.
_COLLECTIVE = "nvidia-nccl-"


@frozen
class Cap:
    """What to add to a requirement that is open above."""

    requirement: str
    first_without: str  # the version from which on the kernels are gone
    source: str | None


@frozen
class Lack:
    """No admitted version of a library has kernels for a GPU."""

    package: str
    specifier: str
    capability: Capability
    kernels: tuple[str, ...]
    source: str | None


class Libraries:
    """The releases of each library on one platform."""

    def __init__(self, releases: Sequence[LibraryRelease]) -> None:
        self._releases = releases
        self.packages = frozenset(row.package for row in releases)
        self._kept: dict[tuple[object, ...], Cap | Lack | None] = {}

    def judge(
        self, package: str, specifiers: tuple[str, ...], platform: str, capabilities: tuple[Capability, ...]
    ) -> Cap | Lack | None:
        """What the specifiers leave, against the GPUs; None when the newest of it serves, or nothing is known."""
        key = (package, specifiers, platform, capabilities)
        if key not in self._kept:
            self._kept[key] = self._judge(package, specifiers, platform, capabilities)
        return self._kept[key]

    def _judge(
        self, package: str, specifiers: tuple[str, ...], platform: str, capabilities: tuple[Capability, ...]
    ) -> Cap | Lack | None:
        rows = [row for row in self._of(package, platform) if row.kernels]
        admitted = [row for row in rows if all(admits_any(text, row.version) for text in specifiers)]
        if not admitted:
            return None
        serving = [row for row in admitted if not _unserved(row, capabilities)]
        newest = admitted[-1]
        if not serving:
            unserved = _unserved(newest, capabilities)[0]
            source = newest.sources[0] if newest.sources else None
            return Lack(package, ",".join(specifiers), unserved, newest.kernels or (), source)
        if serving[-1] is newest:
            return None
        first_without = admitted[admitted.index(serving[-1]) + 1]
        source = first_without.sources[0] if first_without.sources else None
        bound = boundary(serving[-1].version, first_without.version)
        return Cap(f"{package}<{bound}", first_without.version, source)

    def _of(self, package: str, platform: str) -> list[LibraryRelease]:
        rows = [row for row in self._releases if row.package == package and _is_for(row, platform)]
        return sorted(rows, key=lambda row: parsed(row.version))


def is_collective(package: str) -> bool:
    return package.startswith(_COLLECTIVE)


@cache
def boundary(last: str, first: str) -> str:
    """The shortest version between two: 9.10.2.21 and 9.11.0.98 -> 9.11."""
    ours = last.split(".")
    parts = first.split(".")
    for length in range(1, len(parts)):
        if parts[:length] != ours[:length]:
            return ".".join(parts[:length])
    return first


def _is_for(row: LibraryRelease, platform: str) -> bool:
    return not row.platforms or platform in row.platforms


def _unserved(row: LibraryRelease, capabilities: Iterable[Capability]) -> list[Capability]:
    """PTX counts: what these libraries compile at run time, they compile with a compiler of their own."""
    kernels = row.kernels or ()
    return [gpu for gpu in capabilities if not (serving_cubin(kernels, gpu) or serving_ptx(kernels, gpu))]


def kernels_text(kernels: Sequence[str]) -> str:
    """`sm_75 to sm_120`, short."""
    return f"{kernels[0]} to {kernels[-1]}" if len(kernels) > 2 else " ".join(kernels)
