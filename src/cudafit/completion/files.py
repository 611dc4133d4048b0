"""Files by kind, folders, and environments and kernels that have names."""

import os
from collections.abc import Iterator

_MOST = 2000
_OF_NAMES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"
_DOCKERFILES = ("*dockerfile*", "*containerfile*")

# Which files are meant, by their names in small letters.
KINDS = {
    "any": ("*",),
    "folder": (),
    "json": ("*.json",),
    "code": ("*.py", "*.pyw", "*.ipynb"),
    "dockerfile": _DOCKERFILES,
    "compose": ("*.yml", "*.yaml"),
    "html": ("*.html",),
    "plot": ("*.svg", "*.html", "*.png"),
    "lock": ("*.txt", "*.toml", "*.yml", "*.yaml", "*.lock", "*.json", *_DOCKERFILES),
    "declared": (
        *("*.txt", "*.in", "*.toml", "*.yml", "*.yaml", "*.lock", "*.json", "*.py", "*.ipynb", "setup.cfg", "pipfile"),
        *_DOCKERFILES,
    ),
}


def files(kind: str, begun: str) -> Iterator[str]:
    """The files of the kind and all folders (with a `/`) that go on from there, written as it was begun.

    A name with a line end or another sign that no terminal shows is left out: it would be taken for two."""
    name = os.path.basename(begun)
    typed = begun[: len(begun) - len(name)]
    found = set()
    try:
        with os.scandir(os.path.expanduser(typed) or ".") as entries:
            for entry in entries:
                if not entry.name.startswith(name) or (entry.name.startswith(".") and not name.startswith(".")):
                    continue
                if not entry.name.isprintable():
                    continue
                if entry.is_dir():
                    found.add(f"{typed}{entry.name}/")
                elif is_of(entry.name, kind):
                    found.add(f"{typed}{entry.name}")
                if len(found) >= _MOST:
                    break
    except OSError:
        pass
    yield from sorted(found)


def is_of(name: str, kind: str) -> bool:
    return any(_fits(name.lower(), pattern) for pattern in KINDS[kind])


def _fits(name: str, pattern: str) -> bool:
    """`*x`, `*x*` or a whole name: all that KINDS knows, without loading `fnmatch`."""
    inner = pattern.strip("*")
    if pattern.startswith("*") and pattern.endswith("*"):
        return inner in name
    return name.endswith(inner) if pattern.startswith("*") else name == inner


def glob_of(kind: str) -> str:
    """The same as a pattern of zsh."""
    return f"(#i)({'|'.join(KINDS[kind])})"


def kernels() -> Iterator[str]:
    """Of Jupyter, where it keeps those of the user and of the system."""
    home = os.path.expanduser("~")
    data = os.environ.get("JUPYTER_DATA_DIR") or os.path.join(home, ".local", "share", "jupyter")
    for folder in (data, "/usr/local/share/jupyter", "/usr/share/jupyter"):
        yield from _names(os.path.join(folder, "kernels"))


def conda_names() -> Iterator[str]:
    """Of the environments that lie where conda, mamba and micromamba keep those with names."""
    home = os.path.expanduser("~")
    roots = [os.environ.get("MAMBA_ROOT_PREFIX"), os.environ.get("CONDA_PREFIX")]
    roots += [os.path.join(home, name) for name in ("miniconda3", "miniforge3", "anaconda3", "micromamba", ".conda")]
    for root in roots:
        if root:
            yield from _names(os.path.join(root, "envs"))


def _names(folder: str) -> Iterator[str]:
    try:
        found = sorted(os.listdir(folder))
    except OSError:
        return
    # What comes from here stands in a command line, where other signs would mean something.
    yield from (name for name in found if name.isascii() and name.strip("._+-") and not name.strip(_OF_NAMES))
