"""What two ways through the code leave in a name, and what a value says of a device or of a condition."""

from cudafit.lint.values import (
    ANY,
    CPU,
    GPU,
    UNKNOWN,
    Available,
    Choice,
    Class,
    Const,
    Device,
    Func,
    Host,
    Instance,
    Map,
    Module,
    Ref,
    Seq,
    Tensor,
    Thing,
    Value,
)

_MOST_OPTIONS = 4
_GPUS = ("cuda", "gpu", "/gpu", "/device:gpu", "auto")
# Neither the CPU nor a GPU of CUDA.
_OTHERS = ("mps", "xpu", "hpu", "npu", "tpu", "meta")


def device_of(value: Value) -> Device | None:
    """The device that a value names when it stands where a device is expected; None where it names none."""
    if isinstance(value, Device):
        return value
    if isinstance(value, Const):
        if isinstance(value.value, str):
            text = value.value.lower()
            if text == "cpu" or text.startswith("cpu:"):
                return Device(CPU, value.node)
            return Device(GPU if text.startswith(_GPUS) else ANY, value.node)
        if isinstance(value.value, int) and not isinstance(value.value, bool):
            return Device(GPU if value.value >= 0 else CPU, value.node)
    return None


def _names_device(value: Value) -> Device | None:
    """The same for a value of which it is not known what it is for."""
    if isinstance(value, Const) and isinstance(value.value, int):
        return None
    device = device_of(value)
    if device is not None and device.kind == ANY and isinstance(value, Const):
        return device if str(value.value).lower().startswith(_OTHERS) else None
    return device


def join(one: Value, other: Value) -> Value:
    """One value for both; what cannot be one is a choice, and a long choice is unknown."""
    if one is other or _same(one, other):
        return one
    first, second = _names_device(one), _names_device(other)
    if first and second:
        if first.kind == second.kind:
            return second if second.option else first
        return Device(ANY)
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        place = one.place if one.place == other.place else "device"
        return Tensor(place, one.node, one.modules | other.modules, scalar=one.scalar and other.scalar)
    if isinstance(one, Available) and isinstance(other, Available) and one.present == other.present:
        return Available(one.present, pure=False)
    options = [*_options(one)]
    options += [new for new in _options(other) if not any(_same(new, old) for old in options)]
    return UNKNOWN if len(options) > _MOST_OPTIONS or all(one is UNKNOWN for one in options) else Choice(options)


def _options(value: Value) -> list[Value]:
    return value.options if isinstance(value, Choice) else [value]


def _same(one: Value, other: Value) -> bool:
    if one is other:
        return True
    if isinstance(one, Const) and isinstance(other, Const):
        return type(one.value) is type(other.value) and one.value == other.value
    if isinstance(one, Ref) and isinstance(other, Ref):
        return one.name == other.name
    return isinstance(one, Func) and isinstance(other, Func) and one.node is other.node and one.owner is other.owner


def truth(value: Value) -> bool | None:
    """Whether a condition holds; None where that is decided at run time."""
    if isinstance(value, Const):
        return bool(value.value)
    if isinstance(value, Seq | Map):
        return True if value.items else None
    if isinstance(value, Module | Thing | Func | Class | Instance | Host):
        return True if isinstance(value, Module | Func | Class) else None
    return None


def modules_in(value: Value, depth: int = 4) -> list[Module]:
    """The modules that a value is or holds."""
    if value is UNKNOWN:
        return []
    if isinstance(value, Module):
        return [value]
    if depth == 0:
        return []
    parts: list[Value] = []
    if isinstance(value, Seq):
        parts = value.items
    elif isinstance(value, Map):
        parts = list(value.items.values())
    elif isinstance(value, Choice):
        parts = value.options
    elif isinstance(value, Instance | Thing):
        parts = list(value.attrs.values())
    return [module for part in parts for module in modules_in(part, depth - 1)]
