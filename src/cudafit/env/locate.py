"""Which environment is meant: the only answer to that, with the reason and how sure it is. By files alone.

In this order: the one that is named; the active one; the one of this folder, or of one above it; the one whose Python
is the first on PATH; none, with what was looked for.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from cudafit.env.active import Active, active, is_base, named_by_variables, others_of
from cudafit.env.around import Around, Installations
from cudafit.env.conda_places import named, unread
from cudafit.env.nearby import NAMES, Nearby, in_folder, nearby, parents
from cudafit.env.prefixes import at, same
from cudafit.env.search_path import OnPath, first_on_path, system_on_path
from cudafit.errors import InputError, UndeterminedError
from cudafit.files import Files
from cudafit.model.environment import CONDA, SYSTEM
from cudafit.model.finding import Evidence, Other
from cudafit.model.frozen import frozen
from cudafit.model.located import Located, Nowhere
from cudafit.model.machine import CondaInstallation
from cudafit.model.words import is_path
from cudafit.system.commands import command_text, option_words


def _no_installations() -> Sequence[CondaInstallation]:
    return ()


@frozen
class Asked:
    """How the environment is named, if it is, and the process and the folder in which it is asked.

    `installations` are conda's, and are read when they are needed. `guess`: whether the Python first on PATH may be
    meant; it is not where another machine is looked at. `system`: only a Python that is in no environment is.
    """

    path: str | None = None
    conda: str | None = None
    kernel: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    installations: Installations = _no_installations
    guess: bool = True
    system: bool = False


def locate(files: Files, asked: Asked) -> Located | Nowhere:
    """Raises InputError where what is named is no environment."""
    if sum(map(bool, (asked.path, asked.conda, asked.kernel))) > 1:
        raise InputError("`--env`, `--conda` and `--kernel` each name the environment")
    if asked.system:
        return _system(files, asked)
    if asked.conda is not None:
        return _said(_conda_by_name(files, asked.conda, asked), f"--conda {asked.conda}")
    if asked.kernel is not None:
        return _of_kernel(files, asked.kernel, asked)
    if asked.path is not None:
        return _said(_by_path(files, asked.path, asked), asked.path)
    return _unnamed(files, asked)


def required(found: Located | Nowhere, *command: str, what: str = "", hint: str = "") -> Located:
    """Raises UndeterminedError where there is none, with what was looked for, and what to type."""
    if isinstance(found, Located):
        return found
    raise UndeterminedError(
        what or "no Python environment is active or in this folder",
        cause=[*(one.fact for one in found.evidence), *found.looked],
        hint=hint or f"name it: `{command_text('cudafit', *command)}`",
    )


def may_be_meant(files: Files, asked: Asked) -> Iterator[str]:
    """Where the environment would lie, also while it is being exchanged and is not in its place."""
    if asked.path:
        path = os.path.normpath(os.path.join(asked.folder, asked.path))
        yield os.path.dirname(os.path.dirname(path)) if files.is_file(path) else path
        return
    live = active(files, asked.environ, asked.folder).found
    there = [one.prefix for one in live]
    yield from (path for _, path in named_by_variables(asked.environ, asked.folder) if path not in there)
    base = len(live) == 1 and is_base(files, live[0], asked.environ)
    yield from () if base else there
    for place in parents(asked.folder):
        yield from (os.path.join(place, name) for name in NAMES)
    yield from there if base else ()


def _said(found: Located, via: str) -> Located:
    return replace(found, how="named", sure="certain", evidence=(Evidence(f"{found.prefix} was named", via),))


def _unnamed(files: Files, asked: Asked) -> Located | Nowhere:
    around = Around(files, asked.environ, asked.installations)
    told = active(files, asked.environ, asked.folder)
    on_path = first_on_path(files, asked.environ, asked.folder) if asked.guess else OnPath(None, "")
    base = told.found[0] if len(told.found) == 1 and is_base(files, told.found[0], asked.environ) else None
    if told.found and base is None:
        return _active(files, told, on_path, next(in_folder(around, asked.folder, "in this folder"), None))
    near = nearby(around, asked.folder)
    passed_over = (*told.passed_over, *near.passed_over)
    if base and near.found is None:
        return _active(files, replace(told, passed_over=passed_over), on_path, None)
    if near.found:
        return _nearby(near, near.found, base, passed_over, _other_on_path(files, near.found, on_path))
    if on_path.located and not near.closed:
        found = on_path.located
        reason = Evidence(f"{found.interpreter} is {found.found_by}; nothing else tells which is meant", "PATH")
        return replace(found, how="path", sure="guess", evidence=(reason, *passed_over))
    looked = [f"{variable}: not set" for variable in ("VIRTUAL_ENV", "CONDA_PREFIX") if not asked.environ.get(variable)]
    looked.append(
        f"{asked.folder} and above: no {', '.join(NAMES)}, no other folder with pyvenv.cfg or conda-meta, "
        "none of pixi's, poetry's, pipenv's, hatch's or conda's"
    )
    return Nowhere((*looked, *((on_path.why_not,) if on_path.why_not else ())), passed_over)


def _nearby(
    near: Nearby, found: Located, base: Located | None, passed_over: tuple[Evidence, ...], on_path: tuple[Other, ...]
) -> Located:
    active = "conda's base alone is active" if base else "no environment is active"
    others = [*near.others, *((Other(base.prefix, f"conda's base, {base.found_by}"),) if base else ())]
    others += [one for one in on_path if one.path not in [known.path for known in others]]
    return replace(
        found,
        how="nearby",
        sure="guess" if near.above or near.others else "likely",
        evidence=(Evidence(f"{active}, and {found.prefix} is {found.found_by}", found.prefix), *passed_over),
        others=tuple(others),
    )


def _active(files: Files, told: Active, on_path: OnPath, here: Located | None) -> Located:
    found = told.found[0]
    others = list(others_of(told.found[1:]))
    reasons = [Evidence(f"{found.prefix} is {found.found_by}", "the process's variables")]
    if others:
        reasons.append(Evidence(f"its programs come before those of {others[0].path}", "PATH"))
    beaten = bool(others)
    for other in (*_other_on_path(files, found, on_path), *((Other(here.prefix, here.found_by),) if here else ())):
        if not any(same(files, other.path, one) for one in (found.prefix, *(known.path for known in others))):
            others.append(other)
            beaten = True
    return replace(
        found,
        how="active",
        sure="likely" if beaten else "certain",
        evidence=(*reasons, *told.passed_over),
        others=tuple(others),
    )


def _other_on_path(files: Files, found: Located | None, on_path: OnPath) -> tuple[Other, ...]:
    """The one that a bare `python` starts, where that is another."""
    located = on_path.located
    if found is None or located is None or same(files, found.prefix, located.prefix):
        return ()
    return (Other(located.prefix, located.found_by),)


def _by_path(files: Files, path: str, asked: Asked) -> Located:
    place = os.path.normpath(os.path.join(asked.folder, path))
    found = at(files, place, "named")
    if found is None and files.is_dir(place):
        around = Around(files, asked.environ, asked.installations)
        found = next((replace(one, found_by="named") for one in in_folder(around, place, "named")), None)
    if found is None:
        raise InputError(
            f"`{path}` is not a Python environment",
            cause=["it has neither a pyvenv.cfg, nor conda-meta, nor an interpreter"],
            hint="name its folder or its interpreter, such as `.venv` or `.venv/bin/python`",
        )
    return found


def _system(files: Files, asked: Asked) -> Located | Nowhere:
    """A Python that is in no environment: the one that is named, or the first such on PATH."""
    if asked.conda or asked.kernel:
        raise InputError("`--system` names a Python that is in no environment")
    if asked.path is None:
        found = system_on_path(files, asked.environ, asked.folder)
        return _said(found.located, "--system") if found.located else Nowhere((found.why_not,))
    named = _by_path(files, asked.path, asked)
    if named.kind != SYSTEM:
        raise InputError(
            f"`{named.prefix}` is an environment, and `--system` means a Python that is in none",
            hint="leave `--system` out",
        )
    return _said(named, asked.path)


def _of_kernel(files: Files, name: str, asked: Asked) -> Located:
    """The environment of the Python that a kernel starts, by its own file."""
    from cudafit.env.kernels import interpreter_of, kernel_by_name  # noqa: PLC0415 - for kernels alone

    around = locate(files, replace(asked, kernel=None))
    prefix = around.prefix if isinstance(around, Located) else None
    kernel = kernel_by_name(files, asked.environ, prefix, name)
    program = interpreter_of(kernel, prefix)
    found = at(files, program, f"by the kernel {kernel.name}") if program else None
    if found is None:
        again = command_text("python", "-m", "ipykernel", "install", "--user", *option_words("--name", kernel.name))
        raise InputError(
            f"the kernel `{kernel.name}` starts `{kernel.argv[0]}`, which is no Python that is there",
            cause=[f"its file is {kernel.path}"],
            hint=f"register it anew: `{again}`",
        )
    chosen = prefix if isinstance(around, Located) and around.how in ("active", "nearby") else None
    reason = Evidence(f"the kernel {kernel.name} starts {program}", kernel.path)
    return replace(found, how="named", sure="certain", evidence=(reason,), kernel=kernel, active=chosen)


def _conda_by_name(files: Files, name: str, asked: Asked) -> Located:
    if is_path(name):
        found = at(files, os.path.normpath(os.path.join(asked.folder, os.path.expanduser(name))), "--conda")
        if found is None or found.kind != CONDA:
            raise InputError(
                f"`{name}` is not a conda environment",
                cause=["it has no conda-meta" if found or files.is_dir(name) else "there is no such folder"],
            )
        return found
    if not re.fullmatch(r"[^/\s]+", name):
        raise InputError(f"`--conda {name}` is not the name of a conda environment", hint="for a path: `--env PATH`")
    candidates = list(named(files, name, asked.installations(), asked.environ, asked.folder))
    for path in candidates:
        if files.is_dir(f"{path}/conda-meta"):
            return Located(path, CONDA, f"--conda {name}")
    raise InputError(
        f"there is no conda environment `{name}`",
        cause=[
            f"looked for it in {', '.join(candidates) or 'no place: no conda installation was found'}",
            *unread(files, asked.environ),
        ],
        hint="name its folder: `--env PATH`",
    )
