"""Packages of an environment, whatever they hold: one copy of each, and such as run here."""

from collections.abc import Iterator

from cudafit.doctor.fixes import uninstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import Distribution
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.frameworks import LEADING, LEADING_NAMES
from cudafit.resolve.platforms import libc_needed
from cudafit.system.commands import command_text

_LEADING = tuple(one.name for one in LEADING)


def copies(world: World) -> Iterator[Finding]:
    """Two copies of one distribution: which one wins depends on the path."""
    environment = world.environment
    if environment is None:
        return
    seen: dict[str, Distribution] = {}
    for one in environment.distributions:
        first = seen.setdefault(one.name, one)
        if first is one or first.metadata == one.metadata:
            continue
        if first.version == one.version and first.place == one.place:
            continue
        yield kinds.dist.duplicate_install.found(
            f"{one.name} is installed twice: {first.version} wins over {one.version}",
            (
                Evidence(f"{first.name} {first.version}", first.metadata),
                Evidence(f"{one.name} {one.version}", one.metadata),
            ),
            _once(world, first, one),
            severity=ERROR if _decides(one.name) else WARNING,
        )


def _once(world: World, first: Distribution, other: Distribution) -> Fix:
    if first.place != other.place:
        # The environment's own copy is the one that its installer knows; what lies in front of it goes.
        own = world.environment.path.rstrip("/") + "/" if world.environment else ""
        strange = first if other.place.startswith(own) and not first.place.startswith(own) else other
        return Fix(f"remove the copy in {strange.place}")
    chosen = [first.name] if first.name in _LEADING else []
    return uninstall(
        world,
        [first.name],
        "remove both and install it once",
        choose=chosen,
        install=[] if chosen else [f"{first.name}=={first.version}"],
    )


def _decides(name: str) -> bool:
    return name in LEADING_NAMES or name == "numpy" or name.startswith("nvidia-")


def libc(world: World) -> Iterator[Finding]:
    environment = world.environment
    told = world.machine.os.libc
    for name in [one.build for one in LEADING] if environment and told else ():
        one = environment.distribution(name) if environment else None
        platforms = tuple(tag.rpartition("-")[2] for tag in one.tags) if one else ()
        if one and (need := libc_needed(platforms, told)):
            resolve = command_text("cudafit", "resolve", name)
            yield kinds.sys.glibc_too_old.found(
                f"{name} {one.version} needs {need}, and this system has {told}",
                (
                    Evidence(f"{name}'s wheel is tagged {', '.join(platforms)}", one.metadata),
                    Evidence(told or "", "libc"),
                ),
                Fix(f"an older {name}, a newer system, or a container: `{resolve}` names one that fits"),
            )
