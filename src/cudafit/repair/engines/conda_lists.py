"""What conda and its kin read of a prefix beside its files: requested specifications, the history, the list of
environments. Without these `conda list`, `conda update` and `conda env list` would not know what was done."""

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence

from cudafit.atomic import append_text, write_text
from cudafit.conda.solver import Record
from cudafit.env.conda_meta import RECORD_LIMIT, MetaRecord, spec_name
from cudafit.system.reading import read_text
from cudafit.system.secrets import redacted, without_login
from cudafit.system.text import harmless, is_plain

_LIST_LIMIT = 4 << 20


def complete(
    prefix: str,
    came: Sequence[Record],
    went: Sequence[MetaRecord],
    specs: Sequence[str],
    command: str,
) -> None:
    """After packages were linked and unlinked. Raises OSError."""
    asked: dict[str, list[str]] = {}
    for spec in specs:
        asked.setdefault(spec_name(spec), []).append(spec)
    for record in came:
        _mend_record(os.path.join(prefix, "conda-meta", f"{_stem(record)}.json"), asked.get(record.name, []))
    path = os.path.join(prefix, "conda-meta", "history")
    lines = [time.strftime("==> %Y-%m-%d %H:%M:%S <=="), f"# cmd: {redacted(command)}"]
    lines += [f"-{_channel(one.channel)}/{one.subdir}::{one.name}-{one.version}-{one.build}" for one in went]
    lines += [f"+{_channel(one.channel)}/{one.subdir}::{_stem(one)}" for one in came]
    if specs:
        lines.append(f"# update specs: {[redacted(spec) for spec in specs]!r}")
    append_text(path, "".join(f"{harmless(line)}\n" for line in lines))


def pin(prefix: str, limits: Sequence[str]) -> None:
    """Keep the limits of the fit for whoever changes the prefix later: `conda update` knows no GPU, and would bring the
    cuDNN that has no kernels for it. Specifications alone, as mamba reads a comment as one too."""
    if limits:
        text = "".join(f"{harmless(one)}\n" for one in limits)
        write_text(os.path.join(prefix, "conda-meta", "pinned"), text)


def _stem(record: Record) -> str:
    return f"{record.name}-{record.version}-{record.build}"


def _channel(address: str) -> str:
    """As conda's history has it: without the platform, and without what is secret in it."""
    return without_login(address).rstrip("/")


def _mend_record(path: str, requested: Sequence[str]) -> None:
    """The folder from which the package was linked is gone; its address is not to tell a password."""
    value = json.loads(read_text(path, RECORD_LIMIT))
    value.pop("extracted_package_dir", None)
    value.pop("link", None)
    for key in ("url", "channel"):
        if isinstance(value.get(key), str):
            value[key] = without_login(value[key])
    value["requested_specs"] = [without_login(spec) for spec in requested]
    if requested:
        value["requested_spec"] = without_login(requested[0])
    write_text(path, json.dumps(value, indent=2) + "\n")


def register(prefix: str, environ: Mapping[str, str]) -> None:
    """Name the prefix in `~/.conda/environments.txt`, where conda looks for those outside of its own folders. A path
    that is not one line of text cannot stand there."""
    home = environ.get("HOME")
    if not home or not is_plain(prefix):
        return
    path = os.path.join(home, ".conda", "environments.txt")
    with contextlib.suppress(OSError):
        known = ""
        with contextlib.suppress(FileNotFoundError):
            known = read_text(path, _LIST_LIMIT, errors="surrogateescape")
        if prefix not in known.split("\n") and "\n" not in prefix:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            append_text(path, ("" if not known or known.endswith("\n") else "\n") + prefix + "\n")
