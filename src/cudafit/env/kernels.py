"""Jupyter's kernelspecs: which program a notebook starts, and with which variables.

Source: Jupyter documentation, "Common Directories and File Locations". An environment's own specs go before the
user's, as jupyter_core has it since version 5 for a Jupyter that runs in an environment.
"""

import json
import os
from collections.abc import Iterator, Mapping

from cudafit.atomic import write_text
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.environment import Kernel
from cudafit.system.reading import read_text

_LIMIT = 1 << 18
_SYSTEM = ("/usr/local/share/jupyter", "/usr/share/jupyter")


def read_kernels(files: Files, environ: Mapping[str, str], prefix: str | None) -> tuple[Kernel, ...]:
    """By name, the first of each: the one that Jupyter takes. What is no kernelspec is passed over."""
    return tuple(one for one in _found(files, environ, prefix).values() if isinstance(one, Kernel))


def _found(files: Files, environ: Mapping[str, str], prefix: str | None) -> "dict[str, Kernel | str]":
    """By name; in place of a kernel whose file cannot be read, the reason."""
    found: dict[str, Kernel | str] = {}
    for folder in _folders(files, environ, prefix):
        for name in _names(files, f"{folder}/kernels"):
            if isinstance(found.get(name), Kernel):
                continue
            if (kernel := _kernel(files, name, f"{folder}/kernels/{name}/kernel.json")) and (
                name not in found or isinstance(kernel, Kernel)
            ):
                found[name] = kernel
    return found


def kernel_by_name(files: Files, environ: Mapping[str, str], prefix: str | None, name: str) -> Kernel:
    """Raises InputError, with the names that there are."""
    found = {folder.lower(): one for folder, one in _found(files, environ, prefix).items()}
    kernel = found.get(name.lower())
    if isinstance(kernel, Kernel):
        return kernel
    if kernel is not None:
        raise InputError(kernel)
    known = ", ".join(f"`{one}`" for one in found)
    raise InputError(
        f"there is no Jupyter kernel `{name}`",
        cause=[f"there are {known}" if known else "no kernelspec was found in any of Jupyter's folders"],
        hint="`jupyter kernelspec list` shows them, or give the interpreter with `--env`",
    )


def _folders(files: Files, environ: Mapping[str, str], prefix: str | None) -> Iterator[str]:
    yield from (entry for entry in environ.get("JUPYTER_PATH", "").split(":") if entry.startswith("/"))
    if prefix:
        yield f"{prefix}/share/jupyter"
    home = environ.get("HOME", "")
    if own := environ.get("JUPYTER_DATA_DIR"):
        yield own
    elif home.startswith("/"):
        yield f"{environ.get('XDG_DATA_HOME') or f'{home}/.local/share'}/jupyter"
    yield from _SYSTEM
    yield from _of_others(files, environ)


def _of_others(files: Files, environ: Mapping[str, str]) -> Iterator[str]:
    """Of the Jupyter on PATH, which shows its own kernels, and of conda's base, where many have it."""
    for entry in environ.get("PATH", "").split(":"):
        if entry.startswith("/") and files.is_file(f"{entry}/jupyter"):
            yield f"{os.path.dirname(entry.rstrip('/'))}/share/jupyter"
            break
    conda = environ.get("CONDA_EXE", "")
    if conda.startswith("/"):
        yield f"{os.path.dirname(os.path.dirname(conda))}/share/jupyter"


def _names(files: Files, folder: str) -> list[str]:
    try:
        return files.names(folder)
    except OSError:
        return []


def _kernel(files: Files, name: str, path: str) -> Kernel | str | None:
    try:
        value = json.loads(files.read_text(path, _LIMIT))
        argv = tuple(str(word) for word in value["argv"])
        variables = {str(key): str(told) for key, told in (value.get("env") or {}).items()}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"cannot read `{path}`: {error.strerror or error}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Kernel(name.lower(), path, argv, variables) if argv else None


def interpreter_of(kernel: Kernel, prefix: str | None) -> str | None:
    """The program of a kernel; a bare `python` is that of the environment in which Jupyter runs."""
    first = kernel.argv[0]
    if os.path.isabs(first):
        return first
    return f"{prefix}/bin/{first}" if prefix and "/" not in first else None


def user_folder(environ: Mapping[str, str]) -> str:
    """Where Jupyter keeps what a user registered. Raises InputError."""
    if own := environ.get("JUPYTER_DATA_DIR"):
        return own
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise InputError("HOME is not set, so there is no folder of the user's own kernels")
    return f"{environ.get('XDG_DATA_HOME') or f'{home}/.local/share'}/jupyter"


def register(kernel: Kernel, python: str, path: str) -> str | None:
    """Writes the kernel's specification to `path` with another interpreter; gives where the former one is kept.

    Raises InputError where it cannot be written.
    """
    try:
        value = json.loads(read_text(kernel.path, _LIMIT))
        value["argv"] = [python, *value["argv"][1:]]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        kept = None
        if os.path.lexists(path):
            kept = f"{path}.before-cudafit"
            write_text(kept, read_text(path, _LIMIT, errors="replace"))
        write_text(path, json.dumps(value, indent=1) + "\n")
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"cannot write `{path}`: {error}") from None
    return kept
