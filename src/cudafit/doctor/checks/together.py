"""What must agree in one process though no metadata says so, by the same rows that `resolve` picks by."""

from collections.abc import Iterator

from cudafit.doctor.fixes import reinstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import Distribution, Environment
from cudafit.model.finding import Evidence, Finding
from cudafit.model.matrix import NUMPY_ABI, REFUSES, TORCH_ABI, Agreement
from cudafit.resolve.together import opposite
from cudafit.resolve.versions import admits_any, read


def numpy_abi(world: World) -> Iterator[Finding]:
    """What was compiled for NumPy 1 fails with NumPy 2."""
    for one, row, other in _broken(world, NUMPY_ABI):
        text = f"{one.name} {one.version} {row.why}, and {other.version} is installed"
        yield kinds.numpy.abi_mismatch.found(text, _evidence(one, other), reinstall(world, f"{row.other}{row.admits}"))


def torch_abi(world: World) -> Iterator[Finding]:
    """Compiled extensions load with the torch that they were built for."""
    for one, row, other in _broken(world, TORCH_ABI):
        yield kinds.ext.abi_mismatch.found(
            f"{one.name} {one.version} {row.why}, and {other.name} {other.version} is installed",
            _evidence(one, other),
            reinstall(world, one.name, text=f"install a {one.name} for this torch, or torch{row.admits}"),
        )


def refused(world: World) -> Iterator[Finding]:
    """What a package does not work with when it runs, whatever its metadata admits."""
    for one, row, other in _broken(world, REFUSES):
        yield kinds.dist.refused.found(
            f"{one.name} {one.version} {row.why}, and {other.name} {other.version} is installed",
            _evidence(one, other),
            reinstall(world, f"{one.name}{opposite(row.versions)}", text=f"an older {one.name}, or {_newer(row)}"),
        )


def _broken(world: World, kind: str) -> Iterator[tuple[Distribution, Agreement, Distribution]]:
    environment = world.environment
    for one in environment.distributions if environment else ():
        version = _public(one)
        for row in world.facts.agreements.of(one.name, version, world.host.kind.platform) if version else ():
            other = environment.distribution(row.other) if environment else None
            if row.kind != kind or other is None or (environment and environment.distribution(one.name) is not one):
                continue
            there = _public(other)
            if there and not admits_any(row.admits, there) and not _is_told(environment, one, row):
                yield one, row, other


def _is_told(environment: Environment | None, one: Distribution, row: Agreement) -> bool:
    """What its metadata or its symbols say, other checks tell."""
    if row.kind != TORCH_ABI or environment is None:
        return False
    return any(extension.package == one.name and extension.symbols for extension in environment.extensions)


def _public(one: Distribution) -> str | None:
    """Without the mark of the build; None for what is no version."""
    text = (one.version or "").partition("+")[0]
    return text if read(text) else None


def _evidence(one: Distribution, other: Distribution) -> tuple[Evidence, Evidence]:
    return (
        Evidence(f"{one.name} {one.version}", one.metadata),
        Evidence(f"{other.name} {other.version}", other.metadata),
    )


def _newer(row: Agreement) -> str:
    return f"{row.other}{row.admits}"
