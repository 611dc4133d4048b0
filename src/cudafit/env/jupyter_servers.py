"""A running Jupyter server: its kernels get its variables, not those of the shell in which a person looks.

Source: jupyter_client, "Making kernels" (the kernel's `env` is added to the variables of the server).
"""

import re

from cudafit.files import Files
from cudafit.model.environment import JupyterServer

_MOST = 20_000  # processes
_NAMES = re.compile(r"jupyter(hub)?([-_](lab|notebook|server|singleuser))?(\.exe)?|jupyterhub-singleuser")
_MODULES = re.compile(r"(jupyterlab|notebook|jupyter_server|jupyter|jupyterhub\.singleuser)(\.\w+)*")
# `jupyter kernelspec`, `jupyter nbconvert` and others are no servers.
_COMMANDS = ("lab", "notebook", "server", "nbclassic")


def newest_server(files: Files, user: int) -> JupyterServer | None:
    """The one of this user that was started last; None where none is running, or none may be read."""
    found: list[tuple[int, JupyterServer]] = []
    try:
        names = files.names("/proc")
    except OSError:
        return None
    for name in [one for one in names if one.isdecimal()][:_MOST]:
        try:
            if files.stat(f"/proc/{name}").st_uid != user:
                continue
            if not _serves(files.head(f"/proc/{name}/cmdline", 4096)):
                continue
            started = int(files.head_text(f"/proc/{name}/stat", 4096).rpartition(")")[2].split()[19])
            pairs = files.head(f"/proc/{name}/environ", 1 << 18).split(b"\0")
        except (OSError, ValueError, IndexError):
            continue
        variables = {
            key.decode(errors="replace"): value.decode(errors="replace")
            for key, sign, value in (pair.partition(b"=") for pair in pairs)
            if sign
        }
        found.append((started, JupyterServer(f"/proc/{name}/environ", variables)))
    return max(found, key=lambda one: one[0])[1] if found else None


def _serves(line: bytes) -> bool:
    words = [word.decode(errors="replace") for word in line.split(b"\0") if word]
    if words and re.match(r"(ba|da|z)?sh$", words[0].rpartition("/")[2]):
        return False
    for number, word in enumerate(words[:4]):
        name, rest = word.rpartition("/")[2], words[number + 1 :]
        module = number > 0 and words[number - 1] == "-m" and _MODULES.fullmatch(word) is not None
        if not module and not (number < 2 and _NAMES.fullmatch(name)):
            continue
        if name in ("jupyter", "jupyter.exe"):
            return bool(rest) and rest[0] in _COMMANDS
        return True
    return False
