"""Fixes that are exact for this machine: the distribution's own commands, and the builds that resolve picks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.doctor.managers import in_words_of
from cudafit.doctor.managers.work import Work
from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.model.environment import CONDA, SYSTEM, Environment, by_real_name
from cudafit.model.finding import Change, Fix
from cudafit.model.fit import CPU, NO_FIT, Pick, Resolution
from cudafit.model.frameworks import FRAMEWORKS, MAIN_OF_CONDA
from cudafit.model.requirement import Need, name_in, wanted
from cudafit.resolve.request import INSTALLED, NEWEST, Request
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


def install_driver(world: World, at_least: str | None = None, at_most: str | None = None) -> Fix:
    """The branch to install for these cards, with this distribution's command."""
    capabilities = [gpu for _, gpu in world.capabilities] or [gpu for *_, gpu in world.cards_on_the_bus]
    rows = [row for gpu in capabilities if (row := world.architecture(gpu))]
    last = at_most or min((row.last_branch for row in rows if row.last_branch), key=int, default=None)
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


def replace_build(world: World, *names: str, remove: Sequence[str] = (), keep: Sequence[str] = ()) -> Fix | None:
    """The exact builds that work here, as close to the installed versions as can be; None where there are none.

    `remove` is what fills the same folders under another name; `keep` stays as it is installed.
    """
    environment = world.environment
    if world.on_paper or environment is None or world.host.kind.state not in ("gpu", "no-gpu"):
        return None
    conda = environment.kind == CONDA and any(one.name in MAIN_OF_CONDA for one in environment.conda)
    installed = by_real_name(environment.distributions)
    with_them = [] if conda else [name for name in _companions(names, environment) if name not in (*names, *keep)]
    kept = [f"{name}=={_as_built(environment, name, installed[name])}" for name in keep if name in installed]
    request = Request(
        wanted=tuple(wanted(name) for name in (*names, *with_them, *kept)),
        python=python_of(environment),
        prefer=INSTALLED,
        installed=installed,
        conda=conda,
    )
    answer = _resolved(world, request)
    if answer.status == NO_FIT or (answer.status == "cpu" and world.has_gpu):
        return None
    if conda:
        return _of_conda(environment, answer, names)
    return of_answer(world, answer, (*names, *with_them), remove=remove)


def _resolved(world: World, request: Request) -> Resolution:
    from cudafit.resolve.answer import resolve  # noqa: PLC0415 - where something is to be changed

    return resolve(request, [world.host], world.facts.book)


def _as_built(environment: Environment, name: str, version: str) -> str:
    """Of torch with the mark of its build, which METADATA does not tell."""
    told = environment.torch.version if name == "torch" and environment.torch else None
    return told if told and told.partition("+")[0] == version.partition("+")[0] else version


def _of_conda(environment: Environment, answer: Resolution, names: Sequence[str]) -> Fix:
    requested = [pick for pick in answer.picks if pick.requested]
    specs = [text for pick in requested for text in pick.specifications]
    specs += [one.requirement for one in answer.constraints]
    command: Command = ("conda", "install", "--prefix", path_word(environment.path), "-c", "conda-forge", *specs)
    named = ", ".join(pick.requirement for pick in requested)
    fix = Fix(f"install {named}", (command,), automatic=True, conda=Change(choose=tuple(names)), exact=tuple(specs))
    cuda = next((pick.cuda for pick in requested if pick.cuda), None)
    work = Work(_needs(answer, conda=True), tuple(one.requirement for one in answer.constraints), (), True, cuda)
    return _owned(environment, fix, work)


def of_answer(
    world: World, answer: Resolution, names: Sequence[str], *, remove: Sequence[str] = (), text: str | None = None
) -> Fix:
    """What resolve picked as a change: `names` are chosen; what is installed of the rest in another version moves."""
    environment = world.environment
    path = _called(environment)
    installed = by_real_name(environment.distributions) if environment else {}
    requested = [pick for pick in answer.picks if pick.requested and (pick.name in names or _moves(pick, installed))]
    # An installer keeps a part that its framework admits, though it is not of the same release.
    parts = [pick for pick in answer.picks if not pick.requested and pick.name in installed and _moves(pick, installed)]
    coming = [*requested, *parts]
    backend = next((pick.index_name.removeprefix(_PYTORCH) for pick in coming if _is_elsewhere(pick)), None)
    along = [pick for pick in answer.picks if _is_elsewhere(pick) and pick not in coming and not pick.requested]
    words = [pick.requirement for pick in (*coming, *along)]
    words += [one.requirement for one in answer.constraints]
    again = [word for pick in coming for word in ("--reinstall-package", pick.name)]
    command = ("uv", "pip", "install", "--python", path, *again, *words)
    command += ("--torch-backend", backend) if backend else ()
    first = (("uv", "pip", "uninstall", "--python", path, *remove),) if remove else ()
    change = Change(choose=tuple(dict.fromkeys((*names, *(one.name for one in requested)))), remove=tuple(remove))
    named = ", ".join(pick.requirement for pick in requested)
    work = Work(_needs(answer), tuple(one.requirement for one in answer.constraints), tuple(remove))
    work = replace(work, cuda=next((pick.cuda for pick in requested if pick.cuda), None))
    text = text or f"install {named}"
    fix = Fix(text, (*first, command), automatic=True, change=change, exact=tuple(words))
    return _owned(environment, fix, work)


def _is_elsewhere(pick: Pick) -> bool:
    return pick.index_name.startswith(_PYTORCH)


def _moves(pick: Pick, installed: Mapping[str, str]) -> bool:
    have = installed.get(pick.name)
    return have is None or have.partition("+")[0] != pick.version


def _needs(answer: Resolution, *, conda: bool = False) -> tuple[Need, ...]:
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


def plainly(world: World, fix: Fix, remove: Sequence[str]) -> Fix:
    """The same change, with more taken out before it."""
    change = replace(fix.change or Change(), remove=tuple(remove))
    path = _called(world.environment)
    rest = tuple(one for one in fix.commands if one[:3] != ("uv", "pip", "uninstall"))
    first: Command = ("uv", "pip", "uninstall", "--python", path, *remove)
    text = fix.text if fix.text.startswith("remove") else f"remove {', '.join(remove)}, then {fix.text}"
    return replace(fix, text=text, commands=(first, *rest), change=change)


def _called(environment: Environment | None) -> str:
    """As uv is told of it: where there is no environment, of several Pythons in one prefix the one that is meant."""
    if environment is None:
        return "."
    return path_word((environment.interpreter if environment.kind == SYSTEM else None) or environment.path)


def _owned(environment: Environment | None, fix: Fix, work: Work) -> Fix:
    """In the words of the manager that keeps the environment: what is changed past it, its next `sync` takes back."""
    if environment and environment.managed_by and work.needs:
        where = "in an environment of its own: this Python is kept by its distribution"
        names = dict.fromkeys(need.name for need in work.needs)
        return replace(fix, text=f"{fix.text}, {where}", commands=(("cudafit", "create", ".venv", *names),))
    owner = environment.owner if environment else None
    if owner and owner.manager is None:
        claims = " and ".join(one.manager for one in owner.others)
        return replace(fix, text=f"{fix.text}; {claims} both claim the environment: say it to the one that you use")
    told = in_words_of(owner, work)
    return replace(fix, commands=told.commands or fix.commands, edits=told.edits) if told else fix


def reinstall(world: World, *requirements: str, text: str | None = None, remove: Sequence[str] = ()) -> Fix:
    """Those packages in those versions; of a package of the matrices that is named alone, the build that works here."""
    if world.on_paper:
        return Fix("")
    if told := _only_elsewhere(world, requirements):
        return Fix(f"{text}; {told}" if text else told)
    environment = world.environment
    requirements = tuple(_exact(world, requirements))
    path = _called(environment)
    again = [word for one in requirements for word in ("--reinstall-package", name_in(one))]
    commands: list[Command] = [("uv", "pip", "uninstall", "--python", path, *remove)] if remove else []
    commands.append(("uv", "pip", "install", "--python", path, *again, *requirements))
    text = text or f"install {', '.join(requirements)}"
    change = Change(install=requirements, remove=tuple(remove))
    fix = Fix(text, tuple(commands), automatic=True, change=change, exact=requirements)
    return _owned(environment, fix, Work(tuple(map(Need, requirements)), remove=tuple(remove)))


def _only_elsewhere(world: World, requirements: Sequence[str]) -> str | None:
    """What is known of a package whose wheels no index has: a plain installation would compile for an hour, or fail."""
    for one in requirements:
        if row := world.facts.named(name_in(one), "elsewhere", "dead"):
            return row.note
    return None


def _exact(world: World, requirements: Sequence[str]) -> Iterator[str]:
    """With the version that resolve picks, where the matrices know the package and none is named."""
    environment = world.environment
    for one in requirements:
        want = wanted(one)
        if want.specifier.startswith("==") or environment is None or want.name not in world.facts.book.packages:
            yield one
            continue
        installed = by_real_name(environment.distributions)
        prefer = INSTALLED if want.specifier else NEWEST
        request = Request(wanted=(want,), python=python_of(environment), prefer=prefer, installed=installed)
        try:
            answer = _resolved(world, request)
        except CudafitError:
            yield one
            continue
        pick = next((pick for pick in answer.picks if pick.name == want.name), None)
        yield pick.requirement if pick and pick.compat != CPU else one


def uninstall(
    world: World, names: Sequence[str], text: str, *, install: Sequence[str] = (), choose: Sequence[str] = ()
) -> Fix:
    """Remove every copy of some packages; then install what takes their place."""
    if world.on_paper:
        return Fix("")
    path = _called(world.environment)
    commands: list[Command] = [("uv", "pip", "uninstall", "--python", path, *names)]
    again = tuple(_exact(world, (*install, *choose)))
    if again:
        commands.append(("uv", "pip", "install", "--python", path, *again))
    change = Change(tuple(choose), tuple(install), tuple(names))
    fix = Fix(text, tuple(commands), automatic=True, change=change, exact=again)
    return _owned(world.environment, fix, Work(tuple(map(Need, again)), remove=tuple(names)))


def unset(variable: str) -> Fix:
    return Fix(f"unset {variable}, and take it out of the file that sets it", (("unset", variable),))


def _companions(names: Sequence[str], environment: Environment) -> list[str]:
    """What is installed and must move along."""
    companions = [name for one in FRAMEWORKS if one.name in names for name in one.companions]
    return [name for name in companions if environment.distribution(name)]


def python_of(environment: Environment) -> str | None:
    match = re.match(r"3\.\d+", environment.python or "")
    return match.group() if match else None
