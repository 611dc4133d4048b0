"""The whole answer to a request: the pure function behind `cudafit resolve`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cudafit.errors import UndeterminedError
from cudafit.model import fit
from cudafit.model.fit import MatrixVersion, Passed, Pick, Resolution
from cudafit.model.frameworks import LEADING
from cudafit.model.requirement import NEEDED_BY, wanted
from cudafit.resolve import names
from cudafit.resolve.alike import told_apart
from cudafit.resolve.bounds import is_bound, within
from cudafit.resolve.closing import because
from cudafit.resolve.command import FILE, install_command
from cudafit.resolve.explain import causes_of, constraints_of, rejections_of, upgrades_of
from cudafit.resolve.fleet import groups_of
from cudafit.resolve.host import NO_DRIVER, NO_GPU, UNDETERMINED, Host, Kind
from cudafit.resolve.nearest import alternatives_of, other_pythons
from cudafit.resolve.notices import notes_of, warnings_of
from cudafit.resolve.picks import picks_of
from cudafit.resolve.problem import Book, Library, Problem
from cudafit.resolve.request import Request
from cudafit.resolve.search import Combination
from cudafit.resolve.targets import targets_of
from cudafit.resolve.told import machine_lines
from cudafit.resolve.words import takes_cpu
from cudafit.system.secrets import redacted

# Where nothing tells which Python is meant.
DEFAULT_PYTHON = "3.12"
CONSTRAINT_NOTE = "a constraint, passed on"


def resolve(request: Request, hosts: Sequence[Host], book: Book, *, every: bool = False) -> Resolution:
    """Which builds to install on these machines, or why none will do.

    Raises InputError for a request that cannot be meant, UndeterminedError where a machine is not known well enough.
    """
    for host in hosts:
        if host.kind.state == UNDETERMINED and not request.cpu:
            raise UndeterminedError(f"the GPUs of {host.label} could not be determined", cause=[host.why or ""])
    library = Library(book)
    names.check(request, library)
    lines = machine_lines(hosts, library.drivers, request)
    targets = targets_of(hosts, library.drivers, request)
    alike = told_apart(hosts, library.drivers)
    problem, combination = solved(library, request, tuple(dict.fromkeys(host.kind for host in alike)))
    if combination is None:
        return replace(_no_fit(problem, alike, library), machines=lines, targets=targets)
    return replace(_fit(problem, combination, alike, library, every=every), machines=lines, targets=targets)


def overview(request: Request, hosts: Sequence[Host], book: Book) -> Resolution:
    """What these machines can run: the best of each of the large frameworks, each by itself."""
    answers = [
        resolve(replace(request, wanted=(wanted(one.name),)), hosts, book)
        for one in LEADING
        if one.name in book.packages
    ]
    fitting = [answer for answer in answers if answer.status != fit.NO_FIT]
    first = (fitting or answers)[0]
    return replace(
        first,
        picks=tuple(pick for answer in fitting for pick in answer.picks if pick.requested),
        rejected=(),
        constraints=tuple(one for answer in fitting for one in answer.constraints),
        warnings=tuple(one for answer in fitting for one in answer.warnings),
        notes=("nothing was asked for: each framework is shown by itself", *(n for a in answers for n in a.notes)),
        command=(),
        before=(),
    )


def solved(library: Library, request: Request, kinds: Sequence[Kind]) -> tuple[Problem, Combination | None]:
    """The best answer over the Pythons in question; among equal ones the first of them."""
    best: tuple[Problem, Combination] | None = None
    problems = [Problem(library, request, kinds, python) for python in pythons(request, kinds)]
    for problem in problems:
        combination = problem.solve()
        if combination and (best is None or combination.key < best[1].key):
            best = (problem, combination)
    if best:
        return best
    others = list(_with_other_pythons(problems[0]))
    for other in others:
        if combination := other.solve():
            return other, combination
    # What stands in the way beside the Python, of which there is another one.
    return next((one for one in (*problems, *others) if _is_each_for_it(one)), problems[0]), None


def _with_other_pythons(problem: Problem) -> Iterator[Problem]:
    """Where nobody has said one, those which the pins allow. conda brings its Python along: the machine's own are a
    wish."""
    request = problem.request
    is_free = not request.python and (request.conda or not any(kind.pythons for kind in problem.kinds))
    for python in other_pythons(problem) if is_free else ():
        if not request.pythons or is_bound(python, request.pythons):
            yield problem.again(python=python)


def _is_each_for_it(problem: Problem) -> bool:
    """Whether of each package there is a build that all else admits."""
    return all(problem.field(name).candidates for name in problem.asked())


def pythons(request: Request, kinds: Sequence[Kind]) -> tuple[str, ...]:
    """The Pythons in question: the one that is wanted, or those that every machine has."""
    if request.python:
        return (request.python,)
    known = [kind.pythons for kind in kinds if kind.pythons]
    shared = tuple(python for python in known[0] if all(python in other for other in known)) if known else ()
    told = shared or (DEFAULT_PYTHON,)
    if not request.pythons:
        return told
    return tuple(one for one in told if is_bound(one, request.pythons)) or within(request.pythons)


def _fit(
    problem: Problem, combination: Combination, hosts: Sequence[Host], library: Library, *, every: bool
) -> Resolution:
    words = problem.words
    picks = picks_of(combination, hosts, library, [words[name] for name in problem.asked()])
    constraints = constraints_of(problem, combination)
    passed = tuple(_passed(problem))
    status = _status(picks)
    resolution = Resolution(
        status=status,
        python=problem.python,
        picks=picks,
        rejected=tuple(rejections_of(problem, combination, hosts)),
        upgrades=tuple(upgrades_of(problem, combination)),
        matrix=MatrixVersion(library.book.version),
        reason=_why_cpu(problem, hosts) if status == fit.CPU else None,
        constraints=constraints,
        passed=passed,
        warnings=tuple(warnings_of(problem, combination, picks)),
        notes=tuple(notes_of(problem, combination, picks, hosts)),
        command=install_command(picks, constraints, passed, problem),
    )
    if problem.request.without_venv and not problem.request.conda and resolution.command:
        resolution = replace(resolution, before=("uv", "venv", "--python", problem.python))
    return replace(resolution, all=tuple(_all(problem, hosts, library))) if every else resolution


def _no_fit(problem: Problem, hosts: Sequence[Host], library: Library) -> Resolution:
    groups, blocking = groups_of(problem, hosts, library) if len(problem.kinds) > 1 else ((), ())
    causes = causes_of(problem, hosts)
    upgrades = tuple(upgrades_of(problem, None))
    return Resolution(
        status=fit.NO_FIT,
        python=problem.python,
        picks=(),
        rejected=tuple(rejections_of(problem, None, hosts)),
        upgrades=upgrades,
        matrix=MatrixVersion(library.book.version),
        reason=_why_not(problem, hosts),
        causes=(*blocking, *causes, *(told for name in problem.asked() for told in because(problem.words[name]))),
        alternatives=tuple(alternatives_of(problem, hosts, upgrades)),
        passed=tuple(_passed(problem)),
        notes=tuple(notes_of(problem, None, (), hosts)),
        groups=groups,
    )


def _status(picks: Sequence[Pick]) -> fit.Status:
    compats = {pick.compat for pick in picks}
    return fit.CPU if fit.CPU in compats and not compats & {fit.NATIVE, fit.MINOR, fit.FORWARD} else fit.FIT


def _why_cpu(problem: Problem, hosts: Sequence[Host]) -> str:
    if problem.request.cpu:
        return "CPU builds, as asked (--cpu)"
    told = next((host.why for host in hosts if host.kind.state == NO_GPU), None)
    if told is None and any(takes_cpu(name, problem.words[name], problem.request) for name in problem.asked()):
        return "CPU builds, as the request says"
    return f"CPU builds: {told}" if told else "these packages have no CUDA builds"


def _why_not(problem: Problem, hosts: Sequence[Host]) -> str:
    words = [want for name in problem.asked() for want in problem.words[name] if not want.constraint]
    asked = [want.text for want in words if not want.origin.startswith(NEEDED_BY)] or [want.text for want in words]
    what = ", ".join(f"`{text}`" for text in dict.fromkeys(asked))
    driverless = next((host for host in hosts if host.kind.state == NO_DRIVER), None)
    if driverless and not problem.request.cpu:
        return f"no build of {what} can use the GPU: there is no NVIDIA driver"
    together = " together" if len(problem.asked()) > 1 else ""
    where = "these machines" if len(hosts) > 1 else "this machine"
    return f"no build of {what} fits {where}{together}"


def _passed(problem: Problem) -> Iterator[Passed]:
    for name, wants in problem.words.items():
        for want in wants:
            if not problem.is_ours(name) and want.constraint:
                yield Passed(redacted(want.text), want.origin, CONSTRAINT_NOTE)
            elif not problem.is_ours(name):
                yield Passed(redacted(want.text), want.origin, names.note(name, problem.library))
            elif want.url:
                yield Passed(redacted(want.text), want.origin, "given by its address: it was not judged")
    for line in problem.request.lines:
        yield Passed(redacted(line), FILE, "for the package installer")


def _all(problem: Problem, hosts: Sequence[Host], library: Library) -> Iterator[Pick]:
    """Every build that fits, each taken with the best of what goes with it."""
    for name in problem.asked():
        for candidate in problem.field(name).candidates:
            if combination := problem.solve_with(name, candidate):
                asked = problem.asked()
                yield picks_of(combination, hosts, library, [problem.words[one] for one in asked])[asked.index(name)]
