"""The text of a file that a person names, or that such a file names: bounded, UTF-8, or an error that says why not."""

import errno

from cudafit.errors import InputError
from cudafit.system.reading import read_bytes, read_named


def read_small(path: str, kind: str, limit: int, *, named: bool = False) -> str:
    """Raises InputError; `kind` is what the file should be, as in `a Dockerfile`. One that is `named` may be a pipe."""
    try:
        data = read_named(path, limit) if named else read_bytes(path, limit)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"`{path}` is larger than {limit >> 10} KiB: that is not {kind}") from None
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    if b"\0" in data:
        raise InputError(f"`{path}` is not {kind}: it holds binary data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"`{path}` is not {kind}: it is not UTF-8 text") from None
