"""Objects of the file's own classes, and functions with the names that their arguments give them."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.join import join
from cudafit.lint.parts import NEW, Place
from cudafit.lint.run import Frame, Run
from cudafit.lint.values import (
    ANY,
    CPU,
    GPU,
    UNKNOWN,
    Choice,
    Class,
    Const,
    Device,
    Func,
    Instance,
    Map,
    Module,
    Scope,
    Seq,
    Thing,
    Value,
)

# How often a function is walked, and how many inside each other. One that the file only offers to others is walked less
# often, as nothing new is known of what it is given.
_MOST_ENTRIES, _MOST_IN_LIBRARY = 24, 3
_DEEPEST, _DEEPEST_IN_LIBRARY = 14, 6


def instantiate(run: Run, cls: Class, given: Call) -> Value:
    run.file.seen.add(f"made {id(cls)}")
    made: Value
    if cls.family in ("module", "lightning", "keras"):
        made = new_module(run, given.node, cls.family, cls)
    elif cls.family == "unknown":
        made = Instance(cls)
        for value in given.values():
            run.escape(value)
    else:
        made = Instance(cls)
    if cls.family == "keras":
        return keras_model(run, cls, given)
    if cls.fields is not None and isinstance(made, Instance):
        _fill(run, made, cls, given)
    start = cls.lookup("__init__")
    if isinstance(start, Func):
        stands, run.around.in_forward = run.around.in_forward, 0
        try:
            run.invoke(start.bound(made, _definer(cls, "__init__")), given)
        finally:
            run.around.in_forward = stands
    return made


def keras_model(run: Run, cls: Class, given: Call) -> Thing:
    made = Thing("keras_model", given.node)
    made.attrs["\0class"] = cls
    run.file.seen.add("tf model")
    for context in run.around.contexts:
        if isinstance(context, Thing) and context.kind == "tf_strategy_scope":
            made.attrs["strategy"] = context.attrs["device"]
    return made


def new_module(run: Run, node: ast.AST, family: str, cls: Class | None = None, name: str = "") -> Module:
    """A module where it is made: on the CPU, unless another device is the default here or someone else places it."""
    made = Module(node, "lightning" if family == "lightning" else "torch", cls, name)
    made.device_name = visible_device(run)
    device = default_device(run)
    if family == "lightning":
        run.move(made, Place(ANY))
    elif device is not None:
        run.move(made, Place(device.kind, device.node, device.option))
    return made


def visible_device(run: Run) -> str:
    """The name under which a device can be used here."""
    named = run.scope.find("device")
    return "device" if isinstance(named, Device) and named.kind in (ANY, GPU) else ""


def default_device(run: Run) -> Device | None:
    """Where things are made here that name no device; None for the CPU of PyTorch itself."""
    for context in reversed(run.around.contexts):
        if isinstance(context, Thing) and context.kind == "device_context":
            held = context.attrs.get("device")
            return held if isinstance(held, Device) else Device(ANY)
    fact = run.fact("default_device")
    return fact if isinstance(fact, Device) else Device(ANY) if fact is not None else None


def adopt(run: Run, parent: Module, value: Value, depth: int = 3) -> None:
    """A module, or the modules in a list, become parts of another."""
    if isinstance(value, Module) and value is not parent and value.root() is not parent:
        if value in parent.ancestors():
            return  # a part that knows the whole
        if value.parent is None:
            value.parent = parent
        parent.children.append(value)
        placed = run.place(value)
        if placed.kind == CPU and run.place(parent).kind == NEW:
            run.set(run.places, parent, placed)
        elif placed.kind in (GPU, ANY):
            run.move(parent, Place(ANY), depth=6)
    elif isinstance(value, Choice) and depth:
        for option in value.options:
            adopt(run, parent, option, depth - 1)
    elif isinstance(value, Seq) and depth:
        for item in value.items:
            adopt(run, parent, item, depth - 1)
    elif isinstance(value, Map) and depth:
        for item in value.items.values():
            adopt(run, parent, item, depth - 1)
    elif isinstance(value, Thing) and value.kind == "iterable":
        adopt(run, parent, value.attrs["item"], depth - 1)


def _definer(cls: Class, name: str) -> Class:
    return next((one for one in cls.line_of_descent() if name in one.attrs), cls)


def _fill(run: Run, made: Instance, cls: Class, given: Call) -> None:
    """The fields of a dataclass."""
    fields = [name for one in reversed(list(cls.line_of_descent())) for name in one.fields or ()]
    for name in fields:
        found = cls.lookup(name)
        run.set(made.attrs, name, found if found is not None else UNKNOWN)
    for name, value in zip(fields, given.args, strict=False):
        run.set(made.attrs, name, value)
    for name, value in given.keywords.items():
        run.set(made.attrs, name, value)
    if not given.complete:
        for name in fields:
            if name not in given.keywords:
                run.set(made.attrs, name, UNKNOWN)


def invoke(run: Run, func: Func, given: Call) -> Value:
    """Walks the body of a function of the file with these arguments."""
    node = func.node
    run.training.entered[node] = run.training.entered.get(node, 0) + 1
    active = any(frame.root is node for frame in run.frames)
    most, deepest = (_MOST_IN_LIBRARY, _DEEPEST_IN_LIBRARY) if run.around.library else (_MOST_ENTRIES, _DEEPEST)
    if active or run.training.entered[node] > most or len(run.frames) > deepest:
        for value in given.values():
            run.escape(value)
        return UNKNOWN
    if func.veiled:
        for value in given.values():
            run.escape(value)
    scope = Scope(func.scope)
    if func.cls is not None:
        scope.names["\0class"] = func.cls
    _bind(run, func, given, scope)
    frame = Frame(scope, node)
    run.frames.append(frame)
    try:
        if isinstance(node, ast.Lambda):
            return run.evaluate(node.body)
        run.walk(node.body)
    finally:
        run.frames.pop()
    if not frame.returns:
        return Const(None)
    result = frame.returns[0]
    for value in frame.returns[1:]:
        result = join(result, value)
    if func.veiled:
        run.escape(result)
    return result


def _bind(run: Run, func: Func, given: Call, scope: Scope) -> None:
    arguments = func.node.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    values = [*func.first, *given.args]
    if func.owner is not None:
        values.insert(0, func.owner)
    defaults: dict[str, ast.expr] = dict(
        zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True)
    )
    defaults.update(
        {one.arg: item for one, item in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if item}
    )
    names += [one.arg for one in arguments.kwonlyargs]
    for name in names:
        scope.names[name] = func.options.get(name) or _default(run, func, defaults.get(name), given)
    for name, value in zip(names, values, strict=False):
        scope.names[name] = value
    extra: dict[str, Value] = {}
    for name, value in given.keywords.items():
        if name in names:
            scope.names[name] = value
        else:
            extra[name] = value
    if arguments.vararg:
        scope.names[arguments.vararg.arg] = Seq(values[len(names) - len(arguments.kwonlyargs) :])
    if arguments.kwarg:
        scope.names[arguments.kwarg.arg] = Map(extra)


def _default(run: Run, func: Func, default: ast.expr | None, given: Call) -> Value:
    if default is None or not given.complete or func.wrapped:
        return UNKNOWN
    return run.evaluate(default)
