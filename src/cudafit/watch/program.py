"""Which Python a command line runs, and which code. Pure: what is in the file system is asked of whoever calls."""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from cudafit.model.frozen import frozen

_PYTHON = re.compile(r"python(\d+(\.\d+)?t?)?|pypy\d*")
_WITH_VALUE = "WX"
_CODE = (".py", ".pyw", ".ipynb")

# What starts other people's scripts: their code is one of the words that follow.
_LAUNCHERS = {
    *("torchrun", "accelerate", "deepspeed", "horovodrun", "torch.distributed.run", "torch.distributed.launch"),
    *("coverage", "cProfile", "profile", "pdb", "trace", "debugpy", "viztracer", "scalene", "kernprof", "runpy"),
    *("ipython", "IPython", "jupyter", "papermill", "streamlit", "pytest", "py.test"),
}

IsFile = Callable[[str], bool]

# What only asks somebody else to run a program: a daemon, a scheduler, another machine. It is not below us there.
_CLIENTS = {
    *("docker", "docker-compose", "nerdctl", "ctr", "crictl", "lxc", "incus", "machinectl", "systemd-run"),
    *("kubectl", "oc", "ssh", "mosh", "srun", "sbatch", "salloc", "qsub", "bsub", "sky", "gcloud"),
    *("tmux", "screen", "at", "batch"),
}


@frozen
class Code:
    """What a Python was told to run: one of these."""

    script: str | None = None
    module: str | None = None
    text: str | None = None
    launcher: bool = False


def is_python(word: str) -> bool:
    return bool(_PYTHON.fullmatch(os.path.basename(word)))


def code_of(words: Sequence[str]) -> Code | None:
    """The code in a command line of a Python: `python -u train.py`. None where it is no Python, or reads its input."""
    if not words or not is_python(words[0]):
        return None
    rest = deque(words[1:])
    while rest:
        word = rest.popleft()
        if word in ("-", "--") or not word.startswith("-"):
            return _script(rest[0] if word == "--" and rest else word, rest)
        if word.startswith("--"):
            if word == "--check-hash-based-pycs" and rest:
                rest.popleft()
            continue
        for place, letter in enumerate(word[1:], 2):
            if letter in "cm":
                value = word[place:] or (rest.popleft() if rest else "")
                return Code(text=value) if letter == "c" else _module(value, rest)
            if letter in _WITH_VALUE:
                if place == len(word) and rest:
                    rest.popleft()
                break
    return None


def _script(word: str, rest: Iterable[str]) -> Code | None:
    if word == "-":
        return None
    name = os.path.basename(word)
    if name in _LAUNCHERS:
        return Code(_first_code(rest), launcher=True)
    return Code(word)


def _module(name: str, rest: Iterable[str]) -> Code:
    if name in _LAUNCHERS or name.partition(".")[0] in _LAUNCHERS:
        return Code(_first_code(rest), launcher=True)
    return Code(module=name)


def _first_code(words: Iterable[str]) -> str | None:
    return next((word for word in words if word.endswith(_CODE)), None)


def source_of(code: Code, folder: str | None, variables: Mapping[str, str], is_file: IsFile) -> str | None:
    """The file that holds the code; None where it is not one of the user's own."""
    if code.script:
        path = os.path.join(folder or "", code.script)
        if is_file(path):
            return path
        return next((one for one in (os.path.join(path, "__main__.py"),) if is_file(one)), None)
    if code.module:
        parts = code.module.split(".")
        places = [folder or "", *filter(None, variables.get("PYTHONPATH", "").split(os.pathsep))]
        for place in places:
            base = os.path.join(folder or "", place, *parts)
            for path in (f"{base}.py", os.path.join(base, "__main__.py")):
                if is_file(path):
                    return path
    return None


def interpreter_of(
    words: Sequence[str],
    program: str | None,
    folder: str | None,
    variables: Mapping[str, str],
    is_file: IsFile,
    real: Callable[[str], str],
) -> str | None:
    """The Python as its environment knows it: by the name that it was called by, since the program itself is the same
    for all environments that stand on it."""
    if not words or not is_python(words[0]):
        return None
    if "/" in words[0]:
        found = [os.path.join(folder or "", words[0])]
    else:
        found = [os.path.join(folder or "", place, words[0]) for place in variables.get("PATH", "").split(os.pathsep)]
    for path in found:
        if is_file(path) and (program is None or real(path) == real(program)):
            return os.path.normpath(path)
    return program


def asks_elsewhere(words: Sequence[str]) -> str | None:
    """The client in a command line, whose programs run out of our sight; it may be a script."""
    named = [os.path.basename(word) for word in words[:2]]
    if len(named) > 1 and named[0] not in ("sh", "bash", "dash") and not is_python(named[0]):
        named.pop()
    return next((name for name in named if name in _CLIENTS), None)
