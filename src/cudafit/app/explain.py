"""What a word, an error text or a log means: the page of a finding, the findings of a group, or a cause."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cudafit import shipped
from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.app.result import Result
from cudafit.app.texts import PIPE, beside_world, blocks_of, book, is_asked, scanned
from cudafit.errors import CudafitError, InputError
from cudafit.messages.scanning import Scanner
from cudafit.model.frozen import frozen
from cudafit.model.kinds import KINDS
from cudafit.model.messages import SCHEMA, Book, Explanation
from cudafit.system.commands import command_text
from cudafit.system.reading import read_text
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.render.row import Row

_LONGEST = 1 << 20
_UNKNOWN = 3
# One word with a log's ending, or from a folder downwards; an error's text has blanks, or a colon.
_LIKE_A_PATH = re.compile(r"(?:[A-Za-z]:|~|\.{1,2})?(?:[\\/][^\s:]+|[^\s:]+\.(?:log|txt|out|err|json|gz|jsonl))")
_LIKE_AN_ID = re.compile(r"[a-z0-9]+\.[a-z0-9_]+")


@frozen
class Request:
    """`words` are what was typed: `-` is stdin. `file` is a log. With `look` the machine is asked, too."""

    machine: WhichMachine
    facts: WhichFacts
    environment: WhichEnvironment
    words: tuple[str, ...] = ()
    file: str | None = None
    look: bool = True
    text: str | None = None  # as it is, whatever it looks like


def known_ids() -> list[str]:
    return sorted(name.removesuffix(".md") for name in os.listdir(_folder()) if name.endswith(".md"))


def listed(word: str | None) -> str | None:
    """The groups of findings, or those of one; None for a word that is no group."""
    known = known_ids()
    if word is None:
        groups: dict[str, int] = {}
        for name in known:
            groups[name.partition(".")[0]] = groups.get(name.partition(".")[0], 0) + 1
        shown = [f"{group.ljust(12)} {count:3}\n" for group, count in groups.items()]
        return "".join(
            (
                *shown,
                f"{'all'.ljust(12)} {len(known):3}\n\n",
                "`cudafit explain torch` lists a group, `cudafit explain torch.cpu_wheel` shows a page,\n",
                "`cudafit explain 'the message'` and `… 2>&1 | cudafit explain -` say what an error means.\n",
            )
        )
    names = known if word == "all" else [name for name in known if name.startswith(f"{word.removesuffix('.')}.")]
    if not names or not re.fullmatch(r"[a-z0-9]+\.?", word):
        return None
    width = max(map(len, names))
    return "".join(
        f"{name.ljust(width)}  {KINDS[name].title if name in KINDS else ''}".rstrip() + "\n" for name in names
    )


def page(name: str) -> str | None:
    """What it means, how it is detected, what to do by hand. None for a word that is like no finding's id; raises
    InputError for one that is, of a finding that there is not."""
    known = known_ids()
    if name in known:
        return read_text(os.path.join(_folder(), f"{name}.md"), _LONGEST)
    if _LIKE_A_PATH.fullmatch(name):
        return None
    near = [one for one in known if name and name in one][:3] or get_close_matches(name, known, n=3, cutoff=0.7)
    if not _LIKE_AN_ID.fullmatch(name) and (not near or not re.fullmatch(r"[\w.]+", name)):
        return None
    hint = f"did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "`cudafit explain all` lists them"
    raise InputError(f"no finding is called `{name}`", hint=hint)


def explain(request: Request, question: "Question | None", say: Callable[[str], None]) -> Result:
    """`record` of the result is an `Explanation`."""
    known = book()
    scanner = scanned(known, _blocks(request), request.file or "-")
    explanation = scanner.explanation()
    if request.look and any(not one.harmless for one in explanation.matches):
        explanation = _beside(request, question, explanation, say, known)
    explanation = redacted_tree(explanation)
    named = bool(explanation.matches)
    nothing = None if named or explanation.ordinary else _nothing(scanner)
    return Result(SCHEMA, explanation, "explain", lambda: _rows(explanation), 0 if named else _UNKNOWN, nothing)


def _blocks(request: Request) -> Iterable[bytes]:
    if request.text is not None:
        return _encoded(request.text)
    if request.file is not None or request.words == ("-",):
        return blocks_of(request.file or "-")
    text = " ".join(request.words)
    if len(request.words) == 1 and os.path.isfile(text):
        raise InputError(f"`{text}` is a file", hint=f"`{command_text('cudafit', 'explain', '--file', text)}` reads it")
    if len(request.words) == 1 and _LIKE_A_PATH.fullmatch(text):
        raise InputError(f"there is no file `{text}`", hint=f"a log is given with `--file`, a text as it is: {PIPE}")
    return _encoded(text)


def _encoded(text: str) -> Iterator[bytes]:
    yield text.encode("utf-8", "surrogateescape")


def _nothing(scanner: Scanner) -> CudafitError | None:
    """Why nothing was recognised, where that is no matter of rules."""
    if not scanner.size:
        return CudafitError("there is no text to explain", hint=PIPE)
    if scanner.binary:
        return CudafitError(
            "this is no text", hint="give the log that the program wrote, not the program or an archive"
        )
    return None


def _beside(
    request: Request, question: "Question | None", explanation: Explanation, say: Callable[[str], None], known: Book
) -> Explanation:
    """With what holds here. A machine that cannot be looked at leaves it open, and that is said."""
    from cudafit.app.environments import environment_at, located_for, world  # noqa: PLC0415 - where one looks
    from cudafit.app.looking import look  # noqa: PLC0415
    from cudafit.model.located import Located  # noqa: PLC0415

    if not is_asked(explanation):
        return explanation
    try:
        looked = look(request.machine, request.facts, question)
        found, environ = located_for(request.environment, looked)
        environment = environment_at(found, looked, environ) if isinstance(found, Located) else None
        return beside_world(explanation, known, world(looked, environment), found.which)
    except InputError:
        raise
    except CudafitError as error:
        say(f"this machine was not looked at: {error.what}")
        return explanation


def _rows(explanation: Explanation) -> "Sequence[Row]":
    from cudafit.render.explain_rows import explanation_rows  # noqa: PLC0415 - not for JSON

    return explanation_rows(explanation)


def _folder() -> str:
    return shipped.folder("docs/findings")
