"""Whole commands on foreign files: whatever lies there, a command ends with one of its exit codes, and not as a bug."""

import functools
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

from cudafit.cli import main
from cudafit.lock.formats import FORMATS
from cudafit.matrix.load import open_matrix
from tests.fuzz import samples
from tests.fuzz.parser import Parser, name_of
from tests.fuzz.parsers import by_name
from tests.fuzz.places import MACHINE, SITE, repository, whole
from tests.fuzz.scratch import scratch
from tests.machines import FOLDER

CODES = (0, 1, 2, 3)
ROOT = str(FOLDER / "rtx4090-550.json")


class BugError(Exception):
    """A command that ended as a bug."""


class CodeError(Exception):
    """A command that ended with a code that it does not have."""


def run(words: Sequence[str], folder: Path) -> int:
    """In this process, in `folder` and with a home below it; what it prints is gone. Raises BugError."""
    with _quiet(), _standing(folder), patch.object(main, "_bug", _raise):
        code = main.run(list(words))
    if code not in CODES:
        raise CodeError(f"exit code {code}")
    return code


def _raise(bug: Exception, _words: list[str], *, verbose: bool) -> NoReturn:
    raise BugError from bug


@contextmanager
def _quiet() -> Iterator[None]:
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace") for _ in range(2)]
    with patch.object(sys, "stdout", streams[0]), patch.object(sys, "stderr", streams[1]):
        yield


@functools.cache
def compiled() -> str:
    """The cache with the compiled matrix. To compile it takes two seconds: to be done before anything is timed."""
    cache = str(scratch("cache"))
    open_matrix(environ={"XDG_CACHE_HOME": cache, "HOME": cache})
    return cache


@contextmanager
def _standing(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    cache = compiled()
    environ = {"HOME": str(folder / "home"), "PATH": "/nonexistent", "COLUMNS": "100", "XDG_CACHE_HOME": cache}
    os.chdir(folder)
    try:
        with patch.dict(os.environ, environ, clear=True):
            yield
    finally:
        os.chdir(before)


def _with_file(name: str, *words: str) -> Callable[[bytes, Path], object]:
    """The command in a folder with one such file."""

    def read(data: bytes, place: Path) -> object:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
        return run(words, place)

    return read


def _below(path: str, *words: str) -> Callable[[bytes, Path], object]:
    """The command on a root in which one file is another."""

    def read(data: bytes, place: Path) -> object:
        root = place / "root"
        if not root.exists():
            for name, content in whole().items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
        (root / path).write_bytes(data)
        return run((*words, "--root", str(root)), place)

    return read


def _command(name: str, read: Callable[[bytes, Path], object], like: str) -> Parser:
    """With the seeds and the words of a parser that reads such a file."""
    other = by_name()[like]
    return Parser(f"cudafit {name}", read, other.seeds, other.words, errors=())


_DOCTOR = (
    "etc/os-release",
    "proc/driver/nvidia/version",
    "proc/driver/nvidia/gpus/0000:01:00.0/information",
    "var/log/dmesg",
    "usr/local/cuda/version.json",
    "env/pyvenv.cfg",
    f"{SITE}/torch-2.14.1.dist-info/METADATA",
    f"{SITE}/torch-2.14.1.dist-info/direct_url.json",
    f"{SITE}/flash_attn-2.8.0.dist-info/RECORD",
    f"{SITE}/torch/version.py",
    f"{SITE}/tensorflow/python/platform/build_info.py",
    f"{SITE}/torch/lib/libtorch_cuda.so",
    f"{SITE}/xformers/cpp_lib.json",
    f"{SITE}/extra.pth",
)
_INSPECT = (
    "etc/os-release",
    "proc/cpuinfo",
    "proc/meminfo",
    "proc/mounts",
    "proc/self/cgroup",
    "proc/driver/nvidia/version",
    "sys/bus/pci/devices/0000:01:00.0/device",
    "usr/local/cuda/version.json",
)
_MACHINE = ("--machine", ROOT)

COMMANDS: tuple[Parser, ...] = (
    *(
        Parser(
            f"cudafit doctor --env {name_of(path)}",
            _below(path, "doctor", "--env", "/env"),
            partial(lambda one: [whole()[one]], path),
            errors=(),
        )
        for path in _DOCTOR
    ),
    *(
        Parser(
            f"cudafit doctor --env {name_of(path)}",
            _below(path, "doctor", "--env", "/conda", "--format", "sarif"),
            partial(lambda one: [whole()[one]], path),
            errors=(),
        )
        for path in ("conda/conda-meta/pytorch-2.13.0-cuda129_mkl_h0_200.json", "conda/conda-meta/history")
    ),
    *(
        Parser(
            f"cudafit inspect --root {name_of(path)} {number}",
            _below(path, "inspect", "--json"),
            partial(lambda one: [MACHINE[one]], path),
            errors=(),
        )
        for number, path in enumerate(_INSPECT)
    ),
    _command("doctor --machine", _with_file("m.json", "doctor", "--machine", "m.json", "--json"), "snapshot"),
    _command("inspect --machine", _with_file("m.json", "inspect", "--machine", "m.json", "-v"), "snapshot"),
    _command(
        "resolve --machine", _with_file("m.json", "resolve", "torch", "--machine", "m.json", "--explain"), "snapshot"
    ),
    _command("doctor --dockerfile", _with_file("D", "doctor", *_MACHINE, "--dockerfile", "D"), "Dockerfile"),
    _command("doctor --compose", _with_file("c.yaml", "doctor", *_MACHINE, "--compose", "c.yaml"), "compose"),
    _command(
        "doctor --code", _with_file("x.py", "doctor", *_MACHINE, "--code", "x.py", "--format", "github"), "lint python"
    ),
    _command("resolve, pyproject.toml", _with_file("pyproject.toml", "resolve", *_MACHINE), "pyproject.toml"),
    _command("resolve -r", _with_file("r.txt", "resolve", "-r", "r.txt", *_MACHINE, "--json"), "requirements.txt"),
    _command(
        "resolve -o pyproject.toml",
        _with_file("pyproject.toml", "resolve", "torch", *_MACHINE, "-o", "pyproject.toml", "--offline", "--dry-run"),
        "edited pyproject.toml",
    ),
    *(
        _command(
            f"resolve --check {form.example}",
            _with_file(form.example, "resolve", "torch", *_MACHINE, "-o", form.example, "--check", "--offline"),
            f"held {form.example}",
        )
        for form in FORMATS
        if form.read
    ),
    _command("lint", _with_file("x.py", "lint", "x.py", "--fix"), "lint python"),
    _command("lint, notebook", _with_file("x.ipynb", "lint", ".", "--json"), "lint notebook"),
    _command("lint, yaml", _with_file("x.yaml", "lint", "x.yaml", "--format", "sarif"), "lint yaml"),
    Parser(
        "cudafit explain",
        lambda data, place: run(("explain", data.decode("utf-8", "replace").replace("\0", "")), place),
        lambda: [b"torch.cpu_wheel", b"code.model_on_cpu", b"torch"],
        errors=(),
    ),
    _command("matrix check", _with_file("f/toolkits.yaml", "matrix", "check", "f"), "matrix folder"),
    Parser(
        "cudafit resolve --matrix",
        _with_file("f/frameworks/torch.yaml", "resolve", "torch", *_MACHINE, "--matrix", "f"),
        lambda: repository("matrices/frameworks/torchaudio.yaml"),
        errors=(),
    ),
    Parser(
        "cudafit resolve, uv.toml",
        _with_file("home/.config/uv/uv.toml", "resolve", "torch", *_MACHINE),
        samples.uv_toml,
        errors=(),
    ),
)
