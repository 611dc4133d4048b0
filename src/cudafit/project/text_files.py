"""The text of a file that a person names: bounded, regular, UTF-8, or an error that says why not."""

from cudafit.errors import InputError
from cudafit.files import Files


def read_small(path: str, kind: str, limit: int) -> str:
    """Raises InputError; `kind` is what the file should be, as in `a Dockerfile`."""
    try:
        data = Files().read_bytes(path, limit + 1)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    if len(data) > limit:
        raise InputError(f"`{path}` is larger than {limit >> 10} KiB: that is not {kind}")
    if b"\0" in data:
        raise InputError(f"`{path}` is not {kind}: it holds binary data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"`{path}` is not {kind}: it is not UTF-8 text") from None
