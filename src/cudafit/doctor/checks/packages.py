"""Packages of an environment, whatever they hold: one whole copy of each, such as run here, and none by mistake."""

from collections.abc import Iterator

from cudafit.doctor.fixes import reinstall, uninstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import Distribution, is_of_distribution
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.frameworks import LEADING, LEADING_NAMES
from cudafit.model.versions import numbers
from cudafit.resolve.platforms import libc_needed
from cudafit.system.commands import command_text

_LEADING = tuple(one.name for one in LEADING)
# Names that the default index has for something else; the others of that kind cannot be installed.
TAKEN_NAMES = ("apex", "pytorch", "tf")


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
        if (first.version == one.version and first.place == one.place) or is_of_distribution(one):
            continue  # what pip installed lies over a distribution's own in the ordinary way
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
        if "/.local/lib/python" in strange.place:  # what `pip install --user` put there, once for all of this Python
            text = f"remove the copy in {strange.place}, or leave all of that folder out"
            return Fix(text, (("export", "PYTHONNOUSERSITE=1"),))
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
    by_tag = False
    for name in [one.build for one in LEADING] if environment and told else ():
        one = environment.distribution(name) if environment else None
        platforms = tuple(tag.rpartition("-")[2] for tag in one.tags) if one else ()
        if one and (need := libc_needed(platforms, told)):
            by_tag = True
            resolve = command_text("cudafit", "resolve", name)
            yield kinds.sys.glibc_too_old.found(
                f"{name} {one.version} needs {need}, and this system has {told}",
                (
                    Evidence(f"{name}'s wheel is tagged {', '.join(platforms)}", one.metadata),
                    Evidence(told or "", "libc"),
                ),
                Fix(f"an older {name}, a newer system, or a container: `{resolve}` names one that fits"),
            )
    if not by_tag:
        yield from _libc_of_libraries(world)
    yield from _libc_of_extensions(world)


def _libc_of_libraries(world: World) -> Iterator[Finding]:
    """What a framework loads, as conda's CUDA libraries do: pytorch/pytorch issue 150724."""
    environment, told = world.environment, world.machine.os.libc or ""
    have = told.removeprefix("glibc ")
    if environment is None or environment.glibc is None or have == told:
        return
    version, path = environment.glibc
    need = version.removeprefix("GLIBC_")
    if numbers(need) > numbers(have):
        library = path.rpartition("/")[2]
        yield kinds.sys.glibc_too_old.found(
            f"{library} needs glibc {need}, and this system has {told}",
            (Evidence(f"it needs {version}", path), Evidence(told, "libc")),
            Fix("builds for an older CUDA or of an older release, a newer system, or a container"),
        )


def _libc_of_extensions(world: World) -> Iterator[Finding]:
    """What the libraries themselves need: tags are made by people, and wheels from elsewhere have none that say it."""
    environment, told = world.environment, world.machine.os.libc or ""
    have = told.removeprefix("glibc ")
    if environment is None or have == told:
        return
    for one in environment.extensions:
        need = one.glibc[0].removeprefix("GLIBC_") if one.glibc else ""
        if one.glibc and numbers(need) > numbers(have):
            yield kinds.sys.glibc_too_old.found(
                f"{one.package} {environment.version(one.package)} needs glibc {need}, and this system has {told}",
                (Evidence(f"it needs {one.glibc[0]}", one.glibc[1]), Evidence(told, "libc")),
                Fix(f"a wheel of {one.package} for older systems, one compiled here, a newer system, or a container"),
            )


def gone(world: World) -> Iterator[Finding]:
    """RECORD lists them, and they are not there: an installation that was cut off, or a cleaner that took too much."""
    for one, path in world.environment.gone if world.environment else ():
        yield kinds.dist.files_missing.found(
            f"{one.name} {one.version} lacks files that it was installed with",
            (Evidence(f"{path} is not there", f"{one.metadata}/RECORD"),),
            reinstall(world, f"{one.name}=={one.version}", text=f"install {one.name} again")
            if one.version
            else Fix(f"install {one.name} again"),
            severity=ERROR if _decides(one.name) else WARNING,
        )


def names(world: World) -> Iterator[Finding]:
    """Packages that nobody makes any more, and such as are called like another one."""
    environment = world.environment
    own = {one.package for one in environment.extensions} if environment else set()
    for one in environment.distributions if environment else ():
        if row := world.facts.named(one.name, "dead"):
            yield kinds.provision.dead_package.found(
                f"{one.name} {one.version} is not made any more",
                (Evidence(f"{one.name} {one.version}", one.metadata), Evidence(row.note or "", ", ".join(row.sources))),
                Fix(f"go without {one.name}: it will not learn of newer GPUs and frameworks"),
            )
        # With CUDA code of its own it is the real one, installed from elsewhere.
        elif one.name in TAKEN_NAMES and one.name not in own and (row := world.facts.named(one.name, "wrong")):
            yield kinds.provision.wrong_package.found(
                f"{one.name} {one.version} is not what it is called",
                (Evidence(f"{one.name} {one.version}", one.metadata), Evidence(row.note or "", ", ".join(row.sources))),
                uninstall(world, [one.name], "remove it; install the real one as its own page says"),
            )
