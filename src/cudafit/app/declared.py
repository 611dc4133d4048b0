"""What files ask for: those that are named, or those of the project in this folder."""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.app.lock_age import older_locks
from cudafit.errors import InputError, UndeterminedError
from cudafit.lock.quoted.kinds import LOCKS
from cudafit.model.declaration import Bound, Chosen, Declaration, Index, Local, Source
from cudafit.model.frameworks import TORCH
from cudafit.model.frozen import frozen
from cudafit.model.installs import variant_of_index
from cudafit.model.requirement import Wanted, normalised
from cudafit.project.imports import imported
from cudafit.project.installer_lines import is_folder_of_files
from cudafit.project.kinds import KINDS, OF_CODE, described, read_declaration
from cudafit.project.nearby import read_nearby
from cudafit.project.python_version import of_folder
from cudafit.system.secrets import redacted

ALL = (*KINDS, *LOCKS)
_DEPTH = 8  # of code that needs other code beside it


@frozen
class Declared:
    """`lines` are what only an installer understands, as `--index-url`. `notes` say what was read and what was left,
    `warnings` what was not understood."""

    wanted: tuple[Wanted, ...] = ()
    lines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    python: tuple[Bound, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    conda: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def from_imports(known: Collection[str]) -> Declared:
    """What the code in this folder imports, of the packages that are known. Raises UndeterminedError for nothing."""
    found = imported(".", known)
    if not found:
        raise UndeterminedError("the code in this folder imports no package that is known here")
    said = ", ".join(f"{one.name} ({one.origin})" for one in found)
    note = f"by the imports of the code: {said}; its versions, and what else it needs, nobody has said"
    return Declared(found, notes=(note,))


def declared(files: tuple[str, ...], extras: Sequence[str] = (), groups: Sequence[str] = ()) -> Declared:
    """Raises InputError for a file that cannot be read, UndeterminedError where files are there, and what they need
    cannot be told without running them."""
    extras, groups = tuple(map(normalised, extras)), tuple(map(normalised, groups))
    reader = _Reader(extras, groups)
    if files:
        for path in files:
            reader.take_named(path)
    else:
        nearby = read_nearby(kinds=ALL, named=(*extras, *groups))
        if nearby is None:
            _refuse_unknown(reader, "no file here")
            return Declared()
        if not nearby.declarations:
            raise _untold("this folder", nearby.left)
        reader.notes += [f"left {told}" for told in nearby.left]
        for one in nearby.declarations:
            reader.take(one)
            reader.warnings += older_locks(one, ".")
        reader.python = list(nearby.python)
    _refuse_unknown(reader, ", ".join(files) or "the project")
    made = reader.made(files or tuple(nearby.files if nearby else ()))
    if not made.wanted:
        passed = [f"`{line}` tells nothing that could be looked at" for line in made.lines]
        raise _untold(", ".join(made.files), (*made.warnings, *passed))
    return made


def _untold(what: str, why: Sequence[str]) -> UndeterminedError:
    """Nothing that looks like an answer, where nobody knows the question."""
    return UndeterminedError(
        f"what {what} needs could not be told",
        cause=why or ("it asks for nothing",),
        hint="name it: `cudafit resolve torch`, or a file with `-r FILE`; `--from-imports` looks at the code",
    )


def _refuse_unknown(reader: "_Reader", where: str) -> None:
    """Raises InputError for an extra or a group that nothing declares."""
    for option, names, known in (
        ("--extra", reader.extras, reader.known_extras),
        ("--group", reader.groups, reader.known_groups),
    ):
        for name in names:
            if name not in known:
                cause = [f"there are: {', '.join(sorted(known))}"] if known else []
                raise InputError(f"`{option} {name}`: {where} has none of this name", cause=cause)


class _Reader:
    """What was found in some declarations."""

    def __init__(self, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
        self.extras = extras
        self.groups = groups
        self.known_extras: set[str] = set()
        self.known_groups: set[str] = set()
        self.wanted: list[Wanted] = []
        self.lines: list[str] = []
        self.python: list[Bound] = []
        self.chosen: list[Chosen] = []
        self.conda: list[bool] = []
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def take_named(self, path: str) -> None:
        one = read_declaration(path, named=True, kinds=ALL)
        if one is None:
            raise InputError(f"`{path}` declares nothing that is understood", cause=[f"known are {described(ALL)}"])
        self.take(one)
        self.python += of_folder(os.path.dirname(path) or ".")

    def take(self, one: Declaration, extras: tuple[str, ...] | None = None, above: tuple[str, ...] = ()) -> None:
        """With the extras and groups that were asked for, or those by which other code names it."""
        outer = extras is None
        extras = self.extras if extras is None else extras
        if outer:
            self.known_extras |= set(one.extras)
            self.known_groups |= set(one.groups)
            self.conda.append(one.conda)
            self._tell_default_groups(one)
        groups = self.groups if outer else ()
        wanted = list(_with_own_extras(one, extras, groups))
        wanted = list(self._from_sources(one, wanted, extras, groups, above))
        self.wanted += wanted
        self.python += one.python
        self.chosen += one.chosen
        self.warnings += one.unread
        self._take_indexes(one)
        self.lines += [line for line in one.lines if line not in self.lines]
        for code in one.local:
            if not self._take_local(code, above):
                self.lines.append(_from_here(code))

    def _tell_default_groups(self, one: Declaration) -> None:
        others = [name for name in one.default_groups if normalised(name) not in (*self.groups, "dev")]
        if others and one.groups:
            named = " ".join(f"--group {name}" for name in others)
            self.notes.append(f"uv installs the default groups of {one.path} as well: `{named}` asks for them here")

    def _from_sources(
        self,
        one: Declaration,
        wanted: Sequence[Wanted],
        extras: tuple[str, ...],
        groups: tuple[str, ...],
        above: tuple[str, ...],
    ) -> Iterator[Wanted]:
        """Where single packages come from: an index that chooses the build, a place of its own, code beside."""
        urls = {index.name: index for index in one.indexes if index.name}
        own: dict[str, str] = {}
        left: set[str] = set()
        names = {want.name for want in wanted}
        for source in one.sources:
            if (source.extra and source.extra not in extras) or (source.group and source.group not in groups):
                continue
            if source.package not in names:
                self._tell_unused(one, source, urls)
                continue
            if source.index:
                address = urls[source.index].url if source.index in urls else source.index
                if variant := variant_of_index(address):
                    self.chosen.append(Chosen(variant, source.origin, source.package, source.marker))
                elif "://" in address and not _is_default(address):
                    self.notes.append(
                        f"{source.package} comes from {redacted(address)} ({source.origin}), which was not asked"
                    )
            elif source.address and not source.marker:
                own[source.package] = source.address
            elif source.local:
                path = os.path.normpath(os.path.join(os.path.dirname(one.path), source.local))
                told = tuple(extra for want in wanted if want.name == source.package for extra in want.extras)
                beside = Local(path, told, source.origin, source.local)
                if path != (os.path.dirname(one.path) or ".") and not self._take_local(beside, above):
                    self.warnings.append(f"{source.origin}: {source.package} is code in `{source.local}`: not read")
                left.add(source.package)
        for want in wanted:
            if want.name in own and not want.url:
                yield replace(want, url=own[want.name], text=_at(want, own[want.name]))
            elif want.name not in left and want.name != one.name:
                yield want

    def _tell_unused(self, one: Declaration, source: Source, urls: Mapping[str, Index]) -> None:
        """A source of what only comes through others: uv and Poetry take it for the project's own dependencies; PDM's
        `include_packages` is for all. Sources: uv's documentation, "Dependency sources"; Poetry's, "Repositories"."""
        optional = {want.name for wants in (*one.extras.values(), *one.groups.values()) for want in wants}
        if one.kind == "pdm" or not source.index or source.package in optional:
            return
        if variant := variant_of_index(urls[source.index].url if source.index in urls else source.index):
            self.warnings.append(
                f"{source.origin}: {source.package} is to come from the index for {variant}, and is no dependency of "
                f"the project itself, for which alone a source counts: name `{source.package}` among the dependencies"
            )

    def _take_indexes(self, one: Declaration) -> None:
        named = {source.index for source in one.sources}
        for index in one.indexes:
            variant = variant_of_index(index.url)
            if index.explicit or (index.name and index.name in named and not index.default):
                continue  # it is for those alone that name it
            if variant:
                self.chosen.append(Chosen(variant, index.origin))
            elif is_pytorch(index.url):
                self.notes.append(
                    f"PyTorch's own list of files ({index.origin}) is not needed: each build has its index"
                )
            elif is_folder_of_files(index):
                self.lines.append(index.name)
            elif "://" in index.url and not _is_default(index.url):
                option = "--index-url" if index.default else "--extra-index-url"
                self.lines.append(f"{option} {index.url}")
            elif "://" not in index.url:
                self.warnings.append(f"{index.origin}: `{index.url}` is no address of an index")

    def _take_local(self, code: Local, above: tuple[str, ...]) -> bool:
        """What code beside needs; the code itself is no package of any index."""
        real = os.path.realpath(code.path)
        if real in above:
            return True
        if len(above) > _DEPTH:
            raise InputError(f"{code.origin}: `{code.line}` is named by more than {_DEPTH} others in a row")
        nearby = read_nearby(code.path, kinds=OF_CODE, named=tuple(map(normalised, code.extras)))
        if nearby is None:
            return False
        for one in nearby.declarations:
            self.take(one, tuple(map(normalised, code.extras)), (*above, real))
        if not nearby.declarations:
            self.warnings += [f"{code.origin}: `{code.line}`: {why}" for why in nearby.left]
            return False
        self.notes.append(f"`{code.line}` ({code.origin}) is code of your own: what it needs is part of the answer")
        return True

    def made(self, files: tuple[str, ...]) -> Declared:
        return Declared(
            tuple(dict.fromkeys(self.wanted)),
            tuple(dict.fromkeys(self.lines)),
            files,
            tuple(dict.fromkeys(self.python)),
            tuple(dict.fromkeys(self.chosen)),
            bool(self.conda) and all(self.conda),
            tuple(dict.fromkeys(self.notes)),
            tuple(dict.fromkeys(self.warnings)),
        )


def _with_own_extras(one: Declaration, extras: Iterable[str], groups: Iterable[str]) -> Iterator[Wanted]:
    """An extra may name others of the project itself: `all = ["name[gpu]"]`."""
    yield from one.wanted
    seen: set[str] = set()
    queue = [*extras]
    found: list[Wanted] = [want for name in groups for want in one.groups.get(name, ())]
    while queue or found:
        for want in found:
            if want.name == one.name:
                queue += map(normalised, want.extras)
            else:
                yield want
        found = []
        for name in queue:
            if name not in seen:
                seen.add(name)
                found += one.extras.get(name, ())
        queue = []


def _from_here(code: Local) -> str:
    """Its line, with the path as it is from where one is, for a file in another folder that names it."""
    match = re.fullmatch(r"((?:-e|--editable)[ =]*|)([^\s\[;=][^\s\[;]*)(\[[^\]]*\])?", code.line)
    if match is None or os.path.normpath(match[2]) == os.path.normpath(code.path):
        return code.line
    path = os.path.normpath(code.path)
    here = path if os.path.isabs(path) or path.startswith("..") else os.path.join(".", path)
    return f"{match[1]}{here}{match[3] or ''}"


def _at(want: Wanted, address: str) -> str:
    extras = f"[{','.join(want.extras)}]" if want.extras else ""
    marker = f" ; {want.marker}" if want.marker else ""
    return f"{want.name}{extras} @ {address}{marker}"


def is_pytorch(url: str) -> bool:
    return re.match(r"https?://download(-r2)?\.pytorch\.org/", url) is not None


def _is_default(url: str) -> bool:
    """Whether an address is that of the default index, whose own address is what pip or uv is configured with."""
    from cudafit.simple_index import is_everybodys  # noqa: PLC0415 - for projects that name an index

    return is_everybodys(url)


OF_PYTORCH = (*TORCH.builds, *TORCH.companions)
