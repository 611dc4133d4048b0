"""Options of a command line, and what they are by default."""

import ast
from functools import partial
from typing import TYPE_CHECKING

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.values import CPU, GPU, UNKNOWN, Class, Const, Device, Func, Instance, Map, Seq, Thing, Value

if TYPE_CHECKING:
    from cudafit.lint.run import Run


def as_option(value: Value | None) -> Value:
    """The value of an option by default: a device, or something that is decided when the program is started."""
    if (isinstance(value, Const) and isinstance(value.value, str)) or isinstance(value, Device):
        device = device_of(value)
        if device is not None and device.kind in (CPU, GPU):
            return Device(device.kind, device.node, option=True)
    return UNKNOWN


def parser_method(run: "Run", parser: Thing, name: str, given: Call) -> Value | None:
    if name == "add_argument":
        dest = _dest(given)
        if dest:
            run.set(parser.attrs, dest, as_option(given.get(None, "default")))
        return UNKNOWN
    if name in ("add_argument_group", "add_mutually_exclusive_group"):
        return parser
    if name == "set_defaults":
        for key, value in given.keywords.items():
            run.set(parser.attrs, key, as_option(value))
        return UNKNOWN
    if name in ("parse_args", "parse_intermixed_args"):
        return _namespace(parser, given)
    if name == "parse_known_args":
        return Seq([_namespace(parser, given), UNKNOWN])
    return UNKNOWN


def _namespace(parser: Thing, given: Call) -> Thing:
    made = Thing("namespace", given.node)
    made.attrs.update(parser.attrs)
    return made


def _dest(given: Call) -> str:
    word = given.get(None, "dest")
    if isinstance(word, Const) and isinstance(word.value, str):
        return word.value
    words = [value.value for value in given.args if isinstance(value, Const) and isinstance(value.value, str)]
    long = [one for one in words if one.startswith("--")] or words
    return long[0].lstrip("-").replace("-", "_") if long else ""


def option(_run: "Run", _name: str, given: Call) -> Value:
    """`click.option("--device", default="cpu")`."""
    plain = [value.value for value in given.args if isinstance(value, Const) and isinstance(value.value, str)]
    own = [one for one in plain if not one.startswith("-")]
    name = own[-1] if own else _dest(given)
    return Thing("option", given.node, value=as_option(given.get(None, "default")), name=Const(name))


def decorate(_run: "Run", func: Func, made: Thing) -> None:
    name = made.attrs["name"]
    if isinstance(name, Const) and isinstance(name.value, str):
        func.options[name.value] = made.attrs["value"]
    func.wrapped = True


def typer_option(_run: "Run", _name: str, given: Call) -> Value:
    return as_option(given.get(0, "default"))


def typer_app(_run: "Run", _name: str, given: Call) -> Value:
    return Thing("typer_app", given.node, commands=Seq([]))


def typer_app_method(run: "Run", app: Thing, name: str, given: Call) -> Value | None:
    """`@app.command()` makes options of the arguments of a function; `app()` calls one of them."""
    commands = app.attrs["commands"]
    if name in ("command", "callback"):
        return Thing("typer_command", given.node, commands=commands)
    if name == "__call__" and isinstance(commands, Seq):
        functions = [one for one in commands.items if isinstance(one, Func)]
        run.fork(*[partial(_called, run, one, given) for one in functions], lambda: True)
    return UNKNOWN


def typer_command(run: "Run", func: Func, made: Thing) -> None:
    for key, default in _defaults(func).items():
        func.options.setdefault(key, as_option(run.evaluate(default)))
    commands = made.attrs["commands"]
    if isinstance(commands, Seq):
        commands.items.append(func)


def _called(run: "Run", func: Func, given: Call) -> bool:
    run.invoke(func, Call(given.node))
    return True


def define_flag(run: "Run", _name: str, given: Call) -> Value:
    """`flags.DEFINE_string("device", "cpu", "...")` of absl."""
    first = given.get(0, "name")
    value = as_option(given.get(1, "default"))
    if isinstance(first, Const) and isinstance(first.value, str):
        run.file.flags[first.value] = value
    return Thing("flag", given.node, value=value)


def run_main(run: "Run", name: str, given: Call) -> Value:
    """`fire.Fire(main)`, `app.run(main)`: the function is called with what stands on the command line."""
    for value in given.values():
        if isinstance(value, Func):
            called = value.bound(value.owner, value.cls) if value.owner else value
            for key, default in _defaults(called).items():
                if name.startswith(("fire", "typer", "tyro", "jsonargparse", "defopt")):
                    called.options.setdefault(key, as_option(run.evaluate(default)))
            run.file.seen.add(f"called {id(value.node)}")
            return run.invoke(called, Call(given.node))
        if isinstance(value, Class):
            return parsed(run, value, given)
    return UNKNOWN


def _defaults(func: Func) -> dict[str, ast.expr]:
    arguments = func.node.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    found = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    found.update({one.arg: item for one, item in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if item})
    return found


def parsed(run: "Run", cls: Class, given: Call) -> Value:
    """A dataclass whose fields are options."""
    made = Instance(cls)
    for one in reversed(list(cls.line_of_descent())):
        for field in one.fields or ():
            found = one.attrs.get(field)
            run.set(made.attrs, field, as_option(found))
    return made


def dataclass_parser(_run: "Run", _name: str, given: Call) -> Value:
    """`HfArgumentParser((ModelArguments, TrainingArguments))`."""
    value = given.get(0, "dataclass_types")
    classes = value.items if isinstance(value, Seq) else [value if value is not None else UNKNOWN]
    return Thing("dataclass_parser", given.node, classes=Seq(classes))


def dataclass_parser_method(run: "Run", base: Thing, name: str, given: Call) -> Value | None:
    if not name.startswith("parse"):
        return UNKNOWN
    if name == "parse_dict":
        from cudafit.lint.rules import huggingface  # noqa: PLC0415 - its arguments are those of its Trainer

        value = given.get(0, "args")
        if isinstance(value, Map):
            huggingface.check_arguments(run, value.items, given)
    classes = base.attrs["classes"]
    assert isinstance(classes, Seq)  # noqa: S101 - made so above
    return Seq([parsed(run, one, given) if isinstance(one, Class) else UNKNOWN for one in classes.items])


def field(_run: "Run", _name: str, given: Call) -> Value | None:
    """`field(default="cpu")` of a dataclass."""
    value = given.get(None, "default")
    factory = given.get(None, "default_factory")
    return value if value is not None else factory if isinstance(factory, Class) else UNKNOWN
