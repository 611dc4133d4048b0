"""What others may have prepared is read by `system/reading` alone; the few other places that open files are judged."""

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests import own_code

pytestmark = own_code.TOGETHER

_READS = ("open", "os.open", "io.open", "codecs.open", "tomllib.load", "json.load", "yaml.load_all", "fileinput.input")
_METHODS = ("read_text", "read_bytes", "open")
# Each with what it opens there, and why that is no file that others prepared.
JUDGED = {
    "system/reading.py": "it is the place",
    "atomic.py": "written: a new file beside the old one, a pipe or a device that the user named, and what is added to",
    "app/bug_report.py": "written: a new file, never one that is there",
    "cli/main.py": "the system's empty device",
    "matrix/harvest/source_archive.py": "an archive in memory, of which nothing is unpacked to a disk",
    "machine/kernel_log.py": "the kernel's own device, without waiting",
    "machine/nvml_child.py": "the kernel's own files, and a device to see whether it can be opened",
    "machine/processes.py": "the kernel's own files of processes, read many times a second",
    "matrix/harvest/cache.py": "written: a new file in cudafit's own cache",
    "matrix/own_writing.py": "written: cudafit's own files in a new folder, and folders to be flushed",
    "system/durable.py": "cudafit's own files in the folder of a change, and folders to be flushed",
    "repair/beside.py": "written: copies of a project's files, each a new one, following no link",
    "repair/lock.py": "cudafit's own lock, following no link",
    "repair/making.py": "cudafit's own mark beside what is being made, following no link",
    "repair/manifest.py": "cudafit's own lists, without waiting and following no link",
    "repair/reserve.py": "written: a new file, never one that is there",
    "repair/snapshot.py": "copies of files, without waiting and following no link",
    "system/folders.py": "files in a folder that is held open, without waiting and following no link",
}
# Written into a temporary folder of its own.
WRITES = (
    "bench/run.py",
    "conda/solver.py",
    "lock/conda_lock_yml.py",
    "lock/graph.py",
    "lock/uv.py",
    "lock/project_copy.py",
    "matrix/compiled.py",
    "repair/engines/uv.py",
)


def modules() -> Iterator[own_code.Module]:
    for module in own_code.modules():
        if not module.name.startswith("payloads/"):  # they run in other people's Pythons, and import nothing of cudafit
            yield module


def opened(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str, bool]]:
    """The line, what is called, and whether it only writes."""
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        method = isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS
        own = called.split(".")[0] in ("reading", "files", "self", "context", "Files()") or ".files." in called
        if called in _READS or (method and not own and called not in ("webbrowser.open", "dumper.open")):
            mode = node.args[1] if len(node.args) > 1 else None
            yield node.lineno, called, isinstance(mode, ast.Constant) and mode.value in ("w", "x", "wb", "xb")


def test_files_are_read_in_one_way() -> None:
    calls = [
        f"{module.name}:{line}: {called}"
        for module in modules()
        if module.name not in JUDGED
        for line, called, writes in opened(module.nodes)
        if not (writes and module.name in WRITES)
    ]
    assert not calls, "read it with cudafit.system.reading, or judge it here:\n" + "\n".join(calls)


def test_what_is_judged_still_opens_files() -> None:
    known = {module.name: module for module in modules()}
    for name in JUDGED:
        assert list(opened(known[name].nodes)) or "os.fdopen" in known[name].text, name
    for name in WRITES:
        assert any(writes for _, _, writes in opened(known[name].nodes)), name


@pytest.mark.parametrize(
    "text",
    [
        "open(path)",
        "with open(path, 'rb') as file:\n    pass",
        "os.open(path, os.O_RDONLY)",
        "Path(path).read_text()",
        "path.open()",
        "tomllib.load(file)",
        "open(path, 'a')",
    ],
)
def test_the_rule_sees_what_it_forbids(text: str) -> None:
    assert [writes for _, _, writes in opened(ast.walk(ast.parse(text)))] == [False]
    let_pass = "files.read_text(path)\nself.files.read_bytes(path)\nreading.read_text(path, 3)"
    assert list(opened(ast.walk(ast.parse(let_pass)))) == []
