"""Every regular expression of the product, and texts that make a bad one slow.

A pattern is slow on a text that nearly matches, in many ways: so for each repetition in it there are texts of what it
repeats, many times over, behind what the pattern wants first and before what it does not want.
"""

import ast
import functools
import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from cudafit.system.python310 import possessive
from tests.own_code import Module, modules

_METHODS = ("match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn")
_ANYWHERE = ("search", "findall", "finditer", "split", "sub", "subn")
_PROBES = "a 0A_.-,\t\"'=:/[@#\n;<(\\~+x1\0é"
_ENDS = ("", "\0", "!", "\n", " ")
# The reader of the standard library, which has no public name.
_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
_UNBOUNDED = 200  # a repetition of as many and more is one without end


@dataclass(frozen=True)
class Use:
    """A pattern with the way in which it is applied, and where."""

    pattern: str | bytes
    flags: int
    method: str
    place: str

    def apply(self, text: str) -> None:
        data: Any = text if isinstance(self.pattern, str) else text.encode("latin-1", "replace")
        compiled: Any = re.compile(self.pattern, self.flags)
        if self.method in ("sub", "subn"):
            compiled.sub("" if isinstance(data, str) else b"", data)
        elif self.method == "finditer":
            list(compiled.finditer(data))
        else:
            getattr(compiled, self.method)(data)


@functools.cache
def uses() -> tuple[Use, ...]:
    """All of the product. What is put together while it runs is seen with `x` in place of what is put in."""
    found: dict[tuple[str | bytes, int, bool], Use] = {}
    everywhere = _called(module.text for module in modules())
    for module in modules():
        for use in _in_module(module, everywhere):
            anywhere = use.method in _ANYWHERE
            found.setdefault((use.pattern, re.compile(use.pattern, use.flags).flags, anywhere), use)
    return tuple(found.values())


_MAY_HAVE_ONE = re.compile(rf"\bre\.|\b_*[A-Z][A-Z0-9_]*\.(?:{'|'.join(_METHODS)})\b")
_CALLED = re.compile(rf"\b(\w+)\.({'|'.join(_METHODS)})\b")


def _called(texts: Iterable[str]) -> dict[str, set[str]]:
    """What is called of each name, wherever it stands: `PATTERN.match`, `module.PATTERN.match`."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for name, method in _CALLED.findall(text):
            found.setdefault(name, set()).add(method)
    return found


def _in_module(module: Module, everywhere: dict[str, set[str]]) -> Iterator[Use]:
    if not _MAY_HAVE_ONE.search(module.text):
        return
    own = _called([module.text])
    names = {
        id(node.value): node.targets[0].id
        for node in module.nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    imported: Any = None
    for node in module.calls():
        if not isinstance(node.func, ast.Attribute):
            continue
        place = f"{module.name}:{node.lineno}"
        owner, method = node.func.value, node.func.attr
        if isinstance(owner, ast.Name) and owner.id == "re" and node.args:
            pattern = _text(node.args[0])
            if pattern is None:
                continue
            flags = _flags(node)
            name = names.get(id(node), "")
            methods = {method}
            if method == "compile":  # in a table without a name: `handlers`, whose patterns begin where the text does
                methods = own.get(name) or everywhere.get(name) or {"match"}
            for one in sorted(methods & set(_METHODS)):
                yield Use(pattern, flags, one, place)
        elif isinstance(owner, ast.Name) and method in _METHODS and owner.id.isupper():
            imported = imported or importlib.import_module(f"cudafit.{module.name[:-3].replace('/', '.')}")
            compiled = getattr(imported, owner.id, None)
            if isinstance(compiled, re.Pattern):
                yield Use(compiled.pattern, compiled.flags, method, place)


def _text(node: ast.expr) -> str | bytes | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "possessive":
        told = _text(node.args[0])
        return possessive(told) if isinstance(told, str) else None
    return None


def _flags(node: ast.Call) -> int:
    flags = 0
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "re":
            value = getattr(re, one.attr, None)
            flags |= int(value) if isinstance(value, re.RegexFlag) else 0
    return flags


def pumps(use: Use) -> Iterator[tuple[str, str, str]]:
    """Beginning, what is repeated, end."""
    pattern = use.pattern if isinstance(use.pattern, str) else use.pattern.decode("latin-1")
    nodes = list(_parser.parse(pattern, use.flags))
    signs = _telling(nodes)
    ends = list(dict.fromkeys((*_ENDS, *_seen_ahead(nodes, signs))))
    seen = set()
    for before, unit in _repeated(nodes, [""], signs):
        for end in ends:
            if unit and (before, unit, end) not in seen:
                seen.add((before, unit, end))
                yield before, unit, end


def _telling(nodes: list[Any]) -> str:
    """Of the signs that no set of the pattern tells apart, one is enough."""
    leaves = list(_leaves(nodes))
    literals = "".join(chr(argument) for kind, argument in leaves if str(kind) == "LITERAL")
    found: dict[tuple[bool, ...], str] = {}
    for sign in dict.fromkeys(_PROBES + literals):
        found.setdefault(tuple(_takes(kind, argument, sign) for kind, argument in leaves), sign)
    return "".join(found.values())


def _leaves(nodes: list[Any]) -> Iterator[tuple[Any, Any]]:
    for kind, argument in nodes:
        if str(kind) in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            yield kind, argument
        for one in _inside(str(kind), argument):
            yield from _leaves(one)


def _seen_ahead(nodes: list[Any], signs: str) -> Iterator[str]:
    """What must follow, or must not: where it stands at the end of all, it is looked for from everywhere."""
    for kind, argument in nodes:
        for one in _inside(str(kind), argument):
            if str(kind).startswith("ASSERT"):
                yield from _samples(one, signs, 2)
            yield from _seen_ahead(one, signs)


def _repeated(nodes: list[Any], before: list[str], signs: str) -> Iterator[tuple[str, str]]:
    """Each repetition without end: what the pattern wants before it, and what it repeats."""
    for number, (kind, argument) in enumerate(nodes):
        name = str(kind)
        if name in _REPEATS and argument[1] >= _UNBOUNDED:
            after = _samples(nodes[number + 1 : number + 2], signs, 2)
            for start, unit in product(before, _samples(list(argument[2]), signs)):
                yield start, unit
                yield "", unit
                yield "", start + unit  # a search begins anew at each
                yield from ((start, unit + more) for more in after)
        for one in _inside(name, argument):
            yield from _repeated(one, before, signs)
        before = [start + text for start, text in product(before, _samples([(kind, argument)], signs, 3))][:6]
    yield from (("", start) for start in before)


_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def _inside(name: str, argument: Any) -> list[list[Any]]:
    if name == "SUBPATTERN":
        return [list(argument[3])]
    if name in _REPEATS:
        return [list(argument[2])]
    if name == "BRANCH":
        return [list(one) for one in argument[1]]
    if name.startswith("ASSERT"):
        return [list(argument[1])]
    return [list(argument)] if name == "ATOMIC_GROUP" else []


def _samples(nodes: list[Any], signs: str, most: int = 12) -> list[str]:
    """Some texts that match."""
    made = [""]
    for kind, argument in nodes:
        name = str(kind)
        options = [""]
        if name == "LITERAL":
            options = [chr(argument)]
        elif name in ("IN", "ANY", "NOT_LITERAL"):
            options = [sign for sign in signs if _takes(kind, argument, sign)] or [""]
        elif name in _REPEATS:
            options = [text * max(1, argument[0]) for text in _samples(list(argument[2]), signs, most)]
            options = ["", *options] if argument[0] == 0 else options
        elif not name.startswith("ASSERT"):
            options = [text for one in _inside(name, argument) for text in _samples(one, signs, most)] or [""]
        made = [start + text for start, text in product(made, options)][:most]
    return made


def _takes(kind: Any, argument: Any, sign: str) -> bool:
    name = str(kind)
    if name == "ANY":
        return sign != "\n"
    if name in ("LITERAL", "NOT_LITERAL"):
        return bool((ord(sign) == argument) == (name == "LITERAL"))
    told = any(_in_set(str(item), value, sign) for item, value in argument)
    return told != (str(argument[0][0]) == "NEGATE")


def _in_set(what: str, value: Any, sign: str) -> bool:
    if what == "LITERAL":
        return bool(ord(sign) == value)
    if what == "RANGE":
        return bool(value[0] <= ord(sign) <= value[1])
    if what == "CATEGORY":
        kind, negated = str(value).rpartition("_")[2], "_NOT_" in str(value)
        told = {"DIGIT": sign.isdigit(), "SPACE": sign.isspace(), "WORD": sign.isalnum() or sign == "_"}[kind]
        return bool(told != negated)
    return False
