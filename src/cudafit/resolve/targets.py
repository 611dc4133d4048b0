"""What a lock must suit."""

from collections.abc import Sequence

from cudafit.model.fit import Target
from cudafit.model.versions import numbers
from cudafit.resolve.drivers import Drivers
from cudafit.resolve.host import GPU, Host, Kind
from cudafit.resolve.request import Request


def targets_of(hosts: Sequence[Host], drivers: Drivers, request: Request) -> tuple[Target, ...]:
    """One for each platform, with the oldest C library and the oldest CUDA of its machines."""
    kinds = dict.fromkeys(host.kind for host in hosts)
    platforms = dict.fromkeys(kind.platform for kind in kinds)
    return tuple(
        _target(platform, [kind for kind in kinds if kind.platform == platform], drivers, request)
        for platform in platforms
    )


def _target(platform: str, kinds: Sequence[Kind], drivers: Drivers, request: Request) -> Target:
    libcs = [kind.libc for kind in kinds]
    known = [libc for libc in libcs if libc is not None]
    libc = min(known, key=_version) if len(known) == len(libcs) else None
    limits = [drivers.limit_text(kind) if kind.state == GPU and not request.cpu else None for kind in kinds]
    able = [limit for limit in limits if limit is not None]
    if len(able) != len(limits):
        return Target(platform, libc, None)
    return Target(platform, libc, min(able, key=numbers), _least(kinds))


def _least(kinds: Sequence[Kind]) -> str | None:
    """As conda's `__cuda_arch` tells it (CEP 46): of all GPUs the least, since every one of them is to be served."""
    found = [min(kind.capabilities) for kind in kinds if kind.capabilities and not kind.arch_hidden]
    return ".".join(map(str, min(found))) if len(found) == len(kinds) else None


def _version(libc: str) -> tuple[bool, tuple[int, ...]]:
    """musl and glibc do not compare; of two families the lock cannot suit both, and the rules have said so."""
    family, _, version = libc.partition(" ")
    return family != "musl", numbers(version) if version else (0,)
