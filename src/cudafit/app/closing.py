"""A request with what its packages need: of a project that names no framework, what stands on one tells which."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cudafit.app.pinned_python import bound_by_pins
from cudafit.errors import CudafitError, UndeterminedError
from cudafit.indexes import Indexes, configured
from cudafit.lock.conflicts import before_any_fit, in_conflict
from cudafit.lock.graph import Graph, Sought, for_another_python, graph
from cudafit.lock.lines import option_of
from cudafit.lock.uv import UvError
from cudafit.matrix.harvest.released import Needs, Released
from cudafit.model.fit import NO_FIT, Resolution, Target
from cudafit.model.frameworks import LEADING, OF_THE_CPU
from cudafit.model.frozen import frozen
from cudafit.model.requirement import NEEDED_BY, Wanted, applies, name_in, wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.closing import brought_in, needed_by, stated, with_extra, with_public
from cudafit.resolve.host import Host
from cudafit.resolve.names import refuse_absent
from cudafit.resolve.problem import Book, Library
from cudafit.resolve.request import Request
from cudafit.system.commands import command_text

_TRIES = 3
_FOR_THE_GPU = {**OF_THE_CPU, "faiss-cpu": "faiss-gpu-cu12"}
_MOST_ROOTS = 12  # of which the index is asked once more


@frozen
class Closed:
    """`unseen` say what could not be looked at, `notes` what else is to be known."""

    request: Request
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def closed(request: Request, machines: Sequence[Host], book: Book, *, offline: bool = False) -> Closed:
    """Raises CudafitError where what was asked for does not go together whatever the machine.

    First with the newest of everything, whose needs then limit the fit; where nothing fits so, with the versions that
    fit by themselves, to which the others must go back.
    """
    library = Library(book)
    foreign = [one for one in request.wanted if not (one.constraint or one.url or library.knows(one.name))]
    if not foreign:
        return Closed(request)
    try:
        first = resolve(request, machines, book)
    except UndeterminedError:
        return Closed(request)  # it is raised where the answer is made
    solver = _Solver(request, library, first, configured(), offline)
    try:
        found = solver.closed(machines, book)
        bound = solver.bound_by_pins(machines, book)
        return closed(bound, machines, book, offline=offline) if bound else found
    except UvError as error:
        if bound := solver.bound_by_pins(machines, book, for_another_python(error.told)):
            return closed(bound, machines, book, offline=offline)
        if not error.is_unanswered and not offline:
            raise before_any_fit(error, request.wanted, solver.learnt(error)) from None
        what = "`--offline` asks no index" if offline else "no index answers"
        if index := error.wants_login:
            what = f"{index} wants a login, which uv takes from ~/.netrc or from the address"
        listed = ", ".join(f"`{one.name}`" for one in foreign)
        return Closed(request, (f"what {listed} need{'s' if len(foreign) == 1 else ''} was not looked at: {what}",))


class _Solver:
    """For one request."""

    def __init__(self, request: Request, library: Library, first: Resolution, indexes: Indexes, offline: bool) -> None:
        self.request = request
        self.library = library
        self.first = first
        self.indexes = indexes
        self.offline = offline
        self.unread: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        self.without_wheel: dict[str, None] = {}
        self.foreign: dict[str, None] = {}
        self.of_the_cpu: dict[str, str] = {}
        self.through: dict[str, str] = {}  # ours that came in, and one that needs each
        self.versions: dict[str, str] = {}
        self.built: dict[str, tuple[Needs, str]] = {}  # where they are installed, and with which framework
        self.released = Released(indexes.default)

    def closed(self, machines: Sequence[Host], book: Book) -> Closed:
        request = self._first()
        refuse_absent(self.request, tuple(self.missing), self.library)
        answer = resolve(request, machines, book)
        if answer.status == NO_FIT and request != self.request:
            request = self._from_the_fit(request, machines, book) or request
        unseen = [
            f"what `{one}` needs was not looked at: it has no wheel, and its source does not say" for one in self.unread
        ]
        unseen += [f"what `{one}` needs was not looked at: no index has it" for one in self.missing]
        unseen += map(self._of_another_system, self.foreign)
        given = [one.name for one in self.request.wanted if one.url and not self.library.knows(one.name)]
        unseen += [f"what `{one}` needs was not looked at: it is given by its address" for one in given]
        unseen += [f"what `{line}` needs was not looked at" for line in self.request.lines if _is_folder(line)]
        # Of what was not looked at nobody knows what it needs.
        notes = [*self._for_the_cpu(), *self._of_builds(), *(() if unseen else self._optional(request))]
        asked = {one.name for one in self.request.wanted if not one.constraint}
        return Closed(replace(request, built=tuple(asked & {*self.built})), tuple(unseen), tuple(notes))

    def _of_builds(self) -> Iterator[str]:
        """An installer builds with nothing but what the build asks for: with no torch, or with another one."""
        asked = {one.name: one for one in self.request.wanted if not one.constraint}
        for name, (found, framework) in self.built.items():
            told = f"{name} {found.version} has no wheel here, and its build imports {framework}"
            others = [one for one in found.build if name_in(one) != framework]
            if want := asked.get(name):
                first = f"`{command_text('uv', 'pip', 'install', *others)}` and " if others else ""
                command = command_text("uv", "pip", "install", "--no-build-isolation", want.text)
                yield f"{told}: install the others first, then {first}`{command}`"
            else:
                yield f"{told}: with {framework} installed first, add `--no-build-isolation-package {name}` to the line"

    def _for_the_cpu(self) -> Iterator[str]:
        """What comes through others as the build for the CPU, by the name that it has then."""
        for name, by in self.of_the_cpu.items():
            told = f"{name} {self.versions[name]} comes through {by}: the build for the CPU"
            yield f"{told}; `{_FOR_THE_GPU[name]}` beside it would fill the same folder"

    def _of_another_system(self, name: str) -> str:
        """An installer stops there, and so would uv with a lock."""
        said = next((one for one in self.request.wanted if one.name == name and not one.constraint), None)
        platform = self.first.targets[0].platform
        system = "win32" if platform.startswith("linux") else "linux"
        told = f"`{said.text}` ({said.origin})" if said else f"`{name}`, which something else needs,"
        way = f'; with a marker (`{said.text} ; sys_platform == "{system}"`) it is left out here' if said else ""
        return f"{told} has no wheel for {platform}, and cannot be installed here{way}"

    def learnt(self, error: UvError) -> tuple[Wanted, ...]:
        """What the packages need of ours all the same, where what was asked for does not go together: without the
        bounds that stand in the conflict, then without any, then each by itself. Raises nothing."""
        if not error.is_conflict or self.offline:
            return ()
        asked = self.request.wanted
        for bound in (in_conflict(error, asked), asked):
            free = [_of_any_version(one) if one in bound and not one.url else one for one in asked]
            found = self._brought(tuple(dict.fromkeys(free)))
            if found is not None:
                break
        else:
            roots = [one for one in asked if not (one.constraint or one.url or self._is_ours(one))][:_MOST_ROOTS]
            found = tuple(more for one in roots for more in self._brought((one,)) or ())
        named = {one.name for one in (*found, *asked)}
        return (*dict.fromkeys(found), *(self._through(name) for name in self.through if name not in named))

    def _brought(self, wants: tuple[Wanted, ...]) -> tuple[Wanted, ...] | None:
        """What they need of ours; None where they do not go together."""
        try:
            found = self._limited(replace(self.request, wanted=wants)).wanted
        except CudafitError:
            return None
        return tuple(one for one in found if one not in self.request.wanted)

    def _through(self, name: str) -> Wanted:
        """What comes with a package that is ours itself, as vllm's flashinfer."""
        by = self.through[name]
        return Wanted(name, "", (), name, needed_by(by, self.versions.get(by, "")), constraint=True)

    def bound_by_pins(self, machines: Sequence[Host], book: Book, others: Sequence[str] = ()) -> Request | None:
        """Where what is pinned has no wheel for the Python that nobody asked for: with the Python that it has."""
        names = (*self.without_wheel, *others)
        if self.offline or not names:
            return None
        platform = self.first.targets[0].platform
        bound = bound_by_pins(self.request, names, self.released, platform, self.first.python)
        return bound if bound and resolve(bound, machines, book).status != NO_FIT else None

    def _first(self) -> Request:
        """With the newest of everything. Of ours the default index may lack what is asked for, which others have."""
        try:
            return self._limited(self.request)
        except UvError as error:
            if error.is_unanswered or not any(map(self._is_ours, self.request.wanted)):
                raise
        bare = [
            _of_any_version(one) if self._is_ours(one) and not one.url else one
            for one in self.request.wanted
            if not (self._is_ours(one) and one.constraint)
        ]
        return self._limited(replace(self.request, wanted=tuple(bare)))

    def _is_ours(self, want: Wanted) -> bool:
        return self.library.knows(want.name)

    def _limited(self, sought: Request) -> Request:
        """The user's own request with the limits that come of `sought`."""
        found: dict[Wanted, None] = {}
        for target in self.first.targets:
            found |= dict.fromkeys(self._wants(sought, target))
        return replace(self.request, wanted=(*self.request.wanted, *found))

    def _wants(self, sought: Request, target: Target) -> tuple[Wanted, ...]:
        python = self.first.python
        asked = [one for one in sought.wanted if applies(one, target.platform, python) and not one.url]
        asked += self.library.agreements.held_back(asked)
        standing: list[Wanted] = []
        excluded: list[str] = []
        read: set[str] = set()
        while True:
            whole = [one for one in asked if one.name not in excluded] + standing
            got = self._as_new_as_can_be(
                Sought(
                    tuple(whole),
                    tuple(_options(sought.lines)),
                    python,
                    target,
                    self.indexes,
                    self.offline,
                    tuple(excluded),
                )
            )
            told = self._of_sources(asked, got)
            excluded += [name for name in (*got.unread, *got.missing, *got.foreign) if name not in excluded]
            self.foreign |= dict.fromkeys(got.foreign)
            self.missing |= dict.fromkeys(got.missing)
            self.without_wheel |= dict.fromkeys(got.unread)
            if not told:
                break
            for name, found in told.items():
                extras = {extra for one in asked if one.name == name for extra in one.extras}
                origin = needed_by(name, found.version)
                standing += stated(found.requires, origin, target.platform, python, extras=extras)
                excluded += [name] if name not in excluded else []
                read |= {name} if found.is_told else set()
                if framework := _of_its_build(found):
                    self.built[name] = (found, framework)
                    if not any(one.name == framework and _is_of(one, name) for one in standing):
                        standing.append(Wanted(framework, "", (), framework, origin))
        self.versions |= {node.name: node.version for node in got.nodes}
        self.through |= {one.name: one.by[0] for one in got.nodes if one.by and self.library.knows(one.name)}
        self.of_the_cpu |= {one.name: ", ".join(one.by) for one in got.nodes if one.name in _FOR_THE_GPU and one.by}
        unknown = [name for name in excluded if name not in read]
        self.unread |= dict.fromkeys(name for name in unknown if name not in (*self.missing, *self.foreign))
        brought = brought_in(
            got.nodes,
            {one.name for one in asked if not one.constraint},
            self.library.knows,
            self._needs,
            target.platform,
            python,
            standing,
        )
        return (*brought, *self.library.agreements.limits_of({node.name: node.version for node in got.nodes}))

    def _optional(self, request: Request) -> Iterator[str]:
        """Where nothing of ours is needed: what would be with an extra."""
        if any(self.library.knows(one.name) for one in request.wanted):
            return
        told = "nothing of this needs a framework"
        for one in request.wanted:
            needs = self._needs(one.name, self.versions.get(one.name, "")) or ()
            if option := with_extra(needs, self.library.knows):
                told += f"; with `{one.name}[{option[0]}]` it would be {option[1]}"
                break
        yield told

    def _needs(self, name: str, version: str) -> tuple[str, ...] | None:
        found = None if self.offline else self.released.of(name, version)
        return found.requires if found else None

    def _as_new_as_can_be(self, sought: Sought) -> Graph:
        """To have wheels alone, uv goes back to releases of years ago. Of what was asked for it is told to stay beyond
        them, and says so what stands in the way: a package without a wheel, which is left out, or a real conflict."""
        got = graph(sought)
        typed = self.request.wanted
        roots = [one for one in sought.wanted if one in typed and not (one.constraint or self._is_ours(one))]
        for one in roots if len(roots) <= _MOST_ROOTS and not self.offline else ():
            # Above one wheel of years ago there may be another one, as above deepspeed's 0.3.1.dev3.
            for _ in range(_TRIES):
                version = {node.name: node.version for node in got.nodes}.get(one.name)
                if version is None or not self.released.has_newer(one.name, one.specifier, version):
                    break
                floor = wanted(f"{one.name}>{version}", "newer", constraint=True)
                higher = replace(sought, wanted=(*sought.wanted, floor))
                try:
                    got, sought = graph(higher), higher
                except UvError as error:
                    if error.is_unanswered:
                        raise
                    break
        return got

    def _of_sources(self, asked: Sequence[Wanted], got: Graph) -> dict[str, Needs]:
        """What packages without a wheel need: no code is run to learn it."""
        if self.offline:
            return {}
        specifiers = {one.name: one.specifier for one in asked}
        found = {name: self.released.of_source(name, specifiers.get(name, "")) for name in got.unread}
        return {name: needs for name, needs in found.items() if needs}

    def _from_the_fit(self, request: Request, machines: Sequence[Host], book: Book) -> Request | None:
        """The newest that fit by themselves, and the others as far back as they must."""
        bare = tuple(
            one if one in self.request.wanted else _of_any_version(one)
            for one in request.wanted
            if one in self.request.wanted or not one.constraint
        )
        for _ in range(_TRIES):
            free = resolve(replace(request, wanted=bare), machines, book)
            if free.status == NO_FIT:
                return None
            pins = {pick.name: pick.version for pick in free.picks if pick.requested}
            try:
                again = self._limited(replace(self.request, wanted=with_public(self.request.wanted, pins)))
            except UvError as error:
                if error.is_unanswered:
                    raise
                return None
            if resolve(again, machines, book).status != NO_FIT:
                return again
            bare = tuple(dict.fromkeys((*bare, *again.wanted)))
        return None


def _of_any_version(want: Wanted) -> Wanted:
    return replace(want, specifier="", text=want.name)


def _of_its_build(found: Needs) -> str | None:
    """The framework with which a source archive is built."""
    names = {*found.imports, *(name_in(one) for one in found.build)}
    return next((one.name for one in LEADING if one.name in names), None)


def _is_of(want: Wanted, name: str) -> bool:
    return want.origin.startswith(f"{NEEDED_BY}{name} ")


def _options(lines: Sequence[str]) -> list[str]:
    """Of requirement files: those that tell where packages come from."""
    return [line for line in lines if line.startswith("-") and not _is_folder(line) and line != "--require-hashes"]


def _is_folder(line: str) -> bool:
    """Of code that is to be built: what it needs only its build would tell."""
    return not line.startswith("-") or option_of(line)[0] in ("-e", "--editable")
