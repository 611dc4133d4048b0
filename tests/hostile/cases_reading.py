"""A pipe that nobody writes to, a device without an end, a file of gigabytes or a folder, where a file is read.

Each command ends soon, holds little memory, is no bug, and says what it could not read.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.hostile.case import Case, Place, Words
from tests.repair.world import MACHINE

Build = Callable[[Place], Words]
HOST = ("--gpu", "RTX 4090", "--driver", "550.54.15", "--platform", "linux-x86_64", "--glibc", "2.35")
ANY = (0, 1, 3)  # a diagnosis, whatever it found


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _full(path: Path) -> None:
    path.symlink_to("/dev/full")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2 << 30)


def _folder(path: Path) -> None:
    path.mkdir()


# What stands in the place of a file, and what is said of it.
KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe": (_fifo, "it is not a regular file|nothing comes out of this pipe"),
    "/dev/zero": (_endless, "it is not a regular file"),
    "/dev/full": (_full, "it is not a regular file"),
    "2 GiB": (_huge, "larger than"),
    "a folder": (_folder, "it is a folder"),
}
MOST = ("a pipe", "2 GiB")  # how each kind is refused is the business of one function, which has tests of its own


def _family(
    what: str,
    path: str,
    words: Sequence[str] | Build,
    codes: tuple[int, ...] = (2,),
    kinds: Sequence[str] = MOST,
    says: str = "",
    before: Callable[[Place], None] | None = None,
) -> list[Case]:
    """A case for each kind; `path` is below the folder in which the command runs, or below the place (`home/…`)."""

    def case(kind: str) -> Case:
        plant, told = KINDS[kind]

        def build(made: Place) -> Words:
            if before:
                before(made)
            target = made.top / path if path.startswith("home/") else made.work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            plant(target)
            return words(made) if callable(words) else words

        endless = kind in ("/dev/zero", "2 GiB")  # nor may what the command starts read it
        named = Path(path).name.replace(".", r"\.")
        return Case(f"{what} is {kind}", build, codes, says=(says or told, named), process=endless)

    return [case(kind) for kind in kinds]


def _venv(made: Place) -> None:
    """An environment with torch, as far as files tell."""
    packages = made.env / "lib/python3.12/site-packages"
    (packages / "torch-2.9.0.dist-info").mkdir(parents=True)
    (packages / "torch").mkdir()
    (packages / "torch-2.9.0.dist-info/INSTALLER").write_text("pip\n")
    (made.env / "bin").mkdir()
    (made.env / "bin/python3").symlink_to("/usr/bin/python3")
    (made.env / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")


def _venv_without(name: str) -> Callable[[Place], None]:
    def build(made: Place) -> None:
        _venv(made)
        (made.env / name).unlink()

    return build


def _conda(made: Place) -> None:
    meta = made.env / "conda-meta"
    meta.mkdir(parents=True)
    (made.env / "bin").mkdir()
    (made.env / "bin/python").symlink_to("/usr/bin/python3")


def _doctor(*words: str) -> tuple[str, ...]:
    return ("doctor", *HOST[:4], *words)


def _lock_from(name: str) -> Build:
    def build(made: Place) -> Words:
        return ["create", ".venv", "--from", name, *MACHINE, "--matrix", made.world.matrix]

    return build


def _conda_lock(made: Place) -> Words:
    return ["create", "--prefix", "env", "--from", "conda-lock.yml", *MACHINE, "--matrix", made.world.matrix]


def _unset(*words: str) -> Build:
    """Without the variables that name an index, so that files are asked for it."""

    def build(made: Place) -> Words:
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "PIP_CONFIG_FILE"):
            made.environ.pop(name, None)
        return words

    return build


def _matrix(*words: str) -> Build:
    """One file of a folder of rows is not as it should be; the others are."""

    def build(made: Place) -> Words:
        (made.work / "rows/libraries.yaml").write_text("libraries:\n")
        return words

    return build


def _requirements(made: Place) -> None:
    (made.work / "requirements.txt").write_text("-r more.txt\ntorch\n")


def _compose(text: str) -> Callable[[Place], None]:
    def build(made: Place) -> None:
        (made.work / "compose.yaml").write_text(text)

    return build


def _kernel(made: Place) -> Words:
    return _doctor("--kernel", "gpu")


SNAPSHOT = (Path(__file__).parent.parent / "machines/a100-mig-550.json").read_text()
RESOLVE = ("resolve", *HOST)
SITE = ".venv/lib/python3.12/site-packages"
IMAGE = "services:\n  train:\n    image: nvidia/cuda:${TAG:-12.4.1}-runtime-ubuntu22.04\n"
BUILD = "services:\n  train:\n    build: .\n"
ONE = f"{SITE}/torch-2.9.0.dist-info"

CASES = [
    *_family("pyproject.toml", "pyproject.toml", RESOLVE, kinds=tuple(KINDS)),
    *_family("requirements.txt", "requirements.txt", RESOLVE, kinds=tuple(KINDS)),
    *_family("a file for -r", "wanted.txt", (*RESOLVE, "-r", "wanted.txt"), kinds=tuple(KINDS)),
    *_family("a file that a requirement file names", "more.txt", RESOLVE, before=_requirements),
    *_family("a snapshot", "m.json", ("resolve", "torch", "--machine", "m.json"), kinds=tuple(KINDS)[:4]),
    *_family("a snapshot in a folder", "all/m.json", ("resolve", "torch", "--machine", "all")),
    *_family("a lock", "pylock.toml", _lock_from("pylock.toml"), kinds=tuple(KINDS)),
    *_family("a requirements lock", "requirements.lock", _lock_from("requirements.lock")),
    *_family("a conda lock", "conda-lock.yml", _conda_lock),
    *_family("a lock to check", "requirements.txt", (*RESOLVE, "torch", "--check", "-o", "requirements.txt")),
    *_family(
        "a pyproject.toml to edit",
        "pyproject.toml",
        (*RESOLVE, "torch", "--offline", "--dry-run", "-o", "pyproject.toml"),
        kinds=("2 GiB", "a folder"),
    ),
    *_family("pip.conf", "home/.config/pip/pip.conf", _unset(*RESOLVE, "torch", "--offline", "-o", "requirements.txt")),
    *_family("uv.toml", "home/.config/uv/uv.toml", _unset(*RESOLVE, "torch", "--offline", "-o", "requirements.txt")),
    *_family(
        "config.toml", "home/.config/cudafit/config.toml", (*RESOLVE, "torch", "--offline", "-o", "requirements.txt")
    ),
    *_family("kernel.json", "home/.local/share/jupyter/kernels/gpu/kernel.json", _kernel),
    *_family("environments.txt", "home/.conda/environments.txt", _doctor("--conda", "gpu")),
    *_family(".condarc", "home/.condarc", _doctor("--conda", "gpu")),
    *_family("pyvenv.cfg", ".venv/pyvenv.cfg", _doctor(), ANY, before=_venv_without("pyvenv.cfg")),
    *_family("METADATA", f"{ONE}/METADATA", _doctor(), ANY, ("a pipe", "/dev/zero"), before=_venv),
    *_family("RECORD", f"{ONE}/RECORD", _doctor(), ANY, ("a pipe", "/dev/zero"), before=_venv),
    *_family("direct_url.json", f"{ONE}/direct_url.json", _doctor(), ANY, before=_venv),
    *_family("WHEEL", f"{ONE}/WHEEL", _doctor(), ANY, before=_venv),
    *_family("INSTALLER", f"{ONE}/INSTALLER", _doctor(), ANY, before=_venv_without(f"{ONE[6:]}/INSTALLER")),
    *_family("torch's version.py", f"{SITE}/torch/version.py", _doctor(), ANY, before=_venv),
    *_family("a .pth file", f"{SITE}/more.pth", _doctor(), ANY, before=_venv),
    *_family("a record of conda", ".venv/conda-meta/pytorch-2.9.0-cuda_1.json", _doctor(), ANY, before=_conda),
    *_family("a notebook", "train.ipynb", _doctor(), ANY),
    *_family("pyproject.toml for doctor", "pyproject.toml", _doctor(), ANY),
    *_family("code for doctor", "train.py", _doctor("--code", "train.py"), ANY),
    *_family("code", "train.py", ("lint", "train.py")),
    *_family("code in a folder", "src/train.py", ("lint", "src"), (0, 2)),
    *_family("a Dockerfile", "Dockerfile", _doctor("--dockerfile", "Dockerfile"), kinds=tuple(KINDS)),
    *_family("a compose file", "compose.yaml", _doctor("--compose", "compose.yaml"), kinds=tuple(KINDS)),
    *_family(
        "a Dockerfile of a compose file",
        "Dockerfile",
        _doctor("--compose", "compose.yaml"),
        ANY,
        before=_compose(BUILD),
    ),
    *_family(".env", ".env", _doctor("--compose", "compose.yaml"), ANY, before=_compose(IMAGE)),
    *_family("a file of a matrix", "rows/toolkits.yaml", _matrix(*RESOLVE, "torch", "--matrix", "rows")),
    *_family("a file of a matrix to check", "rows/toolkits.yaml", _matrix("matrix", "check", "rows"), (1,)),
    *_family("a baseline", "before.json", ("bench", "--baseline", "before.json")),
    Case("-r /dev/stdin", lambda _: (*RESOLVE, "-r", "/dev/stdin"), (0,), says=("torch",), stdin="torch\n"),
    Case("--machine /dev/stdin", lambda _: ("resolve", "torch", "--machine", "/dev/stdin"), (0,), stdin=SNAPSHOT),
    Case("--machine -", lambda _: ("resolve", "torch", "--machine", "-"), (0,), stdin=SNAPSHOT),
]
