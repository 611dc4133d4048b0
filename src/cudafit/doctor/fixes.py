"""Fixes that are exact for this machine: the distribution's own commands, and the builds that resolve picks."""

import re
from collections.abc import Sequence
from dataclasses import replace

from cudafit.doctor.managers import in_words_of
from cudafit.doctor.managers.work import Work
from cudafit.doctor.world import World
from cudafit.model.environment import CONDA, Environment, by_real_name
from cudafit.model.finding import Change, Fix
from cudafit.model.fit import NO_FIT, Resolution
from cudafit.model.frameworks import FRAMEWORKS, MAIN_OF_CONDA
from cudafit.model.requirement import Need, wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.request import INSTALLED, Request
from cudafit.system.commands import path_word

Command = tuple[str, ...]
_PYTORCH = "pytorch-"

# Packages of a driver branch, by distribution. Sources: the distributions' own documentation of NVIDIA's driver.
_DISTRIBUTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ubuntu": (("apt", "install", "nvidia-driver-{branch}{open}"),),
    "debian": (("apt", "install", "nvidia-driver"),),
    "fedora": (("dnf", "install", "akmod-nvidia"),),
    "rocky": (("dnf", "module", "install", "nvidia-driver:{branch}-dkms"),),
    "rhel": (("dnf", "module", "install", "nvidia-driver:{branch}-dkms"),),
    "almalinux": (("dnf", "module", "install", "nvidia-driver:{branch}-dkms"),),
    "arch": (("pacman", "-S", "nvidia{open}"),),
    "opensuse-leap": (("zypper", "install", "nvidia-driver-G06"),),
}


def install_driver(world: World, at_least: str | None = None) -> Fix:
    """The branch to install for these cards, with this distribution's command."""
    capabilities = [gpu for _, gpu in world.capabilities] or [gpu for *_, gpu in world.cards_on_the_bus]
    rows = [row for gpu in capabilities if (row := world.architecture(gpu))]
    last = min((row.last_branch for row in rows if row.last_branch), key=int, default=None)
    branch = world.facts.drivers.branch_to_install(at_least or "470", last) or last
    needs_open = any(row.open_module == "required" for row in rows)
    distro = (world.machine.os.distro or "").partition(" ")[0]
    text = f"install driver branch {branch}" if branch else "install NVIDIA's driver"
    text += " with the open kernel module" if needs_open else ""
    text += ", then reboot"
    commands = tuple(
        tuple(word.format(branch=branch or "580", open="-open" if needs_open else "") for word in command)
        for command in _DISTRIBUTIONS.get(distro, ())
        if branch or "{branch}" not in " ".join(command)
    )
    return Fix(text, commands, root=True, reboot=True)


def replace_build(world: World, *names: str, remove: Sequence[str] = ()) -> Fix | None:
    """The exact builds that work here, as close to the installed versions as can be; None where there are none.

    `remove` is what fills the same folders under another name.
    """
    environment = world.environment
    if environment is None or world.host.kind.state not in ("gpu", "no-gpu"):
        return None
    conda = environment.kind == CONDA and any(one.name in MAIN_OF_CONDA for one in environment.conda)
    installed = by_real_name(environment.distributions)
    with_them = [] if conda else [name for name in _companions(names, environment) if name not in names]
    request = Request(
        wanted=tuple(wanted(name) for name in (*names, *with_them)),
        python=_python(environment),
        prefer=INSTALLED,
        installed=installed,
        conda=conda,
    )
    answer = resolve(request, [world.host], world.facts.book)
    if answer.status == NO_FIT or (answer.status == "cpu" and world.has_gpu):
        return None
    requested = [pick for pick in answer.picks if pick.requested]
    named = ", ".join(pick.requirement for pick in requested)
    if conda:
        specs = [text for pick in requested for text in pick.specifications]
        specs += [one.requirement for one in answer.constraints]
        command: Command = ("conda", "install", "--prefix", path_word(environment.path), "-c", "conda-forge", *specs)
    else:
        words = list(answer.command[3:])
        again = [word for pick in requested for word in ("--reinstall-package", pick.name)]
        command = ("uv", "pip", "install", "--python", path_word(environment.path), *again, *words)
    first = (("uv", "pip", "uninstall", "--python", path_word(environment.path), *remove),) if remove else ()
    work = Work(_needs(answer, conda=conda), tuple(one.requirement for one in answer.constraints), tuple(remove), conda)
    work = replace(work, cuda=next((pick.cuda for pick in requested if pick.cuda), None))
    if conda:
        fix = Fix(f"install {named}", (command,), automatic=True, conda=Change(choose=tuple(names)))
    else:
        change = Change(choose=(*names, *with_them), remove=tuple(remove))
        fix = Fix(f"install {named}", (*first, command), automatic=True, change=change)
    return _owned(environment, fix, work)


def _needs(answer: Resolution, *, conda: bool) -> tuple[Need, ...]:
    """What was asked for, and what must come from an index that is not the default one."""
    found = []
    for pick in answer.picks:
        elsewhere = pick.index_name.startswith(_PYTORCH)
        if conda and pick.requested:
            found += [Need(text) for text in pick.specifications]
        elif elsewhere:
            found.append(Need(pick.requirement, pick.index_name, pick.index))
        elif pick.requested:
            found.append(Need(pick.requirement))
    return tuple(found)


def _owned(environment: Environment | None, fix: Fix, work: Work) -> Fix:
    """In the words of the manager that keeps the environment: what is changed past it, its next `sync` takes back."""
    owner = environment.owner if environment else None
    if owner and owner.manager is None:
        claims = " and ".join(one.manager for one in owner.others)
        return replace(fix, text=f"{fix.text}; {claims} both claim the environment: say it to the one that you use")
    told = in_words_of(owner, work)
    return replace(fix, commands=told.commands or fix.commands, edits=told.edits) if told else fix


def reinstall(world: World, *requirements: str, text: str | None = None) -> Fix:
    path = path_word(world.environment.path) if world.environment else "."
    again = [word for one in requirements for word in ("--reinstall-package", re.split(r"[\[<>=!~ ]", one)[0])]
    command = ("uv", "pip", "install", "--python", path, *again, *requirements)
    text = text or f"install {', '.join(requirements)}"
    fix = Fix(text, (command,), automatic=True, change=Change(install=requirements))
    return _owned(world.environment, fix, Work(tuple(map(Need, requirements))))


def uninstall(
    world: World, names: Sequence[str], text: str, *, install: Sequence[str] = (), choose: Sequence[str] = ()
) -> Fix:
    """Remove every copy of some packages; then install what takes their place."""
    path = path_word(world.environment.path) if world.environment else "."
    commands: list[Command] = [("uv", "pip", "uninstall", "--python", path, *names)]
    if again := (*install, *choose):
        commands.append(("uv", "pip", "install", "--python", path, *again))
    fix = Fix(text, tuple(commands), automatic=True, change=Change(tuple(choose), tuple(install), tuple(names)))
    return _owned(world.environment, fix, Work(tuple(map(Need, again)), remove=tuple(names)))


def unset(variable: str) -> Fix:
    return Fix(f"unset {variable}, and take it out of the file that sets it", (("unset", variable),))


def _companions(names: Sequence[str], environment: Environment) -> list[str]:
    """What is installed and must move along."""
    companions = [name for one in FRAMEWORKS if one.name in names for name in one.companions]
    return [name for name in companions if environment.distribution(name)]


def _python(environment: Environment) -> str | None:
    match = re.match(r"3\.\d+", environment.python or "")
    return match.group() if match else None
