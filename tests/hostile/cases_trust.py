"""What is run, believed and installed: programs, locks, and the exit code of a job."""

from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import Case, Place, Words
from tests.repair.world import PYTHON, broken_env

# A job's exit code, whatever becomes of the report.


def _run(name: str, words: tuple[str | Path, ...], job: tuple[str, ...], code: int, *says: str) -> Case:
    return Case(f"run, {name}", lambda _made: ["run", *words, "--", *job], codes=(code,), says=says)


def _runs() -> list[Case]:
    jobs = {
        "a job that ends with 7": (("sh", "-c", "exit 7"), 7),
        "a job that is killed": (("sh", "-c", "kill $$"), 143),
    }
    places: dict[str, tuple[tuple[str | Path, ...], str]] = {
        "a full disk": (("--json-file", "/dev/full"), "cannot write `/dev/full`"),
        "a folder that takes no files": (("--json-file", "/proc/report.json"), "cannot write `/proc/report.json`"),
        "a picture for a folder that takes no files": (("--plot", "/proc/report.svg"), "cannot write"),
        "a folder in place of a file": (("--json-file", "."), "cannot write `.`"),
        "one file of two": (("--json-file", "/dev/full", "--plot", "/proc/x.html"), "cannot write `/proc/x.html`"),
    }
    return [
        _run(f"{place}, {name}", words, job, code, says)
        for name, (job, code) in jobs.items()
        for place, (words, says) in places.items()
    ]


# Programs that lie where the command is run, and leave a file behind when they are started.

_PROGRAMS = (
    "nvidia-smi nvcc nvidia-ctk ldconfig lspci modinfo docker git systemctl wslpath uname conda mamba micromamba "
)
_PROGRAMS += "pixi uv pip python python3 gcc cc clang file dpkg rpm sh bash env".replace(" sh bash env", "")


def _traps(made: Place, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PROGRAMS.split():
        path = folder / name
        if not path.exists():
            path.write_text(f"#!/bin/sh\n: > '{made.top}/PWNED'\necho 'NVIDIA A100, 550.54.15'\n")
            path.chmod(0o755)


def _before_path(made: Place, *folders: str | Path) -> None:
    made.environ["PATH"] = ":".join([*map(str, folders), made.environ["PATH"]])


def _active(made: Place) -> None:
    """An environment that is active, as if by its own script."""
    (made.env / "lib").mkdir(parents=True)
    (made.env / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    _traps(made, made.env / "bin")
    made.environ["VIRTUAL_ENV"] = str(made.env)
    _before_path(made, made.env / "bin")


def _active_conda(made: Place) -> None:
    (made.work / "prefix" / "conda-meta").mkdir(parents=True)
    _traps(made, made.work / "prefix" / "bin")
    made.environ["CONDA_PREFIX"] = str(made.work / "prefix")
    _before_path(made, made.work / "prefix" / "bin")


def _in_the_current_folder(made: Place) -> None:
    _traps(made, made.work)
    _before_path(made, "", ".")


def _below_a_relative_folder(made: Place) -> None:
    _traps(made, made.work / "bin")
    _before_path(made, "bin")


def _at_home(made: Place) -> None:
    _traps(made, made.home / "bin")
    _before_path(made, made.home / "bin")


def _anywhere_on_path(made: Place) -> None:
    _traps(made, made.top / "tools")
    _before_path(made, made.top / "tools")


_PLACES: dict[str, Callable[[Place], None]] = {
    "the active environment": _active,
    "the active conda environment": _active_conda,
    "the current folder": _in_the_current_folder,
    "a relative folder of PATH": _below_a_relative_folder,
    "HOME/bin": _at_home,
    "any folder of PATH": _anywhere_on_path,
}
_LOOKS: dict[str, tuple[str, ...]] = {
    "inspect": ("inspect",),
    "inspect --deep": ("inspect", "--deep"),
    "doctor": ("doctor",),
    "resolve": ("resolve", "torch"),
    "create --dry-run": ("create", "new/.venv", "--dry-run", "--python", PYTHON, "--from", "requirements.txt"),
}
_HELD = "rich==13.9.4 --hash=sha256:" + "0" * 64 + "\n"


def _words(made: Place, look: str) -> Words:
    (made.work / "requirements.txt").write_text(_HELD)
    return [*_LOOKS[look], *(() if look.startswith("inspect") else ("--matrix", made.world.matrix))]


def _programs(place: str, look: str) -> Case:
    def build(made: Place) -> Words:
        _PLACES[place](made)
        return _words(made, look)

    says = ("nvidia-smi was not run: ",) if look.startswith("inspect") else ()
    return Case(f"{look}, programs in {place}", build, codes=(0, 1, 2, 3), says=says, writes=())


# Modules that lie in the current folder, under the names of what cudafit imports.

_MODULES = (
    "yaml click pynvml rich packaging requests tomlkit uv rattler certifi pypi_simple remotezip matplotlib conda_lock"
)


def _modules(look: str) -> Case:
    def build(made: Place) -> Words:
        for name in _MODULES.split():
            (made.work / f"{name}.py").write_text(f"open({str(made.top / 'PWNED')!r}, 'w')\n")
        made.environ["PYTHONPATH"] = f":{made.environ.get('PYTHONPATH', '')}:.:"
        return _words(made, look)

    return Case(f"{look}, modules in the current folder", build, codes=(0, 1, 3), writes=())


# What an environment starts with its interpreter, where only its files are to be read.


def _environment(made: Place) -> None:
    (made.top / "wheels").mkdir()
    broken_env(made.env, made.top / "wheels")
    (packages,) = made.env.glob("lib/python3*/site-packages")
    leave = f"open({str(made.top / 'PWNED')!r}, 'w')"
    (packages / "trap.pth").write_text(f"import sys; {leave}\n")
    (packages / "sitecustomize.py").write_text(f"{leave}\n")
    (packages / "torch" / "__init__.py").write_text(f"{leave}\n")


def _replaced(made: Place) -> None:
    """With a program of its own in place of the interpreter."""
    _environment(made)
    for name in ("python", "python3"):
        (made.env / "bin" / name).unlink()
    _traps(made, made.env / "bin")


def _only_read(words: tuple[str, ...], kind: str, prepare: Callable[[Place], None]) -> Case:
    def build(made: Place) -> Words:
        prepare(made)
        return [*words, *made.world.words]

    return Case(f"{' '.join(words)}, {kind}", build, codes=(0, 1, 2), writes=())


_READING = (
    ("doctor", "--env", ".venv"),
    ("repair", ".venv", "--dry-run"),
    ("resolve", "torch", "--prefer", "installed"),
    ("create", "new/.venv", "torch", "--dry-run"),
)

CASES = [
    *_runs(),
    *(_programs(place, look) for place in _PLACES for look in _LOOKS),
    *(_modules(look) for look in _LOOKS),
    *(_only_read(words, "code that its start runs", _environment) for words in _READING),
    *(_only_read(words, "a program for its interpreter", _replaced) for words in _READING),
]
