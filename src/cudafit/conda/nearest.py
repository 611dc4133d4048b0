"""A solution, or the one requirement that is in its way."""

from dataclasses import replace

from cudafit.conda.solver import Question, Record, UnsolvableError, solve
from cudafit.errors import CudafitError

_TRIED = 6
_ABSENT = "No candidates were found for"


def solved_or_nearest(question: Question) -> tuple[Record, ...]:
    """What the solver finds; raises UnsolvableError where it finds nothing, with the requirement that is
    in the way of all the others, and CudafitError."""
    try:
        (records,) = solve([question])
    except UnsolvableError as error:
        absent = [f"{_ABSENT} {spec}" for spec in question.specs if spec.count(" ") > 1]
        if any(text in line for text in absent for line in error.cause):
            raise  # a build that was chosen is not there: whoever chose it takes another
        raise UnsolvableError(error.what, cause=error.cause, hint=_nearest(question) or error.hint) from None
    return tuple(sorted(records, key=lambda one: one.name))


def _nearest(question: Question) -> str | None:
    for number in range(len(question.specs) - 1, -1, -1)[:_TRIED]:
        name, _, limit = question.specs[number].partition(" ")
        rest = (*question.specs[:number], *question.specs[number + 1 :])
        for instead in (name, None) if limit else (None,):
            specs = (*rest, instead) if instead else rest
            try:
                (records,) = solve([replace(question, specs=specs, prefix=None, free=())])
            except CudafitError:
                continue
            if instead is None:
                return f"without `{question.specs[number]}` there is a solution"
            found = next(one for one in records if one.name == name)
            return f"with `{name}` {found.version} {found.build} in place of `{question.specs[number]}` it is solved"
    return None
