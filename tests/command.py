"""The command, called as a program is: in this process (some 10 ms), or in one of its own (some 200 ms).

In this process it gets what a program gets: its words, its variables, its folder, and the file descriptors 0, 1 and 2
with text streams over them, made as a new interpreter makes its own. Afterwards all of that is as it was before, and
what the package keeps between two calls is forgotten. `tests/test_command.py` holds both ways against each other.
"""

import functools
import importlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any

COMMAND = (sys.executable, "-m", "cudafit")
# Rooms that import-linter keeps pure: what their functions keep follows from their arguments alone.
PURE = ("cudafit.model.", "cudafit.resolve.", "cudafit.doctor.", "cudafit.lint.", "cudafit.matrix.table.")
# What an interpreter reads when it starts, and never again.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_PRELOAD", "TZ")
_AGAIN_S = 1.0


class _TooLong(BaseException):
    """As a program that is killed: nothing catches it."""


def hear_signals() -> None:
    """What is ignored is inherited. Where whoever started the tests lets them ignore signals, as `nohup` and a script's
    `&` do, they still do nothing here; but programs that are started from here hear them."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def needs_a_process(environ: Mapping[str, str]) -> bool:
    """Whether a variable differs that only a new interpreter heeds."""

    def heeded(variables: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in variables.items() if name.startswith(_READ_AT_START)}

    return heeded(environ) != heeded(os.environ)


def in_a_process(
    words: Sequence[str], environ: Mapping[str, str], stdin: str = "", *, timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *words],
        env=dict(environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def in_this_process(
    words: Sequence[str], environ: Mapping[str, str], stdin: str = "", *, timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    done = call(words, environ, stdin.encode(), timeout=timeout)
    out, err = (_text(data) for data in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def _text(data: bytes) -> str:
    """As `subprocess` makes it."""
    return io.TextIOWrapper(io.BytesIO(data)).read()


def call(
    words: Sequence[str],
    environ: Mapping[str, str],
    stdin: bytes = b"",
    *,
    folder: str | os.PathLike[str] = ".",
    timeout: float = 60,
) -> "subprocess.CompletedProcess[bytes]":
    """The command in this process; raises TimeoutExpired. It knows no `timeout` where there are no alarms."""
    command = [*COMMAND, *words]
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        files[0].write(stdin)
        files[0].seek(0)
        try:
            with _standing(words, environ, folder), _streams(files), _within(timeout):
                code = _main()
        except _TooLong:
            raise subprocess.TimeoutExpired(command, timeout) from None
        finally:
            forget()
        out, err = (_whole(file) for file in files[1:])
    return subprocess.CompletedProcess(command, code, out, err)


def _main() -> int:
    try:
        _entry()()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


def _entry() -> Callable[[], object]:
    """What `python -m cudafit` and the command `cudafit` call. The module leaves folders out of sys.path at once."""
    before = list(sys.path)
    try:
        module = importlib.import_module("cudafit.__main__")
    finally:
        sys.path[:] = before
    main: Callable[[], object] = module.main
    return main


@contextmanager
def _standing(words: Sequence[str], environ: Mapping[str, str], folder: str | os.PathLike[str]) -> Iterator[None]:
    """In the folder, with the variables and the words. The object `os.environ` stays: others have kept it."""
    here, variables, argv = os.getcwd(), dict(os.environ), sys.argv
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        tempfile.tempdir = None  # it follows from the variables, and is looked up once
        sys.argv = [os.path.join(os.path.dirname(sys.modules["cudafit"].__file__ or ""), "__main__.py"), *words]
        with warnings.catch_warnings():
            _hush_others()
            yield
    finally:
        sys.argv, tempfile.tempdir = argv, None
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(here)
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)


def _hush_others() -> None:
    """Warnings as a new interpreter has them; but those of our own code are errors here, as they are in any test."""
    warnings.resetwarnings()
    for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", kind)
    warnings.filterwarnings("error", module=r"cudafit\b")


@contextmanager
def _streams(files: Sequence[IO[bytes]]) -> Iterator[None]:
    """The three descriptors are the files, also for the programs that are started; the streams are over them."""
    names = ("stdin", "stdout", "stderr")
    before = [getattr(sys, name) for name in names]
    for stream in before[1:]:
        stream.flush()
    kept = [os.dup(number) for number in range(3)]
    made: list[io.TextIOWrapper] = []
    try:
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        for number, name in enumerate(names):
            like = getattr(sys, f"__{name}__")
            raw = open(number, "wb" if number else "rb", closefd=False)  # noqa: SIM115 - closed below
            errors = "backslashreplace" if name == "stderr" else like.errors
            made.append(io.TextIOWrapper(raw, like.encoding, errors, line_buffering=name == "stderr"))
            setattr(sys, name, made[number])
        yield
    finally:
        for name, stream in zip(names, before, strict=True):
            setattr(sys, name, stream)
        for stream in made:
            stream.close()
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(_number: int, _frame: types.FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_S)  # again: it may come where errors are swallowed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def forget() -> None:
    """What functions of the package keep, but for what follows from their arguments alone."""
    for clear in _kept(len(sys.modules)):
        clear()


@functools.lru_cache(maxsize=1)
def _kept(_modules: int) -> list[Callable[[], None]]:
    return [function.cache_clear for name, function in keeping() if not name.startswith(PURE)]


def keeping() -> list[tuple[str, Any]]:
    """The functions of the package, of those modules that are imported, that keep their answers, with their names."""
    modules = [(name, module) for name, module in list(sys.modules.items()) if name.partition(".")[0] == "cudafit"]
    return [found for name, module in modules for found in _keeping_of(name, module)]


@functools.cache
def _keeping_of(name: str, module: types.ModuleType) -> tuple[tuple[str, Any], ...]:
    """Of a module, once: thousands of commands are called, and each imports a few more."""
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == name]
    return tuple(
        (f"{name}.{one.__qualname__}", one)
        for owner in (module, *classes)
        for one in vars(owner).values()
        if hasattr(one, "cache_clear") and one.__module__ == name
    )
