"""What is written around a line that chooses the CPU: a reason makes of a mistake a decision."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import field

from cudafit.lint.parts import Hit
from cudafit.lint.reasons import gives_reason, says_cpu
from cudafit.model import kinds
from cudafit.model.frozen import frozen
from cudafit.system.python310 import possessive

# Findings that are one line in which somebody chose the CPU.
_CHOSEN = frozenset(
    kind.id
    for kind in (
        kinds.code.cvd_disabled,
        kinds.code.tf_gpu_hidden,
        kinds.code.tf_device_cpu,
        kinds.code.jax_cpu_forced,
        kinds.code.device_hardcoded_cpu,
        kinds.code.device_map_cpu,
        kinds.code.lightning_cpu,
        kinds.code.hf_trainer_cpu,
        kinds.code.hf_pipeline_cpu,
        kinds.code.accelerate_cpu,
        kinds.code.library_on_cpu,
    )
)
# A model that is never moved is no such line: there the words have to name the CPU as the place.
_LEFT = frozenset((kinds.code.model_on_cpu.id,))
# What a test does on the CPU, it does there because a test has to run everywhere.
_IN_TESTS = _CHOSEN | _LEFT | {kinds.code.tensor_created_on_cpu_in_forward.id, kinds.code.device_default_cpu.id}
_CAUGHT = frozenset((kinds.code.tf_config_too_late.id, kinds.code.moved_back_to_cpu.id))
_TEST_FILE = re.compile(r"(?:^|[/\\])(?:test_[^/\\]*|[^/\\]*_test|conftest)\.py$")
_ERRORS = frozenset(("RuntimeError", "Exception", "OutOfMemoryError", "ResourceExhaustedError"))
_QUANTIZED = re.compile(r"quantiz|int8", re.IGNORECASE)
_CODE = re.compile(r"=|\w\(")  # code that was commented out gives no reason
_BEHIND = re.compile(possessive(r"""(?:[^#"']++|"[^"]*+"|'[^']*+')*+#(.*)"""))
_MOST_LINES = 4
_SHOWN = 80


@frozen
class Page:
    """The text of a file around its code. `said`: in a notebook, by line, the text above the cell."""

    path: str
    lines: list[str]
    tree: ast.Module
    said: Mapping[int, str] = field(default_factory=dict)


def with_purpose(hit: Hit, page: Page) -> Hit:
    """The finding, or the information that the CPU is chosen on purpose."""
    why = next(_reasons(hit, page), "")
    return Hit(kinds.info.cpu_on_purpose, hit.node, f"{hit.message}; {why}") if why else hit


def _reasons(hit: Hit, page: Page) -> Iterator[str]:
    name = hit.kind.id
    if name in _IN_TESTS and _TEST_FILE.search(page.path):
        yield "the file is a test"
    if hit.kind is kinds.code.to_result_discarded and _is_looked_at(hit.node, page.lines):
        yield "the next line looks where it is, so this shows what `.to()` does not do"
    if name not in _CHOSEN | _LEFT | _CAUGHT:
        return
    if hit.kind is kinds.code.library_on_cpu and any(_QUANTIZED.search(line) for line in page.lines):
        yield "the file makes a model for the CPU, by quantizing it"
    line = getattr(hit.node, "lineno", 1)
    around = list(_around(page.tree, line))
    if name not in _LEFT and _is_caught(around, in_body=name in _CAUGHT):
        yield "an error of the device is caught here"
    start = getattr(around[-1], "lineno", line) if around else line
    tells = says_cpu if name in _LEFT else gives_reason
    words = comment_beside(page.lines, start, line, getattr(hit.node, "end_lineno", None) or line)
    if name not in _CAUGHT and tells(words):
        yield f'the comment says why: "{words[:_SHOWN]}"'
    said = page.said.get(line, "")
    if name not in _CAUGHT and tells(said):
        yield f'the text above the cell says why: "{said[:_SHOWN]}"'


def _is_looked_at(node: ast.AST, lines: list[str]) -> bool:
    """Whether the next line of code is only a look at where the tensor is: a lesson."""
    func = getattr(node, "func", None)
    if not isinstance(func, ast.Attribute):
        return False
    after = (line.strip() for line in lines[getattr(node, "end_lineno", 0) :])
    line = next((text for text in after if text and not text.startswith("#")), "")
    name = re.escape(ast.unparse(func.value))
    return (
        re.match(rf"(?:print\()?{name}\.(?:is_cuda|is_cpu|device|get_device\(\))\s*(?:\)\s*)?(?:#|$)", line) is not None
    )


def comment_beside(lines: list[str], start: int, line: int, end: int) -> str:
    """The words of the comment above the statement, or behind the line or its end."""
    if not 0 < line <= len(lines):
        return ""
    above: list[str] = []
    for text in reversed(lines[max(0, start - 1 - _MOST_LINES) : start - 1]):
        if text.startswith(("import ", "from ")):
            continue
        if not text.lstrip().startswith("#") or _CODE.search(text):
            break
        above.append(text.strip().lstrip("#").strip())
    behind = [
        found[1].strip()
        for number in dict.fromkeys((line, min(end, len(lines))))
        if (found := _BEHIND.match(lines[number - 1]))
    ]
    return " ".join([*reversed(above), *behind]).strip()


def _around(tree: ast.Module, line: int) -> Iterator[ast.AST]:
    """The statements, and the handlers of errors, that hold this line, from the outermost on."""
    node: ast.AST = tree
    while True:
        inner = next((one for one in ast.iter_child_nodes(node) if isinstance(one, _HOLDS) and _holds(one, line)), None)
        if inner is None:
            return
        yield inner
        node = inner


_HOLDS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def _holds(node: ast.AST, line: int) -> bool:
    if isinstance(node, ast.match_case):
        return any(_holds(one, line) for one in node.body)
    return getattr(node, "lineno", 0) <= line <= getattr(node, "end_lineno", 0)


def _is_caught(around: list[ast.AST], *, in_body: bool) -> bool:
    """Whether this is the way that is taken after an error of the device, or (`in_body`) code whose error is caught."""
    handlers = [one for one in around if isinstance(one, ast.ExceptHandler)]
    if in_body:
        handlers += [one for held in around if isinstance(held, ast.Try) for one in held.handlers]
    return any(_catches(one) for one in handlers)


def _catches(handler: ast.ExceptHandler) -> bool:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or getattr(one, "attr", getattr(one, "id", "")) in _ERRORS for one in types)
