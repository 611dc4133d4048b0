"""Functions of Python itself, and of data loaders, through which values pass."""

from collections.abc import Callable

from cudafit.lint.arguments import Call
from cudafit.lint.attributes import element, taken
from cudafit.lint.configs import read_inline
from cudafit.lint.join import join
from cudafit.lint.rules import training
from cudafit.lint.run import Run
from cudafit.lint.values import (
    UNKNOWN,
    Available,
    Class,
    Const,
    Func,
    Instance,
    Map,
    Module,
    Params,
    Seq,
    Thing,
    Value,
)


def nothing(_run: Run, _name: str, _given: Call) -> Value:
    return UNKNOWN


def nothing_method(_run: Run, _base: Thing, _name: str, _given: Call) -> Value | None:
    return UNKNOWN


def parser(_run: Run, _name: str, given: Call) -> Value:
    return Thing("parser", given.node)


def loader(_run: Run, _name: str, given: Call) -> Value:
    return Thing("loader", given.node, dataset=given.get(0, "dataset") or UNKNOWN)


def tensor_dataset(_run: Run, _name: str, given: Call) -> Value:
    return Thing("tensor_dataset", given.node)


def loader_method(_run: Run, base: Thing, name: str, _given: Call) -> Value | None:
    return base if name == "__iter__" else UNKNOWN


def batch_method(_run: Run, base: Thing, name: str, _given: Call) -> Value | None:
    return base if name == "to" else UNKNOWN


def process_group(run: Run, _name: str, given: Call) -> Value:
    """The backend `gloo` is that of the CPU: who writes it down has decided."""
    value = given.get(0, "backend")
    if isinstance(value, Const) and value.value in ("gloo", "mpi"):
        run.note("gloo", True)
    return UNKNOWN


def chain(_run: Run, _name: str, given: Call) -> Value:
    found = [module for value in given.values() for module in training.parameters_in(value)]
    return Params(tuple(found)) if found else UNKNOWN


def _pass_on(_run: Run, _name: str, given: Call) -> Value:
    """`list(x)`, `tqdm(x)`: what comes out is what went in."""
    return given.args[0] if given.args else given.keywords.get("iterable", UNKNOWN)


def _list(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else Seq([])
    return Seq(list(value.items), value.node) if isinstance(value, Seq) else value


def _filter(_run: Run, _name: str, given: Call) -> Value:
    return given.args[1] if len(given.args) > 1 else UNKNOWN


def _map(run: Run, _name: str, given: Call) -> Value:
    function = given.args[0] if given.args else UNKNOWN
    value = given.args[1] if len(given.args) > 1 else UNKNOWN
    if isinstance(function, Func) and isinstance(value, Seq) and len(given.args) == 2:
        return Seq([run.invoke(function, Call(given.node, [item])) for item in value.items])
    for one in given.values():
        run.escape(one)
    return UNKNOWN


def _enumerate(run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    if isinstance(value, Seq):
        return Seq([Seq([UNKNOWN, item]) for item in value.items], value.node)
    made = Thing("enumerate", given.node, item=Seq([UNKNOWN, element(run, value)]))
    made.attrs["over"] = value
    return made


def _zip(run: Run, _name: str, given: Call) -> Value:
    made = Thing("zip", given.node, item=Seq([element(run, value) for value in given.args]))
    made.attrs["over"] = next((value for value in given.args if is_loader(value)), UNKNOWN)
    return made


def _dict(_run: Run, _name: str, given: Call) -> Value:
    items: dict[str, Value] = {}
    for value in given.args:
        if isinstance(value, Map):
            items.update(value.items)
    items.update(given.keywords)
    return Map(items)


def _len(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    return value if isinstance(value, Available) else UNKNOWN


def _bool(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    return value if isinstance(value, Available | Const) else UNKNOWN


def _int(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    return value if isinstance(value, Available) else UNKNOWN


def _str(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    return value if isinstance(value, Const) and isinstance(value.value, str) else UNKNOWN


def _getattr(run: Run, _name: str, given: Call) -> Value:
    name = given.args[1] if len(given.args) > 1 else UNKNOWN
    if not isinstance(name, Const) or not isinstance(name.value, str):
        if len(given.args) > 1:
            run.escape(given.args[0])
        return UNKNOWN
    found = taken(run, given.args[0], name.value)
    return join(found, given.args[2]) if len(given.args) > 2 else found


def _setattr(run: Run, _name: str, given: Call) -> Value:
    from cudafit.lint.objects import adopt  # noqa: PLC0415

    if len(given.args) == 3 and isinstance(given.args[0], Module):
        adopt(run, given.args[0], given.args[2])
    elif len(given.args) == 3 and isinstance(given.args[0], Instance | Class) and isinstance(given.args[1], Const):
        run.set(given.args[0].attrs, str(given.args[1].value), given.args[2])
    return UNKNOWN


def _vars(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    if isinstance(value, Instance):
        return Map(value.attrs)
    return value if isinstance(value, Thing) and value.kind == "namespace" else UNKNOWN


def _namespace(_run: Run, _name: str, given: Call) -> Value:
    made = Thing("namespace", given.node)
    made.attrs.update(given.keywords)
    return made


def _sum(_run: Run, _name: str, given: Call) -> Value:
    value = given.args[0] if given.args else UNKNOWN
    if isinstance(value, Seq) and len(value.items) == 1:
        return value.items[0]
    return UNKNOWN


def load_text(run: Run, _name: str, given: Call) -> Value:
    """`yaml.safe_load("device: cpu")`: a configuration that stands in the code."""
    value = given.args[0] if given.args else UNKNOWN
    if isinstance(value, Const) and isinstance(value.value, str):
        return read_inline(run, value.value, value.node or given.node)
    return value if isinstance(value, Map) else UNKNOWN


def is_loader(value: Value) -> bool:
    return loader_of(value) is not None


def loader_of(value: Value) -> Thing | None:
    """The loader that a loop goes over, also by `enumerate` and `zip`."""
    if isinstance(value, Thing):
        if value.kind in ("enumerate", "zip"):
            return loader_of(value.attrs.get("over", UNKNOWN))
        return value if value.kind == "loader" else None
    return None


FUNCTIONS: dict[str, Callable[[Run, str, Call], Value | None]] = {
    **dict.fromkeys(("builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted", "builtins.reversed"), _list),
    **dict.fromkeys(
        ("builtins.iter", "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "rich.progress.track"), _pass_on
    ),
    "builtins.next": lambda run, _name, given: element(run, given.args[0]) if given.args else UNKNOWN,
    "builtins.filter": _filter,
    "builtins.map": _map,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.dict": _dict,
    "builtins.len": _len,
    "builtins.bool": _bool,
    "builtins.int": _int,
    "builtins.str": _str,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.vars": _vars,
    "builtins.sum": _sum,
    "types.SimpleNamespace": _namespace,
    "argparse.Namespace": _namespace,
    "easydict.EasyDict": _pass_on,
    "ml_collections.ConfigDict": _pass_on,
    **dict.fromkeys(("yaml.safe_load", "yaml.load", "yaml.full_load", "json.loads", "tomllib.loads"), load_text),
    "omegaconf.OmegaConf.create": load_text,
    "omegaconf.DictConfig": _pass_on,
}
