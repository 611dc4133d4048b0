"""What every verb may be asked about: which machine, and by which facts.

Small on purpose: NVML is asked by it before anything else is loaded.
"""

import os
from typing import TYPE_CHECKING

from cudafit.model.frozen import frozen

if TYPE_CHECKING:
    from cudafit.machine.described import Description
    from cudafit.machine.question import Question

SILENCE_S = 8.0


@frozen
class WhichMachine:
    """By default the one that cudafit runs on. `machines` are snapshots, and folders of them; `root` is the top of
    another file system; the rest is laid over what is read."""

    machines: tuple[str, ...] = ()
    driver: str | None = None
    gpus: tuple[str, ...] = ()
    platform: str | None = None
    glibc: str | None = None
    root: str | None = None

    @property
    def description(self) -> "Description":
        from cudafit.machine.described import Description  # noqa: PLC0415 - after NVML was asked

        return Description(self.driver, self.gpus, self.platform, self.glibc)

    @property
    def is_described(self) -> bool:
        """Whether the description leaves nothing of a real machine: then none is looked at."""
        return self.platform is not None or (self.driver is not None and bool(self.gpus))

    @property
    def is_elsewhere(self) -> bool:
        """Whether another machine than this one is meant."""
        return bool(self.machines or self.root or self.is_described)


@frozen
class WhichEnvironment:
    """By its folder or its interpreter, by its name in conda, or by the Jupyter kernel that starts it. `system`: the
    Python outside of every environment."""

    path: str | None = None
    conda: str | None = None
    kernel: str | None = None
    system: bool = False


@frozen
class WhichFacts:
    """`matrices` are folders of rows that are laid over the packaged matrix; `pinned` is the one version allowed."""

    matrices: tuple[str, ...] = ()
    pinned: str | None = None


def ask_driver(machine: WhichMachine, silence_s: float = SILENCE_S) -> "Question | None":
    """Ask NVML now, in its own process, where this machine will be looked at; whoever looks reads the answer."""
    if machine.is_elsewhere:
        return None
    from cudafit.machine.question import ask  # noqa: PLC0415 - only for this machine

    return ask(os.environ, silence_s)


@frozen
class WhichBuilds:
    """What is wanted, as it was typed; `files` are whatever people keep it in. Without any this folder's project is
    read; `extras` and `groups` are those of such files. With `as_written` a name is taken as it is, also where it is
    nearly that of another package."""

    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    python: str | None = None
    cuda: str | None = None
    cpu: bool = False
    conda: bool = False
    prefer: str = "newest"
    as_written: bool = False
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    from_imports: bool = False


@frozen
class WhichLocks:
    """The files to write or to check. `forced` is their format, whatever their names."""

    outputs: tuple[str, ...] = ()
    forced: str | None = None
    force: bool = False
    offline: bool = False
    dry_run: bool = False
    check: bool = False
    allow_unhashed: bool = False
