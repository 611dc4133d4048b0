"""Dockerfiles, read and not built.

Source: Dockerfile reference (parser directives, comments, continued lines, here-documents, the scope of ARG).
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import dropwhile

from cudafit.errors import InputError
from cudafit.model.container_files import Command, Copied, Dockerfile, Setting, Stage, shown
from cudafit.project.placeholders import filled
from cudafit.project.shell import commands
from cudafit.project.text_files import read_small
from cudafit.system.python310 import possessive

_LIMIT = 256 << 10
_MOST = 5000  # instructions
_MOST_STAGES = 500
_MOST_VARIABLES = 1000  # of a stage
_KNOWN_TEXT = (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL "
    "USER VOLUME WORKDIR"
)
_KNOWN = frozenset(_KNOWN_TEXT.split())
# Variables by which an installer chooses its builds; of the others nothing is kept with a command.
_STEERS = re.compile(
    possessive(
        r"(PIP|UV)_(?=\w*+\Z)\w*?(INDEX|BACKEND|FIND_LINKS).*|UV_CUDA_DRIVER_VERSION|CONDA_(OVERRIDE_CUDA|CHANNELS)"
    )
)
_HEREDOC = re.compile(r"<<(-?)([\"']?)([A-Za-z_]\w*)\2")


def read_dockerfile(
    path: str, arguments: Mapping[str, str | None] | None = None, target: str | None = None, *, named: bool = False
) -> Dockerfile:
    """Raises InputError for what is no Dockerfile. One that a person `named` may be a pipe."""
    return parse_dockerfile(dockerfile_text(path, named=named), path, arguments, target)


def dockerfile_text(path: str, *, named: bool = False) -> str:
    return read_small(path, "a Dockerfile", _LIMIT, named=named)


def parse_dockerfile(
    text: str, path: str, arguments: Mapping[str, str | None] | None = None, target: str | None = None
) -> Dockerfile:
    """`arguments` are those of the build, which win over the file's own defaults."""
    reader = _Reader(path, arguments or {})
    for count, (number, word, rest, body) in enumerate(_instructions(text)):
        if count >= _MOST:
            raise InputError(f"`{path}` has more than {_MOST} instructions: that is not a Dockerfile")
        reader.take(number, word, rest, body)
    if not reader.stages:
        raise InputError(f"`{path}` is not a Dockerfile: it has no FROM")
    made = Dockerfile(path, tuple(one.made() for one in reader.stages), target, tuple(reader.unread[:20]))
    if target and made.named(target) is None:
        raise InputError(f"`{path}` has no stage `{shown(target)}`")
    return made


@dataclass
class _Begun:
    """A stage, as far as it is read."""

    stage: Stage
    settings: list[Setting] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    copied: list[Copied] = field(default_factory=list)

    def made(self) -> Stage:
        lists = (tuple(self.settings), tuple(self.commands), tuple(self.copied))
        return replace(self.stage, settings=lists[0], commands=lists[1], copied=lists[2])


class _Reader:
    """The stages so far, and what each variable is at this line."""

    def __init__(self, path: str, arguments: Mapping[str, str | None]) -> None:
        self.path = path
        self.arguments = arguments
        self.stages: list[_Begun] = []
        self.named: dict[str, int] = {}  # the first stage of each name
        self.unread: list[str] = []
        self.before: dict[str, str | None] = {}  # ARGs before the first FROM
        self.values: dict[str, str | None] = {}
        self.kept: list[dict[str, str | None]] = []  # of each stage its ENV, for those that go on from it

    def take(self, number: int, word: str, rest: str, body: str) -> None:
        place = f"{self.path}:{number}"
        if word not in _KNOWN:
            self.unread.append(f"{place}: `{shown(word)}` is no instruction that is known")
        elif word == "FROM":
            self._from(place, rest)
        elif word == "ARG":
            self._arg(rest)
        elif not self.stages:
            self.unread.append(f"{place}: {word} stands before the first FROM")
        elif word == "ENV":
            self._env(place, rest)
        elif word == "RUN":
            self._run(place, rest, body)
        elif word in ("COPY", "ADD"):
            self._copy(rest)

    def _from(self, place: str, rest: str) -> None:
        flags, words = _flags(rest.split())
        if not words:
            self.unread.append(f"{place}: FROM names no image")
            return
        image, known = filled(words[0].strip("\"'"), self.before)
        platform, told = filled(flags.get("platform", ""), self.before)
        name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else None
        parent = self.named.get(image.lower())
        if len(self.stages) >= _MOST_STAGES:
            raise InputError(f"`{self.path}` has more than {_MOST_STAGES} stages: that is not a Dockerfile")
        if name:
            self.named.setdefault(name, len(self.stages))
        self.values = dict(self.kept[parent]) if parent is not None else {}
        self.kept.append(dict(self.values))
        if parent is not None and not platform:
            platform, told = self.stages[parent].stage.platform or "", True
        text = f"FROM {shown(words[0])}"
        stage = Stage(text, image if known else None, place, name, platform if platform and told else None, parent)
        self.stages.append(_Begun(stage))

    def _arg(self, rest: str) -> None:
        for name, value in _pairs(rest, bare=True):
            default = None if value is None else filled(value, self.values if self.stages else self.before)[0]
            given = self.arguments.get(name, default)
            if not self.stages:
                self.before[name] = given
            elif name not in self.kept[-1]:  # an ENV of the same name wins
                self.values[name] = given if given is not None else self.before.get(name)
        self._check_variables()

    def _env(self, place: str, rest: str) -> None:
        # All of one line are expanded by what was before it.
        made = [(name, filled(value or "", self.values)[0]) for name, value in _pairs(rest, bare=False)]
        for name, value in made:
            self.values[name] = self.kept[-1][name] = value
        self.stages[-1].settings += [Setting(name, value, place) for name, value in made]
        self._check_variables()

    def _check_variables(self) -> None:
        if max(len(self.values), len(self.before)) > _MOST_VARIABLES:
            raise InputError(f"`{self.path}` sets more than {_MOST_VARIABLES} variables: that is not a Dockerfile")

    def _run(self, place: str, rest: str, body: str) -> None:
        words = rest.split(" ")
        # --mount, --network, --security
        text = " ".join(dropwhile(lambda word: word.startswith("--") or not word, words))
        if text.startswith("["):
            try:
                text = shlex.join(str(word) for word in json.loads(text))
            except (ValueError, TypeError, RecursionError):
                self.unread.append(f"{place}: the RUN line is not JSON")
                return
        if body:
            text = body if not _HEREDOC.sub("", text).strip() else f"{_HEREDOC.sub('', text)}\n{body}"
        text = filled(text, self.values)[0]
        variables = {
            name: value for name, value in self.values.items() if value is not None and _STEERS.fullmatch(name)
        }
        shared = tuple(variables.items())
        for given, parts, certain in commands(text):
            inline = {name: value for name, value in given.items() if _STEERS.fullmatch(name)}
            own = tuple({**variables, **inline}.items()) if inline else shared
            self.stages[-1].commands.append(Command(parts, place, own, certain))
            if parts[0] == "export" and inline and len(variables) < _MOST_VARIABLES:
                variables |= inline
                shared = own

    def _copy(self, rest: str) -> None:
        flags, words = _flags(rest.split())
        if stage := flags.get("from"):
            self.stages[-1].copied.append(Copied(filled(stage, self.values)[0], tuple(words[:-1])))


def _flags(words: list[str]) -> tuple[dict[str, str], list[str]]:
    flags: dict[str, str] = {}
    for number, word in enumerate(words):
        if not word.startswith("--"):
            return flags, words[number:]
        name, _, value = word[2:].partition("=")
        flags[name] = value
    return flags, []


def _pairs(rest: str, *, bare: bool) -> list[tuple[str, str | None]]:
    """`A=1 B="two words"`, the older `A one value`, and for ARG `A`."""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    if not bare and words and "=" not in words[0]:
        name, _, value = rest.strip().partition(" ")
        return [(name, value.strip().strip("\"'"))]
    return [(name, value if sign else None) for name, sign, value in (word.partition("=") for word in words)]


def _instructions(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Line, instruction, its text on one line, and the text of its here-documents."""
    lines = text.splitlines()
    escape = _escape(lines)
    number = 0
    while number < len(lines):
        start = number
        parts: list[str] = []
        while number < len(lines):
            line = lines[number].rstrip()
            number += 1
            if line.lstrip().startswith("#") or (parts and not line.strip()):
                if not parts:
                    break
                continue  # comments and empty lines do not end a continued line
            parts.append(line.removesuffix(escape))
            if not line.endswith(escape):
                break
        word, _, rest = " ".join(part.strip() for part in parts).strip().partition(" ")
        if not word:
            continue
        body = []
        if word.upper() in ("RUN", "COPY", "ADD"):
            for dash, _, end in _HEREDOC.findall(rest):
                while number < len(lines) and (lines[number].lstrip("\t") if dash else lines[number]) != end:
                    body.append(lines[number])
                    number += 1
                number += 1
        yield start + 1, word.upper(), rest.strip(), "\n".join(body)


def _escape(lines: list[str]) -> str:
    """The parser directive, which stands before everything else."""
    for line in lines:
        match = re.fullmatch(r"#\s*([A-Za-z]+)\s*=\s*(\S+)\s*", line.strip())
        if match is None:
            break
        if match[1].lower() == "escape" and match[2] in ("\\", "`"):
            return match[2]
    return "\\"
