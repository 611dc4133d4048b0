"""Compose files: whether a service gets the GPU that its image is for.

Sources: Docker documentation, "Run Docker Compose services with GPU access" (capabilities must be given; count and
device_ids exclude each other; all GPUs where neither is given); moby, daemon/nvidia_linux.go (a count of 0 is no GPU;
capabilities that are the driver's replace its default); NVIDIA Container Toolkit (`runtime: nvidia` gives what
NVIDIA_VISIBLE_DEVICES names); PyTorch's README, "Docker Image" (shared memory of data loaders).
"""

import re
from collections.abc import Iterator

from cudafit.doctor.checks.dockerfiles import capabilities_finding, hidden_finding, hides, lacks_compute
from cudafit.doctor.containers import HIDING, Built, evidence, gives_gpu, services, why_not_judged
from cudafit.doctor.images import image
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.container_files import DeviceRequest, Service, shown
from cudafit.model.finding import ERROR, WARNING, Finding, Fix
from cudafit.model.kind import FindingKind

_RESERVE = "write `gpus: all`, or reserve a device with `driver: nvidia`, `count: all`, `capabilities: [gpu]`"
_DRIVERS_OWN = frozenset({"compute", "compat32", "graphics", "utility", "video", "display"})


def no_gpu(world: World) -> Iterator[Finding]:
    """A service whose image is for a GPU, and that gets none."""
    every = services(world)
    for service in every:
        wish = _wish(service)
        if not wish or any(one.count == "0" for one in service.requests) or service.unread:
            continue
        if gives_gpu(service):
            if service.runtime != "nvidia" or service.requests or service.device_files or not _nothing_named(service):
                continue
            wish = ("runtime: nvidia gives what NVIDIA_VISIBLE_DEVICES names, and nothing sets it", service.place)
        elif _on_purpose(service) or any(gives_gpu(one) and _same(one, service) for one in every):
            continue  # one image often serves for work with a GPU and for work without
        yield kinds.compose.no_gpu.found(
            f"the service `{service.name}` gets no GPU",
            (evidence(*wish), evidence("no GPU is reserved", service.place)),
            Fix(f"in {shown(service.place)} {_RESERVE}"),
        )


def _wish(service: Service) -> tuple[str, str] | None:
    if service.dockerfile:
        return Built(service.dockerfile, None).wants_gpu
    if service.image and image(service.image).gpu:
        return f"`{service.image}` is made for a GPU", service.image_place or service.place
    return ("runtime: nvidia", service.place) if service.runtime == "nvidia" and service.image else None


def _same(one: Service, other: Service) -> bool:
    if one.dockerfile and other.dockerfile:
        return (one.dockerfile.path, one.dockerfile.target) == (other.dockerfile.path, other.dockerfile.target)
    return one.image is not None and one.image == other.image


def _on_purpose(service: Service) -> bool:
    """A service that hides the GPUs from itself wants none."""
    cuda, nvidia = service.setting("CUDA_VISIBLE_DEVICES"), service.setting("NVIDIA_VISIBLE_DEVICES")
    return bool((cuda and cuda.value is not None and hides(cuda.value)) or (nvidia and nvidia.value in HIDING))


def _nothing_named(service: Service) -> bool:
    """Whether NVIDIA_VISIBLE_DEVICES is set nowhere, as far as the images are known not to set it themselves."""
    if service.setting("NVIDIA_VISIBLE_DEVICES"):
        return False
    built = Built(service.dockerfile) if service.dockerfile else None
    one = built.image if built else image(service.image) if service.image else None
    if one is None or (built and "NVIDIA_VISIBLE_DEVICES" in built.settings):
        return False
    return one.repository in ("python", "ubuntu", "debian", "fedora", "rockylinux", "almalinux")


def requests(world: World) -> Iterator[Finding]:
    """Reservations that are refused, or that give nothing."""
    for service in services(world):
        for one in service.requests:
            if one.count is not None and one.ids:
                yield _wrong(
                    kinds.compose.count_and_ids,
                    service,
                    one,
                    "reserves by `count` and by `device_ids`, which exclude each other",
                    f"count: {one.count}, device_ids: {', '.join(one.ids)}",
                    "leave one of the two out",
                )
            elif one.count == "0":
                yield _wrong(
                    kinds.compose.count_zero,
                    service,
                    one,
                    "reserves no GPU",
                    "count: 0",
                    "write `count: all`, or a number",
                )
            if one.short and not one.capabilities:
                continue
            told = ", ".join(one.capabilities) if one.capabilities is not None else "none"
            own = set(one.capabilities or ()) & _DRIVERS_OWN
            if not one.capabilities or not (own or set(one.capabilities) & {"gpu", "nvidia"}):
                yield _wrong(
                    kinds.compose.capabilities_missing,
                    service,
                    one,
                    "reserves a device without the capability `gpu`",
                    f"capabilities: {told}",
                    "write `capabilities: [gpu]`",
                )
            elif own and "compute" not in own:
                yield _wrong(
                    kinds.compose.capabilities_missing,
                    service,
                    one,
                    f"gets of the driver {', '.join(sorted(own))} alone, without compute",
                    f"capabilities: {told}",
                    "write `capabilities: [gpu]`, or add `compute`",
                )


def _wrong(kind: FindingKind, service: Service, one: DeviceRequest, what: str, found: str, fix: str) -> Finding:
    return kind.found(
        f"the service `{service.name}` {what}",
        (evidence(found, one.place),),
        Fix(f"in {shown(one.place)} {fix}"),
    )


def devices(world: World) -> Iterator[Finding | Unchecked]:
    """GPUs that this machine has not."""
    for service in services(world):
        for one in service.requests:
            many = int(one.count) if one.count and re.fullmatch(r"\d{1,4}", one.count) else 0
            if not one.ids and not many:
                continue
            if not world.machine.gpus:
                yield Unchecked(f"{shown(one.place)}: {why_not_judged(world) or 'the GPUs are not known'}")
                continue
            missing = [told for told in one.ids if _is_there(world, told) is False]
            have = len(world.machine.gpus)
            if missing or many > have:
                asked = f"device_ids: {', '.join(missing)}" if missing else f"count: {many}"
                yield kinds.compose.device_unknown.found(
                    f"the service `{service.name}` asks for a GPU that this machine has not",
                    (
                        evidence(asked, one.place),
                        *(world.gpu_evidence(gpu.index) for gpu in world.machine.gpus[:4]),
                    ),
                    Fix(f"in {shown(one.place)} write numbers below {have}, or `count: all`"),
                )


def _is_there(world: World, told: str) -> bool | None:
    """None where that cannot be told, as for a slice of a GPU."""
    gpus = world.machine.gpus
    if re.fullmatch(r"[0-9]{1,4}", told):
        return any(gpu.index == int(told) for gpu in gpus)
    if told.startswith("GPU-") and all(gpu.uuid for gpu in gpus):
        return any((gpu.uuid or "").lower().startswith(told.lower()) for gpu in gpus)
    return None


def hidden(world: World) -> Iterator[Finding]:
    for service in services(world):
        if not gives_gpu(service):
            continue
        cuda = service.setting("CUDA_VISIBLE_DEVICES")
        if cuda and cuda.value is not None:
            if hides(cuda.value):
                yield hidden_finding(kinds.compose.gpu_hidden, ERROR, cuda)
            elif (first := _renumbered(service, cuda.value)) is not None:
                yield kinds.compose.gpu_hidden.found(
                    f"CUDA_VISIBLE_DEVICES={shown(cuda.value)} names no GPU of the container",
                    (
                        evidence(f"CUDA_VISIBLE_DEVICES={cuda.value}", cuda.place),
                        evidence(f"the container has {first}, numbered from 0", service.requests[0].place),
                    ),
                    Fix(f"take it out of {shown(cuda.place)}: the reservation already chooses the GPU"),
                )
        told = service.setting("NVIDIA_VISIBLE_DEVICES")
        if told and told.value in HIDING:
            # A reservation sets it anew; with the runtime alone it counts.
            yield hidden_finding(kinds.compose.gpu_hidden, WARNING if service.requests else ERROR, told)
        if (given := service.setting("NVIDIA_DRIVER_CAPABILITIES")) and lacks_compute(given.value):
            yield capabilities_finding(kinds.compose.caps_missing, given)


def _renumbered(service: Service, value: str) -> str | None:
    """How many GPUs the container has, where the first number is beyond them."""
    (one, *more) = service.requests or (None,)
    first = re.match(r"\s*(\d{1,4})\s*(,|$)", value)
    if one is None or more or service.device_files or first is None:
        return None
    count = len(one.ids) or (int(one.count) if one.count and re.fullmatch(r"\d{1,4}", one.count) else 0)
    return f"{count} GPU{'' if count == 1 else 's'}" if count and int(first[1]) >= count else None


def runtime(world: World) -> Iterator[Finding]:
    for service in services(world):
        if service.runtime == "nvidia":
            yield kinds.compose.runtime_nvidia.found(
                f"the service `{service.name}` starts only where a runtime `nvidia` is configured",
                (evidence("runtime: nvidia", service.runtime_place or service.place),),
                Fix(f"in {shown(service.runtime_place or service.place)} {_RESERVE}"),
            )


def memory(world: World) -> Iterator[Finding]:
    """Workers that load data hand it over in shared memory, of which a container has 64 MB."""
    for service in services(world):
        if gives_gpu(service) and not service.shares_memory and _has_torch(service):
            yield kinds.compose.shared_memory.found(
                f"the service `{service.name}` has 64 MB of shared memory, too little for torch's data loaders",
                (evidence("neither shm_size nor ipc is set", service.place),),
                Fix(f"in {shown(service.place)} write `shm_size: 8gb`"),
            )


def _has_torch(service: Service) -> bool:
    built = Built(service.dockerfile) if service.dockerfile else None
    one = built.image if built else image(service.image) if service.image else None
    if one and one.framework == "torch":
        return True
    names = {want.name for install in (built.installs if built else ()) for want in install.wanted}
    return bool(names & {"torch", "pytorch", "pytorch-gpu", "lightning", "pytorch-lightning"})
