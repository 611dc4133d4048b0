"""Which GPUs CUDA enumerates, and in which order, under `CUDA_VISIBLE_DEVICES`.

Sources: CUDA Programming Guide, "CUDA Environment Variables" (indices, UUID prefixes, the cut at the first invalid
token, `CUDA_DEVICE_ORDER`); MIG User Guide, "CUDA Device Enumeration" (one compute instance, no other GPU beside
it); PyTorch's `torch.cuda._parse_visible_devices`, which mirrors what libcuda does with text after a number
(`strtoul`: `1gpu` is 1) and with repeated entries (no device at all).
"""

import re
from collections.abc import Mapping, Sequence

from cudafit.model.frozen import frozen
from cudafit.model.machine import Gpu, VisibleDevices
from cudafit.model.versions import numbers

VARIABLE = "CUDA_VISIBLE_DEVICES"
ORDER_VARIABLE = "CUDA_DEVICE_ORDER"


@frozen
class _Order:
    """GPUs as CUDA numbers them before the variable is applied; from `certain` on, positions may be swapped."""

    gpus: tuple[Gpu, ...]
    certain: int


def visible_devices(gpus: Sequence[Gpu], environment: Mapping[str, str]) -> VisibleDevices:
    """What a CUDA program that starts in this environment sees."""
    numbered = _cuda_order(gpus, environment.get(ORDER_VARIABLE, "FASTEST_FIRST"))
    value = environment.get(VARIABLE)
    if value is None:
        return _with_mig(VisibleDevices(None, tuple(gpu.index for gpu in numbered.gpus)), gpus)
    if not value.strip():
        return VisibleDevices(value, (), note=f"{VARIABLE} is set and empty: every GPU is hidden")
    return _with_mig(_select(value, numbered), gpus)


def _select(value: str, numbered: _Order) -> VisibleDevices:
    chosen: list[int | str] = []
    certain = True
    tokens = [token.strip() for token in value.split(",")]
    by_uuid = tokens[0].startswith(("GPU-", "MIG-"))
    prefix = tokens[0][:4]
    note = None
    for token in tokens:
        if by_uuid:
            found = _by_uuid(token, numbered.gpus) if token.startswith(prefix) else None
            reason = "names no GPU here, or more than one"
        else:
            position = _leading_number(token)
            found = numbered.gpus[position].index if position is not None and position < len(numbered.gpus) else None
            certain = certain and (found is None or (position or 0) < numbered.certain)
            reason = "is not the number of a GPU here"
        if found is None:
            note = f"`{token}` {reason}: CUDA ignores it and all that follows"
            break
        if found in chosen:
            return VisibleDevices(value, (), note=f"`{token}` is repeated: CUDA then shows no GPU at all")
        chosen.append(found)
    if not certain:
        which = "which comes first" if len(chosen) == len(numbered.gpus) else "which these are"
        note = f"CUDA numbers unlike GPUs fastest first: {which} is certain only with {ORDER_VARIABLE}=PCI_BUS_ID"
    return VisibleDevices(value, tuple(chosen), certain, note)


def _leading_number(token: str) -> int | None:
    number = re.match(r"\+?0*([0-9]{1,9})(?![0-9])", token)
    return int(number.group(1)) if number else None  # a longer one is no GPU's, and too long for int()


def _by_uuid(token: str, gpus: Sequence[Gpu]) -> int | str | None:
    """The GPU index, or the full UUID of a MIG device, whose UUID starts with `token`, if that is one device only."""
    if token.startswith("MIG-GPU-"):  # the older form: MIG-<GPU UUID>/<GPU instance>/<compute instance>
        parts = token.removeprefix("MIG-").split("/")
        matches: list[int | str] = [
            slice_.uuid
            for gpu in gpus
            for slice_ in gpu.mig_devices
            if slice_.uuid
            and gpu.uuid
            and gpu.uuid.lower().startswith(parts[0].lower())
            and parts[1:] == [str(slice_.gpu_instance), str(slice_.compute_instance)]
        ]
    elif token.startswith("MIG-"):
        matches = [
            slice_.uuid
            for gpu in gpus
            for slice_ in gpu.mig_devices
            if slice_.uuid and slice_.uuid.lower().startswith(token.lower())
        ]
    else:
        matches = [gpu.index for gpu in gpus if gpu.uuid and gpu.uuid.lower().startswith(token.lower())]
    return matches[0] if len(matches) == 1 else None


def _with_mig(seen: VisibleDevices, gpus: Sequence[Gpu]) -> VisibleDevices:
    """CUDA uses one MIG compute instance, the first, and then no other GPU."""
    slices = {gpu.index: [s.uuid for s in gpu.mig_devices if s.uuid] for gpu in gpus if gpu.mig}
    if not any(item in slices or isinstance(item, str) for item in seen.order):
        return seen
    first = next((uuid for item in seen.order for uuid in _slices_of(item, slices)), None)
    if first is None:
        whole = tuple(item for item in seen.order if item not in slices)
        note = "a GPU in MIG mode without a compute instance cannot run CUDA programs"
        return VisibleDevices(seen.variable, whole, seen.certain, seen.note or note)
    if seen.order == (first,):
        return seen
    # The guide adds that a later driver may lift this, so what else there is cannot be called hidden for certain.
    note = "by NVIDIA's MIG guide CUDA uses one compute instance, the first, and no other GPU beside it"
    return VisibleDevices(seen.variable, (first,), certain=False, note=seen.note or note)


def _slices_of(item: int | str, slices: Mapping[int, list[str]]) -> Sequence[str]:
    return [item] if isinstance(item, str) else slices.get(item, [])


def _cuda_order(gpus: Sequence[Gpu], order: str) -> _Order:
    """PCI order, or the fastest GPU first and the rest in PCI order, as far as that can be told from outside."""
    in_bus_order = tuple(sorted(gpus, key=lambda gpu: gpu.index))
    if order == "PCI_BUS_ID" or len({(gpu.name, gpu.compute_capability) for gpu in gpus}) <= 1:
        return _Order(in_bus_order, len(gpus))
    for candidate in in_bus_order:
        others = tuple(gpu for gpu in in_bus_order if gpu is not candidate)
        if all(_is_no_slower(candidate, other) for other in others):
            alike = len({(gpu.name, gpu.compute_capability) for gpu in others}) <= 1
            return _Order((candidate, *others), len(gpus) if alike else 1)
    return _Order(in_bus_order, 0)


def _is_no_slower(one: Gpu, other: Gpu) -> bool:
    """Newer or as new, and at least the throughput; where either is unknown, nothing can be said."""
    if (one.name, one.compute_capability) == (other.name, other.compute_capability):
        return True
    speed, other_speed = _throughput(one), _throughput(other)
    if speed is None or other_speed is None or not one.compute_capability or not other.compute_capability:
        return False
    newer = numbers(one.compute_capability) >= numbers(other.compute_capability)
    return newer and speed > other_speed


def _throughput(gpu: Gpu) -> int | None:
    if gpu.cores is None or gpu.clocks is None or gpu.clocks.sm_max is None:
        return None
    return gpu.cores * gpu.clocks.sm_max
