"""Writing a file whole or not at all."""

import os
import tempfile


def write_text(path: str, text: str) -> None:
    """Replace what `path` leads to in one step; a link stays. Raises OSError."""
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device, as /dev/stdout may lead to one without a name; a folder is refused here.
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    path = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".cudafit-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_bytes(path: str, data: bytes) -> None:
    """The same for bytes, in a file that is there: it keeps its rights. Raises OSError."""
    path = os.path.realpath(path)
    mode = os.stat(path).st_mode & 0o7777
    descriptor, temporary = tempfile.mkstemp(prefix=".cudafit-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
