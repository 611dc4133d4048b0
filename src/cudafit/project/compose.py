"""Compose files, read and not started; several are one project, as with `docker compose -f one -f other`.

Source: Compose specification (services, deploy, build, extends, merge, interpolation).
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cudafit.errors import CudafitError, InputError
from cudafit.model.container_files import DeviceRequest, Dockerfile, Service, Setting, shown
from cudafit.project.dockerfile import dockerfile_text, parse_dockerfile
from cudafit.project.dockerfile_lists import Lists, with_lists
from cudafit.project.placeholders import filled
from cudafit.project.text_files import read_small
from cudafit.project.yaml_nodes import Node, entries, get, items, line, root_node, text

_LIMIT = 256 << 10
_MOST = 200  # services
_MOST_BUILT = 1 << 20  # of all Dockerfiles together
_DEPTH = 16  # of services that extend each other
_GPU_FILE = re.compile(r"nvidia\.com/gpu=|/dev/(nvidia|dxg)")


def read_compose(paths: Sequence[str], environ: Mapping[str, str]) -> tuple[Service, ...]:
    """The services of all files, the later ones laid over the earlier; raises InputError."""
    found: dict[str, Service] = {}
    for path in paths:
        for service in _File(path, environ).services():
            found[service.name] = _over(found[service.name], service) if service.name in found else service
    return tuple(found.values())


class _File:
    """One file, with the values of its placeholders."""

    def __init__(self, path: str, environ: Mapping[str, str]) -> None:
        self.path = path
        self.folder = os.path.dirname(path)
        self.root = root_node(read_small(path, "a compose file", _LIMIT, named=True), path)
        beside, self.unread = _beside(os.path.join(self.folder, ".env"))
        self.values: dict[str, str | None] = {**beside, **environ}
        self.alone: dict[str, Service] = {}  # each service without what it extends
        self.parsed: dict[object, Dockerfile] = {}
        self.lists: Lists = {}  # requirement files that these Dockerfiles install
        self.built = 0

    def services(self) -> list[Service]:
        whole = entries(self.root)
        if "services" not in whole:
            raise InputError(
                f"`{self.path}` is not a compose file: it has no `services`",
                hint="name the file that `docker compose config` reads",
            )
        named = entries(whole["services"][1])
        return [self._service(name, number, node, named) for name, (number, node) in list(named.items())[:_MOST]]

    def _service(
        self, name: str, number: int, node: Node, named: Mapping[str, tuple[int, Node]], above: tuple[str, ...] = ()
    ) -> Service:
        if name not in self.alone:  # many may extend the same
            self.alone[name] = self._read(name, number, node)
        return self._extended(self.alone[name], entries(node).get("extends", (0, None))[1], named, above)

    def _read(self, name: str, number: int, node: Node) -> Service:
        keys = entries(node)

        def at(key: str) -> str:
            return self._place(keys[key][0]) if key in keys else self._place(number)

        def value(key: str) -> Node | None:
            return keys.get(key, (0, None))[1]

        unread = list(self.unread)
        # Beside `build`, `image` only names the result.
        image = self._known(value("image")) if "build" not in keys else None
        if image is None and "image" in keys and "build" not in keys:
            unread.append(f"{at('image')}: a variable of the image is not known")
        dockerfile = self._built(value("build"), at("build"), unread) if "build" in keys else None
        volumes = [self._text(get(one, "target") or one) for kind in ("volumes", "tmpfs") for one in items(value(kind))]
        devices = [self._text(get(one, "source") or one) for one in items(value("devices"))]
        reserved = get(value("deploy"), "resources", "reservations")
        requests = [self._request(one) for one in items(get(reserved, "devices"))]
        cdi = [one for one in requests if one.driver == "cdi"]
        generic = [
            self._text(get(one, "discrete_resource_spec", "kind")) for one in items(get(reserved, "generic_resources"))
        ]
        return Service(
            shown(name),
            self._place(number),
            image,
            at("image"),
            self._text(value("platform")) or self._text(next(items(get(value("build"), "platforms")), None)) or None,
            dockerfile,
            tuple(unread),
            tuple(one for one in (*requests, *self._gpus(value("gpus"))) if one.driver in (None, "nvidia")),
            bool(cdi or any(_GPU_FILE.match(one) for one in devices) or any("gpu" in one.lower() for one in generic)),
            self._text(value("runtime")) or None,
            at("runtime"),
            tuple(self._settings(value("environment"))),
            "build" in keys,
            any(key in keys for key in ("shm_size", "ipc")) or any("/dev/shm" in one for one in volumes),  # noqa: S108
        )

    def _extended(
        self, made: Service, node: Node | None, named: Mapping[str, tuple[int, Node]], above: tuple[str, ...]
    ) -> Service:
        """On top of the service that it extends, where that stands in this file."""
        base = self._text(node) or self._text(get(node, "service"))
        if not base:
            return made
        if get(node, "file") is not None or base not in named or base in above:
            where = f"{made.place}: what it extends stands in another file, which was not read"
            return replace(made, unread=(*made.unread, where))
        if len(above) >= _DEPTH:
            where = f"{made.place}: it extends more than {_DEPTH} services in a row, which were not read"
            return replace(made, unread=(*made.unread, where))
        below = self._service(base, named[base][0], named[base][1], named, (*above, base))
        return _over(below, made)

    def _built(self, node: Node | None, place: str, unread: list[str]) -> Dockerfile | None:
        """The Dockerfile of a build, where it lies on this disk."""
        context = self._known(get(node, "context")) if text(node) is None else self._known(node)
        name = self._known(get(node, "dockerfile"))
        inline = text(get(node, "dockerfile_inline"))
        target = self._known(get(node, "target")) or None
        arguments = {one.name: one.value for one in self._settings(get(node, "args"))}
        given = {key: value for key, value in arguments.items() if value is not None}
        if context is None:
            context = "."
        if "://" in context or context.startswith("git@"):
            unread.append(f"{place}: the build's context is not on this disk")
            return None
        path = os.path.normpath(os.path.join(self.folder, context, name or "Dockerfile"))
        try:
            folder = os.path.normpath(os.path.join(self.folder, context))
            return self._dockerfile(f"{place} (inline)" if inline is not None else path, inline, given, target, folder)
        except CudafitError as error:
            unread.append(f"{place}: {shown(error.what)}")
            return None

    def _dockerfile(
        self, path: str, inline: str | None, given: Mapping[str, str], target: str | None, context: str
    ) -> Dockerfile:
        """Raises InputError."""
        key = (path, tuple(given.items()), target, context)
        if key not in self.parsed:
            source = dockerfile_text(path) if inline is None else inline
            self.built += len(source)
            if self.built > _MOST_BUILT:
                raise InputError(f"the Dockerfiles up to this one are larger than {_MOST_BUILT >> 10} KiB together")
            self.parsed[key] = with_lists(parse_dockerfile(source, path, given, target), context, self.lists)
        return self.parsed[key]

    def _gpus(self, node: Node | None) -> list[DeviceRequest]:
        if node is None:
            return []
        if text(node) is not None:
            return [DeviceRequest(self._place(line(node)), "nvidia", self._text(node) or "all", short=True)]
        return [replace(self._request(one), short=True) for one in items(node)]

    def _request(self, node: Node) -> DeviceRequest:
        capabilities = get(node, "capabilities")
        return DeviceRequest(
            self._place(line(node)),
            self._text(get(node, "driver")) or None,
            self._known(get(node, "count")) if get(node, "count") is not None else None,
            tuple(shown(self._text(one)) for one in items(get(node, "device_ids"))),
            None if capabilities is None else tuple(shown(self._text(one)) for one in items(capabilities)),
        )

    def _settings(self, node: Node | None) -> list[Setting]:
        """`A: 1`, or `- A=1`; without a value it is passed on from outside."""
        made = [
            Setting(name, self._known(value), self._place(number)) for name, (number, value) in entries(node).items()
        ]
        for one in items(node) if not made else ():
            name, sign, _ = (text(one) or "").partition("=")
            whole = self._known(one)
            value = whole.partition("=")[2] if sign and whole is not None else None
            made.append(Setting(name, value, self._place(line(one))))
        return made

    def _known(self, node: Node | None) -> str | None:
        """A scalar with its placeholders filled; None where one of them is not known."""
        found = text(node)
        if found is None:
            return "" if getattr(node, "style", None) in ("'", '"') and getattr(node, "value", None) == "" else None
        value, known = filled(found, self.values, dollars=True)
        return value if known else None

    def _text(self, node: Node | None) -> str:
        return self._known(node) or ""

    def _place(self, number: int) -> str:
        return f"{self.path}:{number}"


def _over(below: Service, above: Service) -> Service:
    """As Compose merges: lists grow, of one variable the later setting counts, of the rest what is given last."""
    settings = {one.name: one for one in (*below.settings, *above.settings)}
    built = below.built or above.built
    own = above.image is not None or above.dockerfile is not None
    return Service(
        above.name,
        above.place,
        None if built else above.image if above.image is not None else below.image,
        above.image_place if above.image is not None else below.image_place,
        above.platform or below.platform,
        above.dockerfile or below.dockerfile,
        above.unread if own else (*below.unread, *above.unread),
        (*below.requests, *above.requests),
        below.device_files or above.device_files,
        above.runtime or below.runtime,
        above.runtime_place if above.runtime else below.runtime_place,
        tuple(settings.values()),
        built,
        below.shares_memory or above.shares_memory,
    )


def _beside(path: str) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """The `.env` file that Compose fills placeholders from, and why it cannot be read where it is there.

    Of it nothing is shown but what a file asks for.
    """
    if not os.path.lexists(path):
        return {}, ()
    try:
        lines = read_small(path, "a file of variables", 64 << 10).splitlines()
    except InputError as error:
        return {}, (error.what,)
    pairs = (one.removeprefix("export ").partition("=") for one in map(str.strip, lines) if not one.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, sign, value in pairs if sign}, ()
