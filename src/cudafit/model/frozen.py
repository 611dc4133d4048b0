"""`@frozen`: the dataclass of our records, made in a quarter of the time.

`dataclasses.dataclass(frozen=True)` compiles five functions for each class; with the forty classes that a command
needs, that is a third of its time. Here only `__init__` is compiled, and only for a class with many instances; the
others are shared.
To everything else (`fields`, `replace`, `is_dataclass`, type checkers) such a class is a frozen dataclass.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_told: object) -> Callable[[Any], Any]:
        """For type checkers alone; Python has it from 3.11 on, and nothing here looks at it."""
        return lambda function: function


Class = TypeVar("Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Class]) -> type[Class]:
    """A dataclass whose instances are values: compared by content, hashable, never changed."""
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    made.__init__ = _first_init(made)
    made.__eq__ = _eq
    made.__hash__ = _hash
    made.__repr__ = _repr
    made.__setattr__ = _set
    made.__delattr__ = _delete
    return made  # type: ignore[no-any-return]


_FEW = 40  # to compile an `__init__` takes as long as to fill so many instances without one


def _first_init(cls: Any) -> Callable[..., None]:
    """Compiles the real `__init__` where there are many instances, and puts it in its own place."""
    count = 0

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it is the class's own until then
        nonlocal count
        count += 1
        values = _values(cls.__dataclass_fields__.values(), args, kwargs) if count <= _FEW else None
        if values is None:
            cls.__init__ = _compiled_init(cls)
            cls.__init__(self, *args, **kwargs)
        else:
            self.__dict__.update(values)

    return __init__


def _values(parts: Iterable[Field[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """In the order of the fields; None where the arguments are not those of the class, which Python says best."""
    rest = iter(parts)
    values = {part.name: value for value, part in zip(args, rest, strict=False)}
    left = len(kwargs) + len(args) - len(values)
    for part in rest:
        if part.name in kwargs:
            values[part.name] = kwargs[part.name]
            left -= 1
        elif part.default is not MISSING:
            values[part.name] = part.default
        elif part.default_factory is not MISSING:
            values[part.name] = part.default_factory()
        else:
            return None
    return None if left else values


def _compiled_init(cls: Any) -> Callable[..., None]:
    names: dict[str, Any] = {"MISSING": MISSING}
    parameters, items = ["self"], []
    for part in cls.__dataclass_fields__.values():
        value = part.name
        if part.default is not MISSING:
            names[f"default_{part.name}"] = part.default
            parameters.append(f"{part.name}=default_{part.name}")
        elif part.default_factory is not MISSING:
            names[f"make_{part.name}"] = part.default_factory
            parameters.append(f"{part.name}=MISSING")
            value = f"make_{part.name}() if {part.name} is MISSING else {part.name}"
        else:
            parameters.append(part.name)
        items.append(f"{part.name!r}: {value}")
    # Only the field names of our own classes are in this text.
    exec(f"def __init__({', '.join(parameters)}):\n self.__dict__.update({{{', '.join(items)}}})", names)  # noqa: S102
    init: Callable[..., None] = names["__init__"]
    return init


def _eq(self: object, other: object) -> bool:
    return self.__dict__ == other.__dict__ if other.__class__ is self.__class__ else NotImplemented


def _hash(self: object) -> int:
    return hash(tuple(self.__dict__.values()))


def _repr(self: object) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


def _set(_self: object, name: str, _value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
