"""Lists and dicts: what their own methods do with what they hold."""

from cudafit.lint.arguments import Call
from cudafit.lint.run import Run
from cudafit.lint.values import UNKNOWN, Const, Map, Seq, Value


def sequence_method(run: Run, base: Seq, name: str, given: Call) -> Value | None:
    if name in ("append", "add"):
        base.items.extend(given.args)
        return Const(None)
    if name in ("extend", "update"):
        for value in given.args:
            base.items.extend(value.items if isinstance(value, Seq) else [value])
        return Const(None)
    if name == "insert":
        base.items.extend(given.args[1:])
        return Const(None)
    if name == "copy":
        return Seq(list(base.items), base.node)
    return UNKNOWN if name != "pop" or not base.items else base.items[-1]


def map_method(run: Run, base: Map, name: str, given: Call) -> Value | None:
    if name == "get" and given.args and isinstance(given.args[0], Const):
        key = str(given.args[0].value)
        return base.items.get(key) or given.get(1, "default") or UNKNOWN
    if name == "update":
        for value in given.args:
            if isinstance(value, Map):
                for key, held in value.items.items():
                    run.set(base.items, key, held)
        for key, held in given.keywords.items():
            run.set(base.items, key, held)
        return Const(None)
    if name in ("setdefault", "pop") and given.args and isinstance(given.args[0], Const):
        key = str(given.args[0].value)
        held = base.items.get(key) or given.get(1, "default") or UNKNOWN
        run.set(base.items, key, held if name == "setdefault" else UNKNOWN)
        return held
    if name == "values":
        return Seq(list(base.items.values()))
    if name == "items":
        return Seq([Seq([UNKNOWN, value]) for value in base.items.values()])
    if name == "copy":
        return Map(dict(base.items))
    return UNKNOWN
