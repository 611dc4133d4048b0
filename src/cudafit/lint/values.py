"""What a name can stand for while the code is followed. Everything that is not known is `UNKNOWN`, and stays silent."""

import ast
from collections.abc import Iterator
from itertools import count

CPU, GPU, ANY = "cpu", "gpu", "any"


class Value:
    """Something of which nothing is known; the classes below know more."""

    __slots__ = ()


UNKNOWN = Value()


class Const(Value):
    """A literal, and where it stands."""

    __slots__ = ("node", "value")

    def __init__(self, value: object, node: ast.AST | None = None) -> None:
        self.value = value
        self.node = node


class Ref(Value):
    """Something imported, by its full name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Device(Value):
    """A device: `cpu`, `gpu`, or `any` where it is chosen at run time. `option`: what an option is by default."""

    __slots__ = ("kind", "node", "option")

    def __init__(self, kind: str, node: ast.AST | None = None, *, option: bool = False) -> None:
        self.kind = kind
        self.node = node
        self.option = option


class Available(Value):
    """True exactly where there is a GPU (`present`), or where there is none. Not `pure`: other things count too."""

    __slots__ = ("present", "pure")

    def __init__(self, present: bool = True, pure: bool = True) -> None:
        self.present = present
        self.pure = pure


class Scope:
    """The names of a module, a function call or a class body."""

    __slots__ = ("global_names", "names", "outer")

    def __init__(self, outer: "Scope | None" = None) -> None:
        self.names: dict[str, Value] = {}
        self.outer = outer
        self.global_names: set[str] = set()

    def find(self, name: str) -> Value | None:
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None


Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Func(Value):
    """A function of the file, bound to `owner` where it is a method."""

    __slots__ = ("cls", "first", "jitted", "node", "options", "owner", "scope", "veiled", "wrapped")

    def __init__(self, node: Function, scope: Scope, owner: Value | None = None, cls: "Class | None" = None) -> None:
        self.node = node
        self.scope = scope
        self.owner = owner
        self.cls = cls
        self.jitted = False  # JAX compiles it
        self.wrapped = False  # a decorator gives it arguments that the file does not show
        self.veiled = False  # a decorator that the file does not show stands before it: it may place what goes through
        self.options: dict[str, Value] = {}  # what a command line library, or `partial`, gives by default
        self.first: tuple[Value, ...] = ()  # what `partial` gives before all else

    def bound(self, owner: Value, cls: "Class | None") -> "Func":
        made = Func(self.node, self.scope, owner, cls or self.cls)
        made.jitted, made.wrapped, made.veiled = self.jitted, self.wrapped, self.veiled
        made.options, made.first = self.options, self.first
        return made

    def partial(self, args: list[Value], keywords: dict[str, Value]) -> "Func":
        made = Func(self.node, self.scope, self.owner, self.cls)
        made.jitted, made.wrapped, made.veiled = self.jitted, self.wrapped, self.veiled
        made.options, made.first = {**self.options, **keywords}, (*self.first, *args)
        return made


class Class(Value):
    """A class of the file; its family says what it descends from."""

    __slots__ = ("attrs", "bases", "family", "fields", "node")

    def __init__(self, node: ast.ClassDef, family: str, bases: list["Class"]) -> None:
        self.node = node
        self.family = family  # module, lightning, keras, dataset, plain, unknown
        self.bases = bases
        self.attrs: dict[str, Value] = {}
        self.fields: list[str] | None = None  # of a dataclass, in order

    def line_of_descent(self) -> Iterator["Class"]:
        yield self
        for base in self.bases:
            yield from base.line_of_descent()

    def lookup(self, name: str) -> Value | None:
        return next((one.attrs[name] for one in self.line_of_descent() if name in one.attrs), None)


class Instance(Value):
    """An object of a class of the file that is no module."""

    __slots__ = ("attrs", "cls")

    def __init__(self, cls: Class) -> None:
        self.cls = cls
        self.attrs: dict[str, Value] = {}


_serials = count(1)


def next_serial() -> int:
    return next(_serials)


class Module(Value):
    """A network, or a layer. Where it is placed is kept by the run, as that changes along the way."""

    __slots__ = (
        "attrs",
        "children",
        "cls",
        "companions",
        "device_name",
        "family",
        "name",
        "node",
        "parent",
        "put_apart",
        "serial",
        "unsure",
        "weightless",
    )

    def __init__(self, node: ast.AST, family: str, cls: Class | None = None, name: str = "") -> None:
        self.node = node
        self.family = family  # torch, lightning, loaded, diffusers
        self.cls = cls
        self.name = name
        self.attrs: dict[str, Value] = {}
        self.children: list[Module] = []
        self.parent: Module | None = None
        self.serial = next_serial()
        self.device_name = ""  # the name of a device at the place where it is made
        self.companions: list[Tensor] = []  # tensors of the CPU that it is given, or that meet what it gives
        self.unsure = False  # it meets something else, too
        self.weightless = False
        self.put_apart = False  # its parameters are moved one by one, or in vain: not its own fault

    def ancestors(self) -> Iterator["Module"]:
        module, seen = self.parent, 0
        while module is not None and seen < 20:
            yield module
            module, seen = module.parent, seen + 1

    def root(self) -> "Module":
        module = self
        for one in self.ancestors():
            module = one
        return module


class Part(Value):
    """Something inside a module, of which no more is known."""

    __slots__ = ("module",)

    def __init__(self, module: Module) -> None:
        self.module = module


class Tensor(Value):
    """`cpu`: made without a device. `device`: on a device, or given from outside. `host`: brought back from it."""

    __slots__ = ("item", "made_from", "modules", "node", "place", "scalar")

    def __init__(
        self, place: str, node: ast.AST | None = None, modules: frozenset[Module] = frozenset(), *, scalar: bool = False
    ) -> None:
        self.place = place
        self.node = node
        self.modules = modules
        self.scalar = scalar  # no dimension: it may be mixed with tensors of any device
        self.made_from: tuple[Tensor, ...] = ()  # the tensors that it was computed from
        self.item: str | None = None  # which loop gave it, and by which sign it is taken for a tensor


class Host(Value):
    """An array of NumPy that came from the device."""

    __slots__ = ("computed", "loop", "node", "tool")

    def __init__(self, node: ast.AST, tool: str, loop: object, *, computed: bool = False) -> None:
        self.node = node
        self.tool = tool  # torch, cupy
        self.loop = loop
        self.computed = computed


class HostArray(Value):
    """An array of NumPy that was made on the host, in this loop or function. `root`: what it was computed from."""

    __slots__ = ("changed_here", "loop", "root")

    def __init__(self, loop: object, root: "HostArray | None" = None) -> None:
        self.loop = loop
        self.root = root or self
        self.changed_here = False

    def change(self) -> None:
        self.root.changed_here = True  # what was computed from it may be a view

    @property
    def changed(self) -> bool:
        return self.root.changed_here


class Params(Value):
    """The parameters of modules."""

    __slots__ = ("modules",)

    def __init__(self, modules: tuple[Module, ...]) -> None:
        self.modules = modules


class Optimizer(Value):
    """What makes steps with the parameters of modules."""

    __slots__ = ("modules",)

    def __init__(self, modules: tuple[Module, ...]) -> None:
        self.modules = modules


class Seq(Value):
    """A list, tuple or set, as far as it is known."""

    __slots__ = ("items", "node")

    def __init__(self, items: list[Value], node: ast.AST | None = None) -> None:
        self.items = items
        self.node = node


class Map(Value):
    """A dict with its known keys."""

    __slots__ = ("items",)

    def __init__(self, items: dict[str, Value]) -> None:
        self.items = items


class Thing(Value):
    """An object of a library: what it is, where it was made, and what is known of it."""

    __slots__ = ("attrs", "kind", "node")

    def __init__(self, kind: str, node: ast.AST, /, **attrs: Value) -> None:
        self.kind = kind
        self.node = node
        self.attrs: dict[str, Value] = attrs


class Choice(Value):
    """One of several, decided at run time."""

    __slots__ = ("options",)

    def __init__(self, options: list[Value]) -> None:
        self.options = options


class Super(Value):
    """`super()` of an object."""

    __slots__ = ("cls", "owner")

    def __init__(self, owner: Value, cls: Class) -> None:
        self.owner = owner
        self.cls = cls
