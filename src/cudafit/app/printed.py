"""`resolve --print`: the answer as one line, in the words of another installer, for scripts."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cudafit.errors import CudafitError
from cudafit.indexes import Indexes, configured
from cudafit.model.fit import NO_FIT, Pick, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build, Facts
from cudafit.resolve.answer import CONSTRAINT_NOTE, resolve
from cudafit.resolve.command import built_later, files_of_pip, left_to_it, option_words
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Book
from cudafit.resolve.pythons import has_wheel
from cudafit.resolve.request import Request
from cudafit.resolve.versions import admits, parsed
from cudafit.system.commands import joined
from cudafit.system.secrets import without_login

UV, PIP, CONDA, INDEX_URL, REQUIREMENTS = "uv", "pip", "conda", "index-url", "requirements"
FORMS = (UV, PIP, CONDA, INDEX_URL, REQUIREMENTS)
_PYTORCH = "pytorch-"
_RANK = {"native": 0, "minor": 1, "forward": 2}


@frozen
class Answered:
    """A request with its answer, and the facts that it is from."""

    request: Request
    resolution: Resolution
    machines: Sequence[Host]
    book: Book


def line_of(form: str, answered: Answered, say: Callable[[str], None]) -> str:
    """The one line; raises CudafitError where the form cannot say the answer. `say` is for what stands beside it."""
    answer = answered.resolution
    for warning in answer.warnings:
        say(f"warning: {warning}")
    for note in answer.notes:
        if "--no-build-isolation" in note:
            say(f"note: {note}")
    if answer.before and form in (UV, PIP, REQUIREMENTS):
        say(f"note: there is no environment here: `{joined(answer.before)}` makes one")
    if form == CONDA:
        return _conda(answer)
    if not (answer.command or answer.picks):
        raise CudafitError("nothing of what was asked for is left to install")
    if form == UV:
        return joined(answer.command)
    indexes = configured(os.environ)
    if form == PIP:
        return joined(_pip(answered, indexes))
    if form == INDEX_URL:
        return _index_url(answered, indexes)
    return _requirements(answered, indexes, say)


def _conda(answer: Resolution) -> str:
    """Into the environment that is active."""
    words = list(answer.command)
    return joined(["conda", "install", *words[words.index("-c") :]])


def _pip(answered: Answered, indexes: Indexes) -> list[str]:
    """pip looks for each package on every index that it is told of: one of PyTorch's is told alone where it has all
    that is asked for, and beside the default one where its builds are told apart by their `+cu126`."""
    answer = answered.resolution
    picks = _told(answered)
    passed, files = _strangers(answered), _files(answered)
    options = [] if files else [word for line in answered.request.lines for word in option_words(line)]
    words = ["pip", "install", *(pick.requirement for pick in picks)]
    words += [one.requirement for one in answer.constraints] + passed
    words += [word for file in files for word in ("-r", file)] + options
    extra = _extra(picks)
    if not extra:
        return words
    url = _url(extra, indexes)
    if all(pick in extra for pick in picks) and not (passed or files or options):
        return [*words, "--index-url", url]
    if unmarked := [pick.requirement for pick in extra if "+" not in pick.requirement]:
        raise CudafitError(
            f"pip may take `{unmarked[0]}` from another index: its version does not tell them apart",
            hint="`--print uv` says it for uv, which takes PyTorch's packages from the one that is told; or write a"
            " lock: `-o requirements.txt`",
        )
    return [*words, "--extra-index-url", url]


def _index_url(answered: Answered, indexes: Indexes) -> str:
    """The index of PyTorch's whose newest builds fit: where a version was not typed, pip takes the newest."""
    answer = answered.resolution
    asked = [pick for pick in answer.picks if pick.requested]
    files = _files(answered)
    strangers = _strangers(answered) + ([f"-r {file}" for file in files] or list(answered.request.lines))
    has = {name for pick in asked for name in [pick.name] if _on_pytorch(answered.book, name)}
    others = [pick.requirement for pick in asked if pick.name not in has] + strangers
    if not has:
        raise CudafitError(
            f"{', '.join(f'`{one}`' for one in others)}: all from the default index, so there is no other to name",
            hint="`--print pip` says it with the versions and the extras that bring CUDA",
        )
    if others:
        raise CudafitError(
            f"one index does not have it all: {', '.join(f'`{one}`' for one in others)} from the default one,"
            f" {', '.join(sorted(has))} from one of PyTorch's",
            hint="`--print pip` says it with both",
        )
    best = max(_whole(answered), key=lambda found: found[0], default=None)
    if best is None:
        pinned = " ".join(pick.requirement for pick in asked)
        raise CudafitError(
            f"what fits is not the newest of its index: without its version pip would take another than `{pinned}`",
            hint="`--print pip` says it with the version; or type the version here and there",
        )
    return without_login(indexes.of(best[1].index_name, best[1].index))


def _whole(answered: Answered) -> Iterator[tuple[tuple[object, ...], Pick]]:
    """Each of PyTorch's indexes from which pip would take what fits, with how good that is."""
    request, answer = answered.request, answered.resolution
    asked = [pick.name for pick in answer.picks if pick.requested]
    names = {build.index for name in asked for build in answered.book.builds(name)}
    for index in sorted(name for name in names if name.startswith(_PYTORCH)):
        alone = _Alone(answered, index)
        if not all(alone.builds(name) for name in asked):
            continue
        found = resolve(replace(request, python=answer.python), list(answered.machines), alone)
        if found.status != answer.status or found.status == NO_FIT:
            continue
        picks = [pick for pick in found.picks if pick.requested]
        versions = tuple(parsed(pick.version) for pick in picks)
        rank = -max(_RANK.get(pick.compat or "", 0) for pick in picks)
        verified = all(pick.verified for pick in picks)
        yield (versions, verified, rank, picks[0].variant), picks[0]


class _Alone:
    """A book of which pip sees the newest builds of one index."""

    def __init__(self, answered: Answered, index: str) -> None:
        self._below = answered.book
        self._index = index
        self._python = answered.resolution.python
        self._platforms = {target.platform for target in answered.resolution.targets} | {"any"}
        self._wanted = answered.request.wanted
        self.version = answered.book.version
        self.packages = answered.book.packages
        self.told = answered.book.told

    def builds(self, name: str) -> tuple[Build, ...]:
        every = self._below.builds(name)
        if not any(build.index.startswith(_PYTORCH) for build in every):
            return every
        specifiers = [want.specifier for want in self._wanted if want.name == name]
        here = [
            build
            for build in every
            if build.index == self._index
            and build.platform in self._platforms
            and has_wheel(build.pythons, build.requires_python, self._python)
            and all(admits(specifier, build.version) for specifier in specifiers)
            and not parsed(build.version).is_prerelease
        ]
        newest = max((parsed(build.version) for build in here), default=None)
        return tuple(build for build in here if parsed(build.version) == newest)

    def facts(self, *lists: str) -> Facts:
        return self._below.facts(*lists)


def _requirements(answered: Answered, indexes: Indexes, say: Callable[[str], None]) -> str:
    """Words for `pip install $(…)`: a shell that puts them in takes no quotes away, so none holds a space."""
    answer = answered.resolution
    picks = _told(answered)
    found = [pick.requirement for pick in picks] + [one.requirement for one in answer.constraints]
    passed = [one for one in answer.passed if one.note != CONSTRAINT_NOTE]
    found += [_tight(one) for one in left_to_it(passed, (), built_later(answer.picks, answered.request))]
    if spaced := [one for one in found if " " in one]:
        raise CudafitError(f"`{spaced[0]}` is not a single word", hint="write a file: `-o requirements.txt`")
    if extra := _extra(picks):
        say(f"note: {', '.join(pick.name for pick in extra)} from {_url(extra, indexes)}")
    return " ".join(found)


def _tight(requirement: str) -> str:
    return requirement.replace(" ", "") if " and " not in requirement and " or " not in requirement else requirement


def _told(answered: Answered) -> list[Pick]:
    """What must be told: what was asked for, and what else is not on the default index."""
    answer = answered.resolution
    later = built_later(answer.picks, answered.request)
    told = [pick for pick in answer.picks if pick.requested or pick.index_name.startswith(_PYTORCH)]
    return [pick for pick in told if pick.name not in later]


def _files(answered: Answered) -> list[str]:
    return files_of_pip(answered.request, built_later(answered.resolution.picks, answered.request))


def _strangers(answered: Answered) -> list[str]:
    """What is left to pip, and stands in no file that it reads."""
    passed = [one for one in answered.resolution.passed if one.note != CONSTRAINT_NOTE]
    return left_to_it(passed, _files(answered), built_later(answered.resolution.picks, answered.request))


def _extra(picks: Sequence[Pick]) -> list[Pick]:
    """What comes from one of PyTorch's indexes; raises CudafitError where it is more than one."""
    found = [pick for pick in picks if pick.index_name.startswith(_PYTORCH)]
    if len({pick.index_name for pick in found}) > 1:
        listed = ", ".join(f"`{pick.requirement}` from {pick.index_name}" for pick in found)
        raise CudafitError(f"it takes more than one index: {listed}", hint="write a lock: `-o requirements.txt`")
    return found


def _url(extra: Sequence[Pick], indexes: Indexes) -> str:
    return without_login(indexes.of(extra[0].index_name, extra[0].index))


def _on_pytorch(book: Book, name: str) -> bool:
    return any(build.index.startswith(_PYTORCH) for build in book.builds(name))
