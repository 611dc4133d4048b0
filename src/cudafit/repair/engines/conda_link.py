"""conda prefixes by py-rattler: filled from solved or locked packages, emptied, mended. Each raises CudafitError.

Every archive is checked against its hash before anything is linked (see `conda.worker`). Scripts of packages are not
run. `lock` is the descriptor of the transaction's lock: the worker holds it, should cudafit be killed.
"""

import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence

from cudafit.conda.solver import Record, ask, record_of, row_of
from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.system.own_cache import own_cache
from cudafit.system.secrets import redacted

_SHOWN = 8
_WORK = "conda-packages"


@frozen
class Linked:
    """What was put into a prefix. `scripts`: packages with a script for the end of an installation, which was not
    run."""

    records: tuple[Record, ...]
    scripts: tuple[str, ...]


def link(
    prefix: str,
    records: Sequence[Record],
    *,
    work: str,
    platform: str,
    environ: Mapping[str, str],
    lock: int | None,
    keep: Collection[str] = (),
    reinstall: Collection[str] = (),
) -> Linked:
    """Make the prefix hold `records`, the installed packages `keep`, and those of `reinstall` anew; nothing else.

    `work` is a folder of this change on the file system of the prefix, as files are linked from there.
    """
    place = os.path.join(work, _WORK)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place, mode=0o700)
    try:
        answer = ask(
            {
                "do": "install",
                "prefix": prefix,
                "platform": platform,
                "records": [row_of(record) for record in records],
                "keep": sorted(keep),
                "reinstall": sorted(reinstall),
                "store": store_folder(environ),
                "work": place,
                "shown": sys.stderr.isatty(),
            },
            shown=sys.stderr.isatty(),
            lock=lock,
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if "error" in answer:
        raise _failure(answer)
    return Linked(tuple(record_of(row) for row in answer["installed"]), tuple(answer["scripts"]))


def store_folder(environ: Mapping[str, str]) -> str:
    """Where archives are kept, each under its hash, and checked anew whenever it is used."""
    return own_cache(environ, "conda")


_WHAT = {
    "hash": "a package is not the one that was solved for or locked: its hash differs, and nothing was linked",
    "archive": "a package cannot be unpacked, and nothing was linked",
    "channel": "a conda channel does not give what is needed",
    "records": "a record of conda is broken",
    "disk": "the packages cannot be written",
}


def _failure(answer: Mapping[str, str]) -> CudafitError:
    lines = [redacted(line.strip()) for line in answer["error"].splitlines() if line.strip()][:_SHOWN]
    hints = {
        "channel": "try again when it can be reached, or name a mirror with CUDAFIT_CONDA_CHANNEL",
        "disk": "make room, or move the cache with XDG_CACHE_HOME",
    }
    kind = answer.get("kind", "")
    return CudafitError(_WHAT.get(kind, "py-rattler could not fill the prefix"), cause=lines, hint=hints.get(kind))
