"""From what was typed to what the resolver is asked, and its answer."""

import re

from cudafit.app.asked import WhichBuilds, WhichFacts, WhichMachine
from cudafit.errors import InputError
from cudafit.matrix.load import open_matrix
from cudafit.model.declaration import Bound
from cudafit.model.fit import Resolution
from cudafit.model.requirement import wanted
from cudafit.resolve.answer import overview
from cudafit.resolve.answer import resolve as resolved
from cudafit.resolve.host import Host
from cudafit.resolve.names import is_of_conda
from cudafit.resolve.problem import Book
from cudafit.resolve.request import Request


def request_of(builds: WhichBuilds, machine: WhichMachine, facts: WhichFacts) -> tuple[Request, str | None]:
    """What was asked for; what the project in this folder asks for when nothing was, which the note tells. Raises
    InputError."""
    items = [
        wanted(_of_conda(text) if builds.conda or is_of_conda(text.partition("=")[0]) else text)
        for text in builds.requirements
    ]
    found, note = None, None
    if builds.from_imports:
        from cudafit.app.declared import from_imports  # noqa: PLC0415 - what reads files, where there are any

        if builds.files or builds.requirements:
            raise InputError("`--from-imports` is for where nothing says what is needed")
        found = from_imports(open_matrix(facts.matrices, facts.pinned).packages)
        items += found.wanted
    elif builds.files or builds.extras or builds.groups or not items:
        from cudafit.app.declared import declared  # noqa: PLC0415

        found = declared(builds.files, builds.extras, builds.groups)
        items += found.wanted
        note = None if builds.files or not found.files else f"read {', '.join(found.files)}"
    active, without_venv = _active_python(machine)
    python, told = _python_of(_python(builds.python), active, found.python if found else ())
    request = Request(
        wanted=tuple(items),
        python=python,
        cuda=_cuda(builds.cuda, cpu=builds.cpu),
        cpu=builds.cpu,
        prefer=builds.prefer,
        conda=builds.conda or bool(found and found.conda),
        installed=_installed(machine) if builds.prefer == "installed" else {},
        lines=found.lines if found else (),
        files=found.files if found else (),
        named=bool(builds.files),
        pythons=found.python if found else (),
        chosen=found.chosen if found else (),
        notes=found.notes if found else (),
        warnings=(*(found.warnings if found else ()), *told),
        words=_words(machine, facts),
        without_venv=without_venv,
        as_written=builds.as_written,
    )
    return request, note


def answer_of(request: Request, machines: list[Host], book: Book, *, every: bool = False) -> Resolution:
    if not request.wanted:
        return overview(request, machines, book)
    return resolved(request, machines, book, every=every)


def _of_conda(text: str) -> str:
    """`pytorch=2.9`, which is how conda writes all of 2.9."""
    match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)=(\d[\w.]*?)(?:\.\*)?", text, re.ASCII)
    return f"{match[1]}=={match[2]}.*" if match else text


def _python_of(typed: str | None, active: str | None, bounds: tuple[Bound, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The Python that is meant, and what to say where the project's own words are against it."""
    python = typed or active
    if python is None or not bounds:
        return python, ()
    from cudafit.resolve.bounds import is_bound  # noqa: PLC0415 - where the project says anything of it

    against = [f"{one.specifier} ({one.origin})" for one in bounds if not is_bound(python, [one])]
    if not against:
        return python, ()
    if typed:
        return python, (f"`--python {typed}` is not what the project asks for: {', '.join(against)}",)
    return None, (f"the environment has Python {python}, and the project asks for {', '.join(against)}",)


def _python(text: str | None) -> str | None:
    if text is None or re.fullmatch(r"\d\.\d{1,2}(\.\d+)?t?", text):
        return text
    hint = f"write it as `{text[0]}.{text[1:]}`" if re.fullmatch(r"3\d{1,2}", text) else "write it as `3.12`"
    raise InputError(f"`--python {text}` is not a version of Python", hint=hint)


def _active_python(machine: WhichMachine) -> tuple[str | None, bool]:
    """On this machine the environment that is meant tells which Python is: what is installed goes there. Whether there
    is none, too."""
    if machine.is_elsewhere:
        return None, False
    from cudafit.app.here import located_here  # noqa: PLC0415 - not for a machine that is described
    from cudafit.env.installed import python_of  # noqa: PLC0415
    from cudafit.model.environment import SYSTEM  # noqa: PLC0415
    from cudafit.model.located import Nowhere  # noqa: PLC0415

    found = located_here()
    # A system's own Python is no place to install to: of the Pythons there are, the best is chosen.
    if isinstance(found, Nowhere) or found.kind == SYSTEM:
        return None, True
    return python_of(found.prefix), False


def _cuda(text: str | None, *, cpu: bool) -> str | None:
    if text is None:
        return None
    if cpu:
        raise InputError("`--cpu` asks for builds without CUDA, so `--cuda` has no meaning")
    number = re.fullmatch(r"(?:cu)?(\d{2})(?:\.?(\d)(?:\.\d+)?)?", text)
    if number is None:
        raise InputError(f"`--cuda {text}` is not a CUDA version", hint="write it as `12.6`, or as `12` for all of 12")
    return number[1] + (f".{number[2]}" if number[2] else "")


def _installed(machine: WhichMachine) -> dict[str, str]:
    from cudafit.app.here import located_here  # noqa: PLC0415 - as above
    from cudafit.env.installed import installed_versions  # noqa: PLC0415
    from cudafit.env.locate import required  # noqa: PLC0415

    found = required(
        located_here(guess=not (machine.machines or machine.root or machine.platform)),
        what="`--prefer installed` needs an environment, and none is active or in this folder",
        hint="activate one, or go to a folder with a `.venv`",
    )
    return installed_versions(found.prefix)


def _words(machine: WhichMachine, facts: WhichFacts) -> tuple[str, ...]:
    """The options that say which machine and matrix, as they were given: a suggested command must repeat them."""
    several = (("--machine", machine.machines), ("--gpu", machine.gpus), ("--matrix", facts.matrices))
    words = [word for flag, values in several for value in values for word in (flag, value)]
    for flag, value in (
        ("--driver", machine.driver),
        ("--platform", machine.platform),
        ("--glibc", machine.glibc),
        ("--root", machine.root),
    ):
        words += [] if value is None else [flag, value]
    return tuple(words)
