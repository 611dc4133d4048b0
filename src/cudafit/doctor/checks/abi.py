"""Whether extensions were compiled for this torch: by what they ask for, and by what they take from it."""

import re
from collections.abc import Iterator

from cudafit.doctor.fixes import reinstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import Environment
from cudafit.model.finding import Evidence, Finding
from cudafit.model.frameworks import TORCH
from cudafit.model.requirement import wanted
from cudafit.resolve.versions import admits_any


def pins(world: World) -> Iterator[Finding]:
    """Compiled extensions name the torch that they were built for, exactly."""
    environment = world.environment
    torch = environment.distribution("torch") if environment else None
    if environment is None or torch is None or torch.version is None:
        return
    public = torch.version.partition("+")[0]
    for one in environment.distributions:
        if one.name in TORCH.companions:
            continue
        for text in one.requires:
            plain, _, marker = text.partition(";")
            if "extra" in marker or not re.match(r"torch\s*\(?==[^=*]+\)?\s*$", plain):
                continue
            need = wanted(plain)
            if not admits_any(need.specifier, torch.version) and not admits_any(need.specifier, public):
                yield kinds.ext.abi_mismatch.found(
                    f"{one.name} {one.version} was built for torch{need.specifier}, and {torch.version} is installed",
                    (
                        Evidence(f"{one.name} {one.version} requires {plain.strip()}", one.metadata),
                        Evidence(f"torch {torch.version}", torch.metadata),
                    ),
                    reinstall(world, one.name, text=f"install a {one.name} for this torch, or the torch that it names"),
                )


def symbols(world: World) -> Iterator[Finding]:
    """By its own symbols: what an extension takes from torch, and this torch has not."""
    environment = world.environment
    for one in environment.extensions if environment else ():
        torch = environment.torch if environment else None
        if environment is None or torch is None or not one.symbols or _other_pin(environment, one.package):
            continue
        old = any(name.endswith("Ss") or "ESs" in name for name in one.symbols)
        yield kinds.ext.abi_mismatch.found(
            f"{one.package} {environment.version(one.package)} was built for another torch than {torch.version}",
            (
                Evidence(f"it needs {one.symbols[0]}, which no library of torch has", one.path),
                *((Evidence("that is a name of the old C++ ABI", one.path),) if old else ()),
                Evidence(f"torch {torch.version}", torch.path),
            ),
            reinstall(world, one.package, text=f"install a {one.package} that is built for this torch"),
        )


def _other_pin(environment: Environment, package: str) -> bool:
    """Whether its metadata says so already."""
    owner, version = environment.distribution(package), environment.version("torch")
    for text in owner.requires if owner and version else ():
        plain, _, marker = text.partition(";")
        if "extra" not in marker and re.match(r"torch\s*\(?==[^=*]+\)?\s*$", plain):
            return not admits_any(wanted(plain).specifier, version or "")
    return False
