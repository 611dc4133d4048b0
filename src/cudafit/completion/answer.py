"""The process behind the Tab key: `cudafit completion --words SHELL WORD… .BEGUN`, a line for each way to go on.

A line is the word, a tab and what it is; bash gets the words alone. The word begun has a dot before it, for there are
shells that leave empty words out. Whatever is wrong, nothing is said: the line that somebody types must stay as it is.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from cudafit.completion.files import KINDS, conda_names, files, glob_of, kernels
from cudafit.completion.words import Option, Table, Word, gpus, packages, table

CALL = ("completion", "--words")


def main(arguments: Sequence[str]) -> None:
    """Writes the lines to stdout, and never raises."""
    try:
        shell, *before, begun = arguments
        lines = list(lines_for(shell, [_plain(word) for word in before], _plain(begun[1:])))
        os.write(1, b"".join(os.fsencode(f"{line}\n") for line in lines))
    except BaseException:  # noqa: S110 - see above
        pass


def _plain(word: str) -> str:
    """Without the quotes and backslashes that a shell still has around it: bash and fish hand words over as typed."""
    if word[:1] in ("'", '"'):
        quote = word[0]
        word = word[1:].removesuffix(quote)
        return word if quote == "'" else word.replace('\\"', '"')
    return word if os.sep == "\\" else word.replace("\\", "")


def lines_for(shell: str, before: list[str], begun: str) -> Iterator[str]:
    cut = ""
    if shell == "bash":
        before, begun, cut = _joined(before, begun)
    found: dict[str, str] = {}
    for word, told in _Line(table(), before).goes_on(begun, ask_files=shell == "zsh"):
        found.setdefault(word, told)
    if shell == "bash":
        paths = _FILE in found.values()
        yield "files" if paths else "words"
        for word in found:
            yield (word.removesuffix("/") if paths else word)[len(cut) :]
        return
    for word, told in found.items():
        yield f"{word}\t{'' if told == _FILE else told}" if told or shell == "zsh" else word


def _joined(before: list[str], begun: str) -> tuple[list[str], str, str]:
    """bash takes `--gpu=RTX` and `cuda:0` for three words each, and replaces the last of them alone."""
    words: list[str] = []
    cut = ""
    glue = False
    for word in (*before, begun):
        signs = bool(word) and not word.strip("=:")
        if words and (signs or glue):
            words[-1] += word
        else:
            words.append(word)
        glue = signs
    if glue or (before and before[-1] and not before[-1].strip("=:")):
        cut = words[-1][: len(words[-1]) - (0 if glue else len(begun))]
    return words[:-1], words[-1], cut


_FILE = "\0"
_ASKED = ":files"  # zsh looks for files itself, of the names that come with it


class _Line:
    """What was typed before the word in question."""

    def __init__(self, words: Table, before: Sequence[str]) -> None:
        self.words = words
        self.path = ""
        self.typed: list[str] = []
        self.given: set[str] = set()
        self.waiting: Option | None = None
        self.closed = False
        for word in before:
            self._take(word)

    def _take(self, word: str) -> None:
        if self.waiting is not None:
            self.waiting = None
        elif self.closed:
            self.typed.append(word)
        elif word == "--":
            self.closed = True
        elif word.startswith("-") and word != "-":
            name, equals, _ = word.partition("=")
            option = self._option(name)
            if option is not None:
                self.given.update(option.names)
                self.waiting = option if option.kind and not equals else None
        elif not self.typed and any(word == name for name, _ in self.words.commands.get(self.path, ())):
            self.path = f"{self.path} {word}".strip()
        else:
            self.typed.append(word)

    def _option(self, name: str) -> Option | None:
        return next((one for one in self.words.options.get(self.path, ()) if name in one.names), None)

    def goes_on(self, begun: str, *, ask_files: bool) -> Iterator[Word]:
        if self.waiting is not None:
            yield from self._of_kind(self.waiting.kind, begun, "", ask_files)
            return
        if begun.startswith("-") and not self.closed:
            name, equals, value = begun.partition("=")
            if not equals:
                yield from self._options(begun)
            elif (option := self._option(name)) is not None and option.kind:
                yield from self._of_kind(option.kind, value, f"{name}=", ask_files)
            return
        found = [*_begun(self.words.commands.get(self.path, ()), begun)] if not self.typed else []
        found += self._places(begun, ask_files)
        yield from found
        if not found and not begun:
            yield from self._options("--")

    def _options(self, begun: str) -> Iterator[Word]:
        for option in self.words.options.get(self.path, ()):
            if option.repeated or not self.given.intersection(option.names):
                yield from _begun(((name, option.help) for name in reversed(option.names)), begun)

    def _places(self, begun: str, ask_files: bool) -> Iterator[Word]:
        kinds = self.words.places.get(self.path, ())
        if not kinds:
            return
        place = len(self.typed)
        if place >= len(kinds) and not kinds[-1].endswith("*"):
            return
        for kind in kinds[min(place, len(kinds) - 1)].removesuffix("*").split("+"):
            yield from self._of_kind(kind, begun, "", ask_files)

    def _of_kind(self, kind: str, begun: str, before: str, ask_files: bool) -> Iterator[Word]:
        if kind == "gpu":
            words = _likely(gpus(), begun)
        elif kind == "package":
            words = _begun(packages(), begun.lower().replace("_", "-"))
        else:
            words = _begun(self._words(kind, begun), begun)
        yield from ((f"{before}{word}", told) for word, told in words)
        of = "lock" if kind == "new-lock" else kind
        if of not in KINDS:
            return
        if ask_files:
            yield _ASKED, glob_of(of) if KINDS[of] else "/"
        else:
            yield from ((f"{before}{name}", _FILE) for name in files(of, begun))

    def _words(self, kind: str, begun: str) -> Iterable[Word]:
        if kind.startswith("="):
            return ((word, "") for word in kind[1:].split("|"))
        if kind == "finding":
            return self._findings(begun)
        if kind == "code-finding":
            return (word for word in self.words.findings if word[0].startswith(("code.", "info.")))
        if kind == "kernel":
            return ((name, "") for name in kernels())
        if kind == "conda":
            return ((name, "") for name in conda_names())
        if kind == "command":
            return self.words.commands.get(" ".join(self.typed), ())
        return ((name, "a new file") for name in self.words.locks) if kind == "new-lock" else ()

    def _findings(self, begun: str) -> Iterator[Word]:
        """Without a dot, also the beginnings of ids, which stand for all of them."""
        if "." not in begun:
            for group in sorted({name.partition(".")[0] for name, _ in self.words.findings}):
                yield group, f"all that begin with {group}."
        yield from self.words.findings


def _begun(words: Iterable[Word], begun: str) -> Iterator[Word]:
    return ((word, told) for word, told in words if word.startswith(begun))


def _likely(words: Iterable[Word], begun: str) -> Iterator[Word]:
    """GPUs, in whatever letters and with whatever brand they were begun."""
    plain = "-".join(begun.lower().replace("_", " ").split())
    for brand in ("nvidia-", "geforce-"):
        plain = plain.removeprefix(brand)
    return ((word, told) for word, told in words if word.lower().startswith(plain))
