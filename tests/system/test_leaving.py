"""Text leaves by few doors, and commands are quoted by one: so that nobody can forget either."""

import ast
import re
from collections.abc import Iterable, Iterator

import pytest

from tests import own_code

pytestmark = own_code.TOGETHER

# The doors. Each makes what it lets out harmless, or lets out nothing that is foreign.
DOORS = {
    "cli/common.py": "the streams of all commands",
    "__main__.py": "one line for a Python that is too old to load the rest",
    "render/human.py": "rows in columns",
    "notebook/__init__.py": "the streams of a notebook's kernel",
    "conda/worker.py": "JSON for the process that asked, and its progress",
    "completion/answer.py": "words for a shell: our own, and names of which each sign can be printed",
    "machine/nvml_child.py": "JSON for the process that asked",
    "payloads/": "what an environment's own Python runs: JSON for the process that asked",
}
_LETS_OUT = {"click.echo", "click.secho", "click.confirm", "click.prompt", "print", "console.print"}
_STREAMS = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}

QUOTES = {
    "system/commands.py": "the one that quotes for display",
    "lock/conda_lock_yml.py": "writes a script that is run",
    "project/dockerfile.py": "makes text that is parsed again here, and splits text of a Dockerfile",
    "project/shell.py": "splits text of a Dockerfile",
}
# A value between quotation marks that is no word of a command.
MARKED = {
    "matrix/harvest/readers.py": "a requirement's marker, as PEP 508 writes it",
    "cli/commands.py": "a word that was typed and is no command, as click says it of options",
}
_PROGRAMS = (
    "apt|bash|chmod|chown|conda|cp|cudafit|dnf|docker|export|jupyter|kill|ln|mamba|mkdir|mv|pip|pipx|python3?|rm|sh|"
    "source|sudo|umount|unset|uv|uvx"
)
# `\0` stands for a value that is put in. Between quotation marks it is quoted by hand.
_BY_HAND = re.compile(r"(?<![\w\0])'\0[^'`]*'")
_IN_BACKTICKS = re.compile(rf"`(?:{_PROGRAMS}) [^`]*\0")
_IN_HINT = re.compile(rf"(?:^|[:;,] (?:then |or )?|&& )(?!unset )(?:{_PROGRAMS}) [^`]*\0|`-[^`]*\0")


def named(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def lets_out(nodes: Iterable[ast.AST]) -> Iterator[int]:
    return (node.lineno for node in nodes if isinstance(node, ast.Call) and _lets_out(node))


def _lets_out(call: ast.Call) -> bool:
    name = named(call.func)
    stream, _, method = name.rpartition(".")
    to_a_descriptor = name == "os.write" and isinstance(call.args[0], ast.Constant)
    return name in _LETS_OUT or to_a_descriptor or (method in ("write", "writelines") and stream in _STREAMS)


def quotes(nodes: Iterable[ast.AST]) -> Iterator[int]:
    for node in nodes:
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if {"shlex", "pipes"} & set(names) and isinstance(node, ast.stmt):
            yield node.lineno


def quoted_by_hand(nodes: Iterable[ast.AST]) -> Iterator[int]:
    texts = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    hints = {
        id(inner)
        for node in nodes
        if (isinstance(node, ast.keyword) and node.arg in ("hint", "hints"))
        or (isinstance(node, ast.Call) and named(node.func).rpartition(".")[2] == "Fix")
        for inner in ast.walk(node)
    }
    for node in texts:
        text = pattern(node)
        if _IN_BACKTICKS.search(text) or (id(node) in hints and _IN_HINT.search(text)):
            yield node.lineno


def between_marks(nodes: Iterable[ast.AST]) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, ast.JoinedStr) and _BY_HAND.search(pattern(node)):
            yield node.lineno


def pattern(text: ast.JoinedStr) -> str:
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "\0" for one in text.values)


def told(name: str, lines: Iterator[int], judged: dict[str, str]) -> list[str]:
    if any(name == one or (one.endswith("/") and name.startswith(one)) for one in judged):
        return []
    return [f"src/cudafit/{name}:{line}" for line in lines]


def test_text_leaves_by_the_doors_alone() -> None:
    found = [place for one in own_code.modules() for place in told(one.name, lets_out(one.nodes), DOORS)]
    assert not found, f"use `say`, `write` and the others of cli/common.py: {found}"


def test_one_place_quotes() -> None:
    found = [place for one in own_code.modules() for place in told(one.name, quotes(one.nodes), QUOTES)]
    assert not found, f"use system/commands.py: {found}"


def test_no_command_is_quoted_by_hand() -> None:
    found = [place for one in own_code.modules() for place in told(one.name, quoted_by_hand(one.nodes), {})]
    found += [place for one in own_code.modules() for place in told(one.name, between_marks(one.nodes), MARKED)]
    assert not found, f"use `command_text` of system/commands.py: {found}"


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("click.echo(str(error), err=True)", lets_out),
        ("sys.stderr.write(f'{error}')", lets_out),
        ("sys.stdout.writelines(lines)", lets_out),
        ("print(text, file=sys.stderr)", lets_out),
        ("os.write(2, text)", lets_out),
        ("import shlex", quotes),
        ("from shlex import join", quotes),
        ('InputError("x", hint=f"`cudafit rollback {path}` ends it")', quoted_by_hand),
        ('say(f"hint: `cudafit repair {path}` finishes it")', quoted_by_hand),
        ('InputError("x", hint=f"cudafit rollback {path}")', quoted_by_hand),
        ('InputError("x", hint=f"look at it; then rm {path}")', quoted_by_hand),
        ('InputError("x", hint=f"write it: `-o {path}`")', quoted_by_hand),
        ("""hint = f"mv '{path}' '{path}.new'" """, between_marks),
    ],
)
def test_it_is_seen(code: str, seen: object) -> None:
    assert callable(seen)
    assert list(seen([*ast.walk(ast.parse(code))]))


@pytest.mark.parametrize(
    "code",
    [
        """InputError("x", hint=f"`{command_text('cudafit', 'rollback', path)}` ends it")""",
        'InputError(f"`--driver {text}` is not a driver version", hint="write it as `550.54.15`")',
        'InputError("x", hint=f"did you mean `{name}`?")',
    ],
)
def test_what_is_right_is_let_pass(code: str) -> None:
    nodes = [*ast.walk(ast.parse(code))]
    assert not [*lets_out(nodes), *quotes(nodes), *quoted_by_hand(nodes), *between_marks(nodes)]
