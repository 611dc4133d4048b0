"""The command that installs a fit."""

import re
from collections.abc import Collection, Sequence

from cudafit.model.fit import Constraint, Passed, Pick
from cudafit.model.frameworks import TORCH
from cudafit.model.requirement import COMMAND_LINE, name_in
from cudafit.resolve.conda import INDEX as CONDA
from cudafit.resolve.problem import Problem
from cudafit.resolve.request import Request
from cudafit.system.secrets import without_login

_OF_OTHERS = re.compile(
    r"(?i).*\.(toml|cfg|py|pyw|ya?ml|ipynb|lock|json)|(.*[/\\])?[^/\\]*(pipfile|dockerfile|containerfile)[^/\\]*"
)

SOURCE = "source"  # a variant: the index has no wheel of it
FILE = "requirement file"  # the origin of a line that only an installer understands
_OPTION = re.compile(r"(?s)(--[a-z-]+|-[a-z])[ =]*(.*)")
_OPTIONS = {
    *("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "-e", "--editable"),
    *("--no-binary", "--only-binary", "--trusted-host", "--pre"),
}


def install_command(
    picks: Sequence[Pick], constraints: Sequence[Constraint], passed: Sequence[Passed], problem: Problem
) -> tuple[str, ...]:
    """uv takes PyTorch's packages from the index that its backend names, and everything else from the default one."""
    if any(pick.index_name == CONDA for pick in picks):
        return _conda(picks, constraints, passed, problem.python)
    extra = [pick for pick in picks if pick.index_name.startswith("pytorch-")]
    # What is built with torch is no part of the line that brings torch: a note says what comes then.
    later = built_later(picks, problem.request)
    wanted = [pick.requirement for pick in picks if (pick.requested or pick in extra) and pick.name not in later]
    wanted += [constraint.requirement for constraint in constraints]
    files = files_of_pip(problem.request, later)
    wanted += left_to_it(passed, files, later)
    if not wanted and not files:
        return ()
    wanted += [word for file in files for word in ("-r", file)]
    wanted += [] if files else [word for line in problem.request.lines for word in _words(line)]
    backend = ["--torch-backend", extra[0].index_name.removeprefix("pytorch-")] if extra else []
    return ("uv", "pip", "install", *wanted, *backend)


def files_of_pip(request: Request, later: Collection[str]) -> list[str]:
    """Those that an installer is given with `-r`. Of other files than pip's what they ask for is said: uv would run a
    setup.py, and a pyproject.toml's own indexes may be against the fit. So it is of files of which something is not
    taken as it stands there, or not at once."""
    files = [file for file in request.files if is_of_pip(file)]
    others = [*request.altered, *(want.origin for want in request.wanted if want.name in later)]
    return [] if any(place != COMMAND_LINE and is_of_pip(_file(place)) for place in others) else files


def left_to_it(passed: Sequence[Passed], files: Sequence[str], later: Collection[str]) -> list[str]:
    """What is passed on, and stands in none of these files."""
    told = [one for one in passed if one.origin != FILE and not is_read(one.origin, files)]
    return [one.requirement for one in told if name_in(one.requirement) not in later]


def built_later(picks: Sequence[Pick], request: Request) -> set[str]:
    """What is installed in a second step, since its build imports torch."""
    own = {pick.name for pick in picks if pick.variant == SOURCE and any(one.name == TORCH.name for one in picks)}
    return {*request.built, *own}


def is_of_pip(path: str) -> bool:
    """Whether pip reads this file with `-r`."""
    return _OF_OTHERS.fullmatch(path) is None


def is_read(origin: str, files: Sequence[str]) -> bool:
    """Whether it stands in one of these that pip is given, or in one that such a file names."""
    return bool(files) and origin not in (COMMAND_LINE, FILE) and is_of_pip(_file(origin))


def option_words(line: str) -> list[str]:
    """A line of a requirement file as words of `pip install`; nothing of what has no meaning there."""
    match = _OPTION.fullmatch(line)
    if match is None:
        return [line]
    option, value = match[1], match[2].strip("\"'")
    return [option, *([without_login(value)] if value else [])] if option in _OPTIONS else []


def _words(line: str) -> list[str]:
    """... and of uv's."""
    option, *value = option_words(line) or [""]
    if option == "--pre":
        return ["--prerelease", "allow"]
    if option == "--trusted-host":
        return ["--allow-insecure-host", *value]
    return [option, *value] if option else []


def _file(origin: str) -> str:
    """`environment.yml:3`, `train.ipynb, cell 3`."""
    return re.sub(r"(:\d+( \(the base image\))?|, cell \d+)$", "", origin)


def _conda(
    picks: Sequence[Pick], constraints: Sequence[Constraint], passed: Sequence[Passed], python: str
) -> tuple[str, ...]:
    wanted = [text for pick in picks if pick.requested for text in pick.specifications]
    wanted += [one.requirement for one in constraints]
    # conda knows neither extras nor markers nor addresses.
    wanted += [
        one.requirement for one in passed if one.origin == COMMAND_LINE and not set("[;@") & set(one.requirement)
    ]
    return ("conda", "create", "-n", "gpu", "-c", CONDA, "--override-channels", f"python={python}", *wanted)
