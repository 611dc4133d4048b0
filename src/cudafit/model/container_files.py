"""What a Dockerfile and a compose file say. `place` is `Dockerfile:7`, where each thing stands; None is *not known*."""

import re
from collections.abc import Mapping

from cudafit.model.frozen import frozen
from cudafit.system.secrets import redacted, without_query
from cudafit.system.text import harmless

_LONGEST = 160


@frozen
class Setting:
    """A variable that is set for the programs of a container; no value: it comes from outside."""

    name: str
    value: str | None
    place: str


@frozen
class Command:
    """One command of a RUN line; `certain` is False for one that runs under a condition."""

    words: tuple[str, ...]
    place: str
    variables: tuple[tuple[str, str], ...] = ()  # those that steer an installer
    certain: bool = True
    listed: str | None = None  # the requirement file whose lines were put in the place of its name

    @property
    def where(self) -> str:
        """Where a change is to be made."""
        return f"{self.listed} (which {self.place} installs)" if self.listed else self.place


@frozen
class Copied:
    """What is copied out of another stage."""

    stage: str
    paths: tuple[str, ...]


@frozen
class Stage:
    """What one FROM begins."""

    text: str
    image: str | None  # its variables put in; None where one is not known
    place: str
    name: str | None = None
    platform: str | None = None  # linux/arm64
    parent: int | None = None  # the stage that it goes on from
    settings: tuple[Setting, ...] = ()
    commands: tuple[Command, ...] = ()
    copied: tuple[Copied, ...] = ()


@frozen
class Dockerfile:
    """The stages, and which of them is built: the last one where no target is named."""

    path: str
    stages: tuple[Stage, ...]
    target: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def chain(self) -> tuple[Stage, ...]:
        """The stage that is built and those it goes on from, the base first."""
        found = [self._built()]
        while (parent := found[0].parent) is not None:
            found.insert(0, self.stages[parent])
        return tuple(found)

    def named(self, name: str) -> Stage | None:
        """By its name or its number."""
        if re.fullmatch(r"[0-9]{1,9}", name) and int(name) < len(self.stages):
            return self.stages[int(name)]
        return next((one for one in self.stages if one.name == name.lower()), None)

    def _built(self) -> Stage:
        return (self.named(self.target) if self.target else None) or self.stages[-1]


@frozen
class DeviceRequest:
    """GPUs that a service reserves. `count` is `all`, a number, or None where none is given."""

    place: str
    driver: str | None = None
    count: str | None = None
    ids: tuple[str, ...] = ()
    capabilities: tuple[str, ...] | None = None  # None: the key is missing
    short: bool = False  # by `gpus:`, which asks for `gpu` by itself


@frozen
class Service:
    """One container of a compose file."""

    name: str
    place: str
    image: str | None = None
    image_place: str | None = None
    platform: str | None = None
    dockerfile: Dockerfile | None = None
    unread: tuple[str, ...] = ()  # why something of it is not known
    requests: tuple[DeviceRequest, ...] = ()
    device_files: bool = False  # by CDI, by /dev/nvidia*, or as Swarm's generic resource
    runtime: str | None = None
    runtime_place: str | None = None
    settings: tuple[Setting, ...] = ()
    built: bool = False  # by a Dockerfile, which may not be known
    shares_memory: bool = False  # shm_size, ipc, or something at /dev/shm

    def setting(self, name: str) -> Setting | None:
        return next((one for one in self.settings if one.name == name), None)


@frozen
class ContainerFiles:
    """All that was given."""

    paths: tuple[str, ...] = ()
    dockerfiles: tuple[Dockerfile, ...] = ()
    services: tuple[Service, ...] = ()


def shown(text: str) -> str:
    """A text of a file as it may be shown: one line without control characters or secrets, and not without end."""
    plain = without_query(harmless(redacted(text)))
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}..."


def effective(stages: tuple[Stage, ...]) -> Mapping[str, Setting]:
    """The variables of a container: of each the last setting."""
    return {setting.name: setting for stage in stages for setting in stage.settings}
