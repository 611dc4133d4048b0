"""A lock, read back: what it holds, what proves its files, and what it was written for."""

import re

from cudafit.errors import CudafitError, InputError
from cudafit.lock.formats.format import Contents, Format
from cudafit.lock.integrity import Integrity
from cudafit.lock.write import LIMIT
from cudafit.model.frozen import frozen
from cudafit.system.commands import command_text
from cudafit.system.parsing import reason
from cudafit.system.reading import read_named_text


@frozen
class Held:
    """A lock. The version of a conda package is followed by its build: `2.13.0=cuda130_mkl_h0_0`."""

    path: str
    contents: Contents
    complete: bool  # whether it names every package of the environment
    python: str | None = None
    platforms: tuple[str, ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        return dict(self.contents.versions)

    @property
    def integrity(self) -> Integrity:
        return self.contents.integrity


def read_lock(path: str, form: Format) -> Held:
    """Raises InputError for a file that is missing, or not in its format."""
    try:
        text = read_named_text(path, LIMIT, errors="replace")
    except FileNotFoundError:
        hint = f"write it: `{command_text('-o', path)}`"
        raise InputError(f"`{path}` does not exist, so there is nothing to check", hint=hint) from None
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    if form.read is None:
        raise InputError(
            f"`{path}` names no builds: it copies a lock", hint="check that lock: `--check -o requirements.txt`"
        )
    try:
        contents = form.read(text)
        list(contents.integrity.addresses())
    except (CudafitError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"`{path}` cannot be read as {form.name}: {reason(error)}") from None
    target = re.findall(r"for: (\S{1,80}), .{0,200}Python (\d{1,4}\.\d{1,4}t?)", "\n".join(text.splitlines()[:30]))
    return Held(path, contents, form.complete, target[0][1] if target else None, tuple(one[0] for one in target))
