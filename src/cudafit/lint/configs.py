"""Configurations in YAML, JSON and TOML: a device that is written down as the CPU.

Read line by line: so a finding can say where it stands, and a file that is not quite well-formed is read all the same.
"""

import ast
import re
from collections.abc import Iterator

from cudafit.lint.run import Run
from cudafit.lint.values import CPU, UNKNOWN, Const, Device, Map, Value
from cudafit.model import kinds
from cudafit.model.code_finding import CodeFinding
from cudafit.system.python310 import possessive

_NAMED = r"(?:[\w.]*\.)?(?:device|accelerator)"
_SWITCH = r"(?:[\w.]*\.)?(?:use_cpu|no_cuda)"
_YAML = re.compile(
    rf"^(?P<indent>[\s-]*)([\"']?)(?P<key>{_NAMED}\2\s*:\s*([\"']?)cpu\4|{_SWITCH}\2\s*:\s*(?:true|yes|on))\s*(?:\#.*)?$",
    re.IGNORECASE,
)
_JSON = re.compile(rf"(?P<key>\"{_NAMED}\"\s*:\s*\"cpu\"|\"{_SWITCH}\"\s*:\s*true)", re.IGNORECASE)
_TOML = re.compile(
    rf"^(?P<indent>\s*)(?P<key>{_NAMED}\s*=\s*([\"'])cpu\3|{_SWITCH}\s*=\s*true)\s*(?:\#.*)?$", re.IGNORECASE
)
_ANY_KEY = re.compile(possessive(r"([\s-]*+)[\"']?([\w.-]++)[\"']?\s*+:\s*+([^#]*)"))
_TABLE = re.compile(possessive(r"\s*+\[++([^\]]++)\]"))
# What runs elsewhere, or is meant to run on the CPU.
_OTHER_FILE = re.compile(r"^(apiVersion|kind|services|jobs|openapi|swagger)\s*:", re.MULTILINE)
_OTHER_PART = re.compile(r"infer|export|serv|deploy|test|eval|valid|onnx|preproc|data|loader|metric|ema", re.IGNORECASE)
_FILE_NAME = re.compile(r"(?<![\w.-])[\w.-]{1,250}\.(?:yaml|yml|json|toml)\b")
# These find their configurations by themselves, in folders with such names.
_LOADERS = re.compile(r"\bhydra\b|LightningCLI|jsonargparse")
FOLDERS = ("conf", "config", "configs", "cfg", "cfgs")


def lint_config(text: str, path: str) -> list[CodeFinding]:
    if _OTHER_FILE.search(text):
        return []
    found = []
    for line, column, words in _settings(text, path):
        message = f"`{words}` keeps the work on the CPU"
        found.append(kinds.code.config_device_cpu.in_code(path, line, message, column=column))
    return found


def _settings(text: str, path: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each setting that names the CPU."""
    ending = path.rpartition(".")[2].lower()
    pattern = {"json": _JSON, "toml": _TOML}.get(ending, _YAML)
    parents: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if ending == "toml" and (table := _TABLE.match(line)):
            parents = [(0, table[1])]
        elif ending in ("yaml", "yml"):
            _follow_indent(parents, line)
        found = pattern.search(line) if ending == "json" else pattern.match(line)
        if found and not any(_OTHER_PART.search(name) for _, name in parents) and "cudafit: ignore" not in line:
            yield number, found.start("key") + 1, re.sub(r"[\"']", "", found["key"])


def _follow_indent(parents: list[tuple[int, str]], line: str) -> None:
    """Keeps the keys above this line."""
    key = _ANY_KEY.match(line)
    if key is None:
        return
    indent = len(key[1])
    while parents and parents[-1][0] >= indent:
        parents.pop()
    if not key[3]:
        parents.append((indent, key[2]))


def names_read(text: str) -> frozenset[str]:
    """The names of configurations that code speaks of; `*` where it looks for them by itself."""
    found: set[str] = set()
    for ending in (".yaml", ".yml", ".json", ".toml"):
        at = text.find(ending)
        while at >= 0:  # the line around it alone: such files are rarely spoken of
            start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
            end = end if end >= 0 else len(text)
            found.update(one[0] for one in _FILE_NAME.finditer(text, start, end))
            at = text.find(ending, end)
    if any(word in text for word in ("hydra", "LightningCLI", "jsonargparse")) and _LOADERS.search(text):
        found.add("*")
    return frozenset(found)


def read_inline(run: Run, text: str, node: ast.AST) -> Value:
    """A configuration that stands in the code as text: its values remember their lines."""
    top: dict[str, Value] = {}
    open_maps: list[tuple[int, dict[str, Value]]] = [(-1, top)]
    braces = text.lstrip().startswith("{")
    for offset, line in enumerate(text.splitlines()):
        for part in re.split(r"[{,}]", line) if braces else [line]:
            key = _ANY_KEY.match(part.rstrip().rstrip(","))
            if key is None:
                continue
            indent = len(line) - len(line.lstrip())
            while len(open_maps) > 1 and open_maps[-1][0] >= indent:
                open_maps.pop()
            name, value = key[2], key[3].rstrip()
            place = ast.Constant(
                value,
                lineno=getattr(node, "lineno", 1) + offset,
                col_offset=0 if offset else getattr(node, "col_offset", 0),
            )
            if value in ("", "{"):
                inner: dict[str, Value] = {}
                open_maps[-1][1][name] = Map(inner)
                open_maps.append((indent, inner))
            else:
                open_maps[-1][1][name] = _scalar(run, value.strip("\"'"), place)
    return Map(top)


def _scalar(run: Run, text: str, node: ast.Constant) -> Value:
    if text.lower() == "cpu":
        run.nodes.marks[id(node)] = "config"
        run.nodes.kept.append(node)
        return Device(CPU, node)
    if text.lower() in ("true", "false"):
        return Const(text.lower() == "true", node)
    return Const(text, node) if re.match(r"(cuda|gpu|auto|mps)\b", text) else UNKNOWN
