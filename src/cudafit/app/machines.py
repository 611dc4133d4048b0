"""The machines that a request is about, read or described."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cudafit.app.asked import WhichMachine
from cudafit.errors import InputError
from cudafit.machine.described import described
from cudafit.resolve.host import Host, hosts_of

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.model.machine import Machine

_ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}


def hosts(which: WhichMachine, question: "Question | None", facts: Callable[..., Any]) -> list[Host]:
    """The machines in question, as the rules see them; raises InputError."""
    named = _read(which, question)
    if description := which.description:
        here = _this_platform()
        named = [(label, described(description, machine, here, facts)) for label, machine in named]
    return hosts_of([(label, machine) for label, machine in named if machine is not None], facts)


def _read(which: WhichMachine, question: "Question | None") -> "list[tuple[str, Machine | None]]":
    """Only what this machine needs is loaded: a described one has no probes."""
    if which.machines:
        if which.root:
            raise InputError("`--machine` shows saved snapshots, so `--root` has no meaning")
        from cudafit.machine.saved import load_all  # noqa: PLC0415

        return list(load_all(which.machines))
    if which.root is not None:
        from cudafit.app.below import machine_below  # noqa: PLC0415

        return [(which.root, machine_below(which.root))]
    if which.is_described:
        return [("the described machine", None)]
    from cudafit.machine.context import this_machine  # noqa: PLC0415
    from cudafit.machine.snapshot import take  # noqa: PLC0415

    return [("this machine", take(this_machine(), question, brief=True))]


def _this_platform() -> str:
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    name = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "x86_64")
    return f"{system}-{_ARCHES.get(name.lower(), name)}"
