"""The command that installs a fit."""

import re
from collections.abc import Sequence

from cudafit.model.fit import Constraint, Passed, Pick
from cudafit.model.requirement import COMMAND_LINE
from cudafit.resolve.conda import INDEX as CONDA
from cudafit.resolve.problem import Problem

_OF_OTHERS = re.compile(
    r"(?i).*\.(toml|cfg|py|pyw|ya?ml|ipynb|lock|json)|(.*[/\\])?[^/\\]*(pipfile|dockerfile|containerfile)[^/\\]*"
)


def install_command(
    picks: Sequence[Pick], constraints: Sequence[Constraint], passed: Sequence[Passed], problem: Problem
) -> tuple[str, ...]:
    """uv takes PyTorch's packages from the index that its backend names, and everything else from the default one."""
    if any(pick.index_name == CONDA for pick in picks):
        return _conda(picks, constraints, passed, problem.python)
    extra = [pick for pick in picks if pick.index_name.startswith("pytorch-")]
    wanted = [pick.requirement for pick in picks if pick.requested or pick in extra]
    wanted += [constraint.requirement for constraint in constraints]
    # Of other files than pip's what they ask for is said: uv would run a setup.py, and a pyproject.toml's own indexes
    # may be against the fit.
    files = [file for file in problem.request.files if is_of_pip(file)]
    wanted += [one.requirement for one in passed if one.origin == COMMAND_LINE or not is_of_pip(_file(one.origin))]
    if not wanted and not files:
        return ()
    wanted += [word for file in files for word in ("-r", file)]
    backend = ["--torch-backend", extra[0].index_name.removeprefix("pytorch-")] if extra else []
    return ("uv", "pip", "install", *wanted, *backend)


def is_of_pip(path: str) -> bool:
    """Whether pip reads this file with `-r`."""
    return _OF_OTHERS.fullmatch(path) is None


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
