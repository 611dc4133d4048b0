"""The CUDA packages of an environment: those that frameworks ask for, of one CUDA, each in a folder of its own."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from cudafit.doctor.fixes import reinstall, uninstall
from cudafit.doctor.world import World
from cudafit.errors import InputError
from cudafit.model import kinds
from cudafit.model.environment import Distribution, Environment
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.frameworks import LEADING
from cudafit.model.requirement import Wanted, applies, wanted
from cudafit.resolve.versions import admits_any

_MOST_OF_A_PLACEHOLDER = 12
_OWN_METADATA = 5  # METADATA, RECORD, WHEEL, INSTALLER, REQUESTED; the smallest of NVIDIA's libraries lists eight files
_LEADING = tuple(one.name for one in LEADING)


def collision(world: World) -> Iterator[Finding]:
    """Two packages that put different files in one folder: the last one installed has overwritten the other."""
    environment = world.environment
    if environment is None:
        return
    for place in world.facts.facts.places:
        there = [one for name in place.packages if (one := environment.distribution(name))]
        if len(there) < 2 or place.place in ("onnxruntime",):
            continue
        evidence = tuple(Evidence(f"{one.name} {one.version}", one.metadata) for one in there)
        names = [one.name for one in there]
        yield kinds.lib.nvidia_dir_collision.found(
            f"{' and '.join(names)} fill the same folder {place.place}",
            (*evidence, Evidence(f"both own {place.place}", ", ".join(place.sources))),
            _those_of_one_cuda(world, environment, names),
        )


def _those_of_one_cuda(world: World, environment: Environment, names: list[str]) -> Fix:
    """What is asked for comes again, whole; where two of them are, no package can be right beside the other."""
    asked: dict[str, str] = {}
    for owner in environment.distributions:
        for text in owner.requires:
            need = _need(text)
            if need and need.name in names and "extra" not in (need.marker or ""):
                asked.setdefault(need.name, f"{need.name}{need.specifier}")
    if not asked:
        text = "keep those of one CUDA: remove both, then install the frameworks' builds for one CUDA"
        return uninstall(world, names, text)
    kept = list(asked.values())
    return uninstall(world, names, f"remove both, then install {', '.join(kept)} alone", install=kept)


def conflict(world: World) -> Iterator[Finding]:
    """A framework's own pin on a CUDA library that is not what is installed."""
    environment = world.environment
    if environment is None or environment.python is None:
        return
    python = ".".join(environment.python.split(".")[:2])
    platform = f"{world.machine.os.system}-{world.machine.os.arch}"
    missing: dict[str, list[str]] = {}
    for owner in environment.distributions:
        wrong: list[tuple[Wanted, Distribution]] = []
        for text in owner.requires:
            if not text.startswith("nvidia-") or (need := _need(text)) is None:
                continue
            if need.marker and not _holds(need.marker, platform, python):
                continue
            held = environment.distribution(need.name)
            if held is None:
                missing.setdefault(owner.name, []).append(f"{need.name}{need.specifier}")
            elif held.version and need.specifier and not admits_any(need.specifier, held.version):
                wrong.append((need, held))
        if wrong:
            yield _other_versions(world, owner, wrong)
    torch = environment.torch
    if torch and torch.has_cuda and (lacking := missing.get("torch")):
        yield kinds.torch.nvidia_dist_missing.found(
            f"torch needs {len(lacking)} CUDA packages that are not installed",
            tuple(Evidence(f"{text} is not installed", "site-packages") for text in lacking[:4]),
            reinstall(world, *lacking),
        )


def _other_versions(world: World, owner: Distribution, wrong: list[tuple[Wanted, Distribution]]) -> Finding:
    """One finding for one owner: nine libraries of another release have one origin."""
    need, held = wrong[0]
    title = f"{owner.name} needs {need.name}{need.specifier}, and {held.version} is installed"
    if len(wrong) > 1:
        title = f"{owner.name} needs other versions of {len(wrong)} CUDA packages than those that are installed"
    return kinds.lib.nvidia_dist_conflict.found(
        title,
        tuple(
            fact
            for need, held in wrong
            for fact in (
                Evidence(f"{owner.name} {owner.version} requires {need.name}{need.specifier}", owner.metadata),
                Evidence(f"{held.name} {held.version}", held.metadata),
            )
        ),
        reinstall(world, *(f"{need.name}{need.specifier}" for need, _ in wrong)),
    )


def _need(text: str) -> Wanted | None:
    """METADATA may hold anything."""
    plain, _, marker = text.partition(";")
    try:
        return replace(wanted(plain), marker=marker.strip() or None)
    except InputError:
        return None


@cache
def _holds(marker: str, platform: str, python: str) -> bool:
    """A wheel's requirements have few different markers."""
    try:
        return "extra" not in marker and applies(Wanted("x", "", (), "", "", marker), platform, python)
    except InputError:
        return False


def majors(world: World) -> Iterator[Finding]:
    """Libraries of two CUDA majors, each with somebody who needs it."""
    environment = world.environment
    if environment is None:
        return
    users: dict[str, list[Distribution]] = {}
    for owner in environment.distributions:
        for text in owner.requires:
            match = re.match(r"nvidia-(?:cuda-runtime|cublas|cudnn|nccl)-cu(\d\d)\b", text)
            if match and owner.name.startswith(_LEADING) and "extra" not in text:
                users.setdefault(match[1], []).append(owner)
    if len(users) > 1:
        evidence = tuple(
            Evidence(f"{owners[0].name} {owners[0].version} needs CUDA {major} libraries", owners[0].metadata)
            for major, owners in sorted(users.items())
        )
        yield kinds.lib.mixed_cuda_major.found(
            f"frameworks of CUDA {' and '.join(sorted(users))} are in one environment",
            evidence,
            Fix("choose builds of one CUDA: `cudafit resolve` with all of them names such"),
        )


def placeholders(world: World) -> Iterator[Finding]:
    environment = world.environment
    for one in environment.distributions if environment else ():
        named = one.version in ("0.0.0", "0.0.1.dev5", "0.0.1.dev4") and (one.files or 0) <= _MOST_OF_A_PLACEHOLDER
        # Whatever its version: nothing but its own metadata, and nothing that it brings along.
        empty = one.files is not None and one.files <= _OWN_METADATA and not one.requires and not one.editable
        if one.name.startswith("nvidia-") and (named or empty):
            name = one.name
            new = re.sub(r"-cu\d\d$", "", name)
            yield kinds.provision.placeholder_package.found(
                f"{name} {one.version} is a placeholder without libraries",
                (Evidence(f"{name} {one.version} lists {one.files} files", one.metadata),),
                uninstall(
                    world,
                    [name],
                    f"remove it; the package is called {new}" if new != name else "remove it",
                    install=[new] if new != name else [],
                ),
            )
