"""When nothing fits: the nearest things that would work, each found by asking again with one thing changed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.model.fit import CPU, Alternative, Upgrade
from cudafit.model.requirement import COMMAND_LINE
from cudafit.model.versions import natural_key, numbers
from cudafit.resolve.candidates import Candidate
from cudafit.resolve.conda import conda_requirement
from cudafit.resolve.explain import last_branch, upgrades_of
from cudafit.resolve.host import NO_DRIVER, NO_GPU, Host, Kind
from cudafit.resolve.kernels import Capability, sm
from cudafit.resolve.picks import requirement
from cudafit.resolve.problem import Problem
from cudafit.resolve.request import INSTALLED
from cudafit.resolve.search import Combination
from cudafit.system.secrets import redacted

_PYTHONS_TRIED = 8
_VERSIONS_SHOWN = 2
_VERSION = re.compile(r"\d+(?:\.\d+)*")


def alternatives_of(problem: Problem, hosts: Sequence[Host], upgrades: Sequence[Upgrade]) -> Iterator[Alternative]:
    """The least change first. The upgrades are those of the problem."""
    if any(kind.state == NO_DRIVER for kind in problem.kinds) and not problem.request.cpu:
        yield from _install_driver(problem, upgrades)
        yield from _on_cpu(problem)
        return
    yield from _newer_driver(problem, upgrades)
    yield from _other_version(problem)
    yield from _another(problem)
    yield from _other_python(problem)
    yield from _fewer_gpus(problem, hosts)
    yield from _conda(problem)
    yield from _wsl(problem)
    yield from _jetson(problem)
    yield from _on_cpu(problem)


def _install_driver(problem: Problem, upgrades: Sequence[Upgrade]) -> Iterator[Alternative]:
    """Which branch for these cards, and with which kernel module."""
    kind = next(kind for kind in problem.kinds if kind.state == NO_DRIVER)
    if not upgrades:
        return
    upgrade = upgrades[-1]
    branch = problem.library.drivers.branch_to_install(upgrade.driver, last_branch(problem, kind))
    name = f"driver branch {branch}" if branch else f"driver {upgrade.driver} or newer"
    yield Alternative("driver", f"install {name}{_module(problem, kind)}: unlocks {upgrade.unlocks}")


def _module(problem: Problem, kind: Kind) -> str:
    """The open kernel module is required from Blackwell on, and does not know what is older than Turing."""
    told = {
        row.open_module
        for row in problem.library.facts.architectures
        for gpu in kind.capabilities
        if f"{gpu[0]}.{gpu[1]}" in row.capabilities
    }
    if "required" in told and "no" not in told:
        return " with the open kernel module (the only one for this GPU)"
    if "no" in told and "required" not in told:
        return " with the proprietary kernel module (the open one does not know this GPU)"
    return " (open or proprietary kernel module)" if told == {"yes"} else ""


def _newer_driver(problem: Problem, upgrades: Sequence[Upgrade]) -> Iterator[Alternative]:
    for upgrade in upgrades[:1]:
        yield Alternative("driver", f"with driver {upgrade.driver} or newer: {upgrade.unlocks}")
        return
    pythons = other_pythons(problem)
    if any(problem.again(python=python).solve() for python in pythons):
        return  # another Python alone is less of a change
    for python in pythons:
        for upgrade in upgrades_of(problem.again(python=python), None):
            text = f"with driver {upgrade.driver} or newer, and Python {python}: {upgrade.unlocks}"
            yield Alternative("driver", text)
            return


def _other_version(problem: Problem) -> Iterator[Alternative]:
    """The same packages, as near as can be to the versions that were asked for: first of one of them alone, what was
    said last before what was said first, and only then of all."""
    asked = {name: told for name in problem.asked() if (told := _version_said(problem, name))}
    found = [one for name in reversed(asked) if len(asked) > 1 and (one := _freed(problem, {name: asked[name]}))]
    if not found and asked and (one := _freed(problem, asked)):
        found = [one]
    yield from found[:_VERSIONS_SHOWN]


def _version_said(problem: Problem, name: str) -> str | None:
    told = (want.specifier for want in problem.words[name] if not want.constraint)
    return next((match.group() for text in told if (match := _VERSION.search(text))), None)


def _freed(problem: Problem, asked: Mapping[str, str]) -> Alternative | None:
    """The fit with any version of these, the nearest first."""
    free = tuple(
        replace(want, specifier="", text=want.name) if want.name in asked and not want.constraint else want
        for want in problem.request.wanted
    )
    request = replace(problem.request, wanted=free, prefer=INSTALLED, installed=asked)
    combination = problem.again(request=request).solve()
    if combination is None:
        return None
    names = problem.asked()
    wanted = [
        f"{pick.build.name}=={pick.build.version}" if name in asked else redacted(problem.words[name][0].text)
        for name, pick in zip(names, combination.picks, strict=True)
    ]
    return Alternative("version", f"{_named(combination)} fits", (*problem.request.verb, *wanted, *_options(problem)))


def _another(problem: Problem) -> Iterator[Alternative]:
    """A package that serves in place of one that was asked for."""
    for name in problem.asked():
        row = problem.library.named(name, "instead", "dead")
        for means in row.means if row else ():
            wanted = tuple(
                replace(want, name=means, specifier="", text=means) if want.name == name else want
                for want in problem.request.wanted
            )
            combination = problem.again(request=replace(problem.request, wanted=wanted)).solve()
            if combination and row:
                words = [want.text for want in wanted if want.origin == COMMAND_LINE and not want.constraint]
                text = f"{_named(combination)} fits; in place of {name}: {row.note}"
                yield Alternative("package", text, ("cudafit", "resolve", *words, *_options(problem)))
                return


def _other_python(problem: Problem) -> Iterator[Alternative]:
    for python in other_pythons(problem):
        combination = problem.again(python=python).solve()
        if combination:
            words = (*problem.request.verb, *_words(problem), *_options(problem, python=False), "--python", python)
            yield Alternative("python", f"with Python {python}: {_named(combination)}", words)
            return


def other_pythons(problem: Problem) -> list[str]:
    """The other Pythons that the builds know, the nearest first."""
    known = {
        entry.rstrip("+")
        for name in problem.asked()
        for lost in problem.field(name).lost
        for entry in lost.build.pythons
        if not entry.endswith("t")
    } or {f"3.{minor}" for minor in range(9, 15)}
    here = numbers(problem.python)[:2]
    nearest = sorted(known, key=lambda python: (abs(numbers(python)[1] - here[1]), natural_key(python)))
    return [one for one in nearest if numbers(one)[:2] != here][:_PYTHONS_TRIED]


def _fewer_gpus(problem: Problem, hosts: Sequence[Host]) -> Iterator[Alternative]:
    """Each sort of card by itself, for a machine with several sorts."""
    if len(hosts) > 1:
        return
    host = hosts[0]
    sorts: dict[Capability, list[int]] = {}
    for card in host.cards:
        if card.capability:
            sorts.setdefault(card.capability, []).append(card.index)
    if len(sorts) < 2:
        return
    for gpu, indexes in sorts.items():
        alone = replace(host.kind, capabilities=(gpu,))
        combination = problem.again(kinds=[alone]).solve()
        if combination:
            visible = ",".join(map(str, indexes))
            name = next(card.name for card in host.cards if card.capability == gpu)
            setting = f"CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES={visible}"
            yield Alternative("gpus", f"for {name} ({sm(gpu)}) alone, with {setting}: {_named(combination)}")


def _conda(problem: Problem) -> Iterator[Alternative]:
    if problem.request.conda or problem.request.cpu:
        return
    other = problem.again(request=replace(problem.request, conda=True))
    if set(other.asked()) != set(problem.asked()):
        return
    combination = other.solve()
    if combination:
        specs = " ".join(f"`{conda_requirement(pick.build)}`" for pick in combination.picks)
        words = (*problem.request.verb, *_words(problem), *_options(problem), "--conda")
        yield Alternative("conda", f"from conda-forge: {_named(combination)}, {specs}", words)


def _wsl(problem: Problem) -> Iterator[Alternative]:
    """What Windows has no build for, its Linux subsystem may have."""
    if not all(kind.platform.startswith("windows") for kind in problem.kinds):
        return
    kinds = [replace(kind, platform=kind.platform.replace("windows", "linux"), wsl=True) for kind in problem.kinds]
    combination = problem.again(kinds=kinds).solve()
    if combination:
        yield Alternative("platform", f"in WSL2 on this machine: {_named(combination)}")


def _jetson(problem: Problem) -> Iterator[Alternative]:
    if any(kind.tegra for kind in problem.kinds):
        text = "a Jetson takes NVIDIA's own wheels, built for its JetPack: "
        text += "docs.nvidia.com/deeplearning/frameworks/install-pytorch-jetson-platform"
        yield Alternative("platform", text)


def _on_cpu(problem: Problem) -> Iterator[Alternative]:
    if problem.request.cpu or all(kind.state == NO_GPU for kind in problem.kinds):
        return
    combination = problem.again(request=replace(problem.request, cpu=True, cuda=None)).solve()
    if combination:
        words = (*problem.request.verb, *_words(problem), *_options(problem, cuda=False), "--cpu")
        yield Alternative("cpu", f"on the CPU only: {_named(combination)}", words)


def _words(problem: Problem) -> list[str]:
    """What was asked for, as it was; the project in this folder is read again without a word."""
    wanted = problem.request.wanted
    words = [redacted(want.text) for want in wanted if want.origin == COMMAND_LINE and not want.constraint]
    files = problem.request.files if problem.request.named else ()
    return [*words, *(word for file in files for word in ("-r", file))]


def _options(problem: Problem, *, python: bool = True, cuda: bool = True) -> list[str]:
    """What else was said, for a command that asks again."""
    request = problem.request
    words = [*request.words, *(["--conda"] if request.conda else []), *(["--cpu"] if request.cpu else [])]
    if python and request.python:
        words += ["--python", request.python]
    if cuda and request.cuda:
        words += ["--cuda", request.cuda]
    return words


def _named(combination: Combination) -> str:
    return " with ".join(_build(pick) for pick in combination.picks)


def _build(candidate: Candidate) -> str:
    build = candidate.build
    if build.index == "pypi":
        shown = requirement(build).replace("==", " ", 1)
        return shown + (f" ({build.variant})" if build.variant not in (CPU, "any") and not build.extra else "")
    return f"{build.name} {build.version}+{build.variant}"
