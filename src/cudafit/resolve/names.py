"""Names of packages that people get wrong, and what they meant."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cudafit.errors import InputError
from cudafit.model.frameworks import CONDA_KINDS, OF_CONDA
from cudafit.model.requirement import COMMAND_LINE, Wanted, normalised
from cudafit.resolve.problem import Book, Library
from cudafit.resolve.request import Request
from cudafit.system.commands import command_text

_WRONG, _ANOTHER = "wrong", "another"
# Of a short name every other word is near: there only what a hand does by mistake counts, two letters the other way
# round or one typed twice. Of a long one two mistakes count.
_SHORT, _LONG = 3, 10
_SLIGHTLY = 0.7
_KIND = re.compile(r"-(cpu|gpu)$")


def check(request: Request, library: Library) -> None:
    """Raises InputError for a name that must not be installed, and where a misspelt one is all there is."""
    for want in request.wanted:
        if request.conda and is_of_conda(want.name):
            continue
        if row := library.named(want.name, _WRONG):
            raise InputError(
                f"`{want.name}` is not the package that you want{_where(want)}",
                cause=[row.note or f"the package is called {' or '.join(row.means)}"],
                hint=f"`{_without_condas(request, want, row.means[0])}`" if row.means else None,
            )
        if local := next((extra for extra in want.extras if re.fullmatch(r"cuda\d*[-_]local", extra)), None):
            extra = re.split("[-_]", local)[0]
            raise InputError(
                f"`{want.text}` takes the CUDA libraries of the machine, and cudafit picks builds that bring theirs",
                hint=f"`{_again(request, want, f'{want.name}[{extra}]')}`",
            )
    if any(library.knows(want.name) for want in request.wanted):
        return
    for want in request.wanted:
        if close := _closest(want.name, library):
            raise _misspelt(request, want, close)


def refuse_misspelt(request: Request, library: Library) -> None:
    """Raises InputError for what was typed and is nearly the name of a package of ours: of such names strangers make
    packages. A file has been used before, and may say it."""
    for want in request.wanted:
        if want.origin != COMMAND_LINE or want.constraint or want.url or library.knows(want.name):
            continue
        if close := _closest(want.name, library):
            raise _misspelt(request, want, close, f"`{want.name}` itself, if there is one: with `--yes`")


def refuse_absent(request: Request, names: Sequence[str], library: Library) -> None:
    """Raises InputError for what was typed and is on no index."""
    for want in request.wanted:
        if want.origin == COMMAND_LINE and want.name in names:
            near = _slightly_like(want.name, library)
            raise InputError(
                f"no index has a package `{want.name}`",
                hints=[
                    *([f"`{_again(request, want, near)}`, if `{near}` is meant"] if near else []),
                    "of an index of your own: name it in a file for `-r`, as `--extra-index-url`, or set UV_INDEX",
                ],
            )


def knows(book: Book) -> Callable[[str], bool]:
    """Whether a word is the name of a package that the facts tell of, right or wrong."""
    named = {row.name for row in book.facts("names").names}
    return lambda word: normalised(word) in book.packages or normalised(word) in named or is_of_conda(normalised(word))


def note(name: str, library: Library) -> str:
    """What to say of a package that is passed on."""
    if is_of_conda(name):
        return "conda's package for that kind of build"
    if row := library.named(name, "elsewhere", "dead"):
        return f"not in the matrix, passed on: {row.note}"
    if close := _closest(name, library):
        return f"not in the matrix, passed on; did you mean `{close[1]}`?"
    return "not in the matrix, passed on"


def _closest(name: str, library: Library) -> tuple[str, str] | None:
    """A name that is nearly this one, and the package of ours that it means; many names of others begin as ours do."""
    if library.named(name, _ANOTHER, _WRONG, "elsewhere", "dead") or is_of_conda(name):
        return None
    known = list(_known(library))
    for most in (1, 2):
        for said, meant in known:
            if said != name and _is_near(name, said, most):
                return said, meant
    return None


def is_of_conda(name: str) -> bool:
    """Whether it is one of conda's names of a framework."""
    return name in OF_CONDA or name in CONDA_KINDS


def _known(library: Library) -> Iterator[tuple[str, str]]:
    """What people write, and what it means. A name that ends in a number differs from others of its kind by that."""
    for name in library.book.packages:
        if not name[-1].isdigit():
            yield name, name
    for row in library.facts.names:
        if row.kind in ("stand-in", "cpu-of"):
            yield row.name, row.name
    yield from (("pytorch", "torch"), ("tensorflow-gpu", "tensorflow"))


def _is_near(name: str, known: str, most: int) -> bool:
    """By so many mistakes, of those that are allowed for a name of this length."""
    if _KIND.sub("", name) == _KIND.sub("", known):
        return False  # faiss-cpu beside faiss-gpu
    if len(known) <= _SHORT:
        doubled = {known[:i] + known[i] + known[i:] for i in range(len(known))}
        swapped = {known[:i] + known[i + 1] + known[i] + known[i + 2 :] for i in range(len(known) - 1)}
        return name in doubled | swapped
    if most > 1 and (len(known) < _LONG or "-" in known or name.startswith(known)):
        return False  # `tensorflowjs` has its name on purpose
    return _mistakes(name, known, most) <= most


def _mistakes(name: str, known: str, most: int) -> int:
    """Letters left out, put in, wrong or swapped with the next; more than `most` are not counted."""
    if abs(len(name) - len(known)) > most:
        return most + 1
    earlier: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(name, start=1):
        before_that, earlier, row = earlier, row, [i]
        for j, other in enumerate(known, start=1):
            fewest = min(earlier[j] + 1, row[j - 1] + 1, earlier[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and name[i - 2] == other:
                fewest = min(fewest, before_that[j - 2] + 1)
            row.append(fewest)
        if min(row) > most:
            return most + 1
    return row[-1]


def _slightly_like(name: str, library: Library) -> str | None:
    """For a name that nobody has: what is left of it without what names of builds are made of, or the likest one."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - for unknown names only

    plain = re.sub(r"[-_]?(cu|cuda|gpu|cpu|rocm)[-_]?\d*x?$", "", name)
    known = dict(_known(library))
    if plain in known:
        return known[plain]
    ratios = {one: SequenceMatcher(None, name, one).ratio() for one in known}
    best = max(ratios, key=lambda one: ratios[one], default=None)
    return known[best] if best is not None and ratios[best] >= _SLIGHTLY else None


def _misspelt(request: Request, want: Wanted, close: tuple[str, str], more: str | None = None) -> InputError:
    said, meant = close
    return InputError(
        f"the matrix has no package `{want.name}`{_where(want)}",
        cause=[f"`{said}` is one letter or two away" + (f", whose package is `{meant}`" if said != meant else "")],
        hints=[f"`{_again(request, want, meant)}`", *([more] if more else [])],
    )


def _again(request: Request, want: Wanted, name: str) -> str:
    """The command as it was meant."""
    said = [one for one in request.wanted if one.origin == COMMAND_LINE and not one.constraint]
    right = f"{name}{want.specifier}"
    words = [right if one is want else one.text for one in said] if want in said else [right]
    return command_text(*request.verb, *dict.fromkeys(words))


def _without_condas(request: Request, want: Wanted, name: str) -> str:
    """conda's `pytorch-cuda=12.1` says the CUDA, and no version of torch."""
    if want.name != "pytorch-cuda":
        return _again(request, want, name)
    bare = replace(want, specifier="")
    others = tuple(bare if one is want else one for one in request.wanted)
    cuda = want.specifier.lstrip("=").removesuffix(".*")
    return _again(replace(request, wanted=others), bare, name) + (f" --cuda {cuda}" if cuda else "")


def _where(want: Wanted) -> str:
    return "" if want.origin == COMMAND_LINE else f" ({want.origin})"
