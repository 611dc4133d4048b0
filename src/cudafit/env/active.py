"""The active environment: what VIRTUAL_ENV and CONDA_PREFIX say, and whether it is still there.

Both may be set: conda's `base` is active in many shells by default, and a venv is activated over it. The one whose
programs are found first was activated last, so PATH decides between them.
"""

import os
import re
from collections.abc import Iterator, Mapping

from cudafit.env.conda_places import is_base as is_condas_own
from cudafit.env.prefixes import at, same, unfinished
from cudafit.files import Files
from cudafit.model.environment import CONDA, VENV
from cudafit.model.finding import Evidence, Other
from cudafit.model.frozen import frozen
from cudafit.model.located import Located

VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX")
_CFG_LIMIT = 1 << 16
# uv keeps what `uvx` runs in such folders of its cache. Source: uv's crate uv-cache, `CacheBucket`.
_OF_UVX = re.compile(r"/(archive|builds)-v\d+/")


@frozen
class Active:
    """The environments that the variables name, first the one that is meant; and what was passed over."""

    found: tuple[Located, ...]
    passed_over: tuple[Evidence, ...]


def active(files: Files, environ: Mapping[str, str], folder: str) -> Active:
    found: list[tuple[int, Located]] = []
    passed_over: list[Evidence] = []
    entries = path_entries(environ)
    for variable, path in named_by_variables(environ, folder):
        located = at(files, path, f"active ({variable})")
        if located is None or unfinished(files, located.prefix, located.kind):
            gone = "which has no Python environment any more" if files.is_dir(path) else "which is not there any more"
            passed_over.append(Evidence(f"stale: {variable} names {path}, {gone}", variable))
            continue
        if located.kind == VENV and (over := _below_uv(files, located.prefix)) is not None:
            if over and (below := at(files, over, f"active ({variable}, below uv's own for this run)")):
                located = below
            else:
                passed_over.append(Evidence(f"{path} is what uv made to run cudafit", variable))
                continue
        if any(same(files, located.prefix, other.prefix) for _, other in found):
            continue
        found.append((_place(files, located.prefix, entries), located))
    found.sort(key=lambda pair: pair[0])  # equal where neither is on PATH: VIRTUAL_ENV stays first
    return Active(tuple(located for _, located in found), tuple(passed_over))


def is_base(files: Files, located: Located, environ: Mapping[str, str]) -> bool:
    """Whether it is conda's own, which many shells begin with: that it is active says little.

    uv, poetry and PDM pass over it in the same way. Source: uv's documentation, "Discovery of Python environments".
    """
    if located.kind != CONDA:
        return False
    called = environ.get("CONDA_DEFAULT_ENV") in ("base", "root")
    return (called and located.prefix == environ.get("CONDA_PREFIX")) or is_condas_own(
        files, located.prefix, (), environ
    )


def named_by_variables(environ: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    for variable in VARIABLES:
        if value := environ.get(variable):
            yield variable, os.path.normpath(os.path.join(folder, value))


def path_entries(environ: Mapping[str, str]) -> list[str]:
    """The folders of PATH; a relative one means another in each folder, and says nothing here."""
    return [entry for entry in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(entry)]


def _place(files: Files, prefix: str, entries: list[str]) -> int:
    bins = (f"{prefix}/bin", f"{prefix}/Scripts", prefix)
    places = (place for place, entry in enumerate(entries) if any(same(files, entry, one) for one in bins))
    return next(places, len(entries))


def is_of_uvx(files: Files, prefix: str) -> bool:
    """Whether uv made it for one tool, cudafit itself, and nobody's work is in it."""
    return bool(_OF_UVX.search(f"{prefix}/")) or files.exists(f"{prefix}/uv-receipt.toml")


def _below_uv(files: Files, prefix: str) -> str | None:
    """None for an environment of the user's. Else the one that `uv run --with` laid its own over; "" for none.

    Source: uv writes `extends-environment` into the pyvenv.cfg of such an overlay.
    """
    try:
        text = files.read_text(f"{prefix}/pyvenv.cfg", _CFG_LIMIT)
    except OSError:
        text = ""
    if match := re.search(r"^extends-environment\s*=\s*(/\S.*)", text, re.M):
        return match[1].rstrip()
    return "" if is_of_uvx(files, prefix) else None


def others_of(found: tuple[Located, ...]) -> tuple[Other, ...]:
    return tuple(Other(one.prefix, one.found_by) for one in found)
