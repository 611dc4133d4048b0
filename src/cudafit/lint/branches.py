"""Statements of which one way is taken, and those that leave."""

import ast
from collections.abc import Callable
from typing import Any

from cudafit.lint.join import device_of, truth
from cudafit.lint.rules import devices
from cudafit.lint.run import Run
from cudafit.lint.values import (
    ANY,
    UNKNOWN,
    Available,
    Const,
    Device,
    Value,
)


def if_else(run: Run, node: ast.If) -> bool:
    condition = run.evaluate(node.test)
    devices.note_uncalled(run, condition, node.test)
    known = truth(condition)
    if known is not None:
        return run.walk(node.body if known else node.orelse)
    targets = devices.assigned(node) if isinstance(condition, Available) else ()
    seen: list[dict[str, Device | None]] = []
    returned: list[list[Value]] = []
    frame = run.frames[-1]

    def way(body: list[ast.stmt], present: bool) -> Callable[[], bool]:
        def go() -> bool:
            before = len(frame.returns)
            if isinstance(condition, Available) and condition.present is not present:
                run.around.absent.append(node)
                try:
                    alive = run.walk(body)
                finally:
                    run.around.absent.pop()
            else:
                alive = run.walk(body)
            returned.append(frame.returns[before:])
            seen.append({ast.unparse(target): device_of(run.evaluate(target)) for target in targets})
            return alive

        return go

    alive = run.fork(way(node.body, True), way(node.orelse, False))
    if isinstance(condition, Available) and len(returned[0]) == 1 and len(returned[1]) <= 1:
        if returned[1]:
            devices.check_inverted(run, condition, returned[0][0], returned[1][0], node)
        else:
            frame.waiting = (condition, returned[0][0], node)
    if isinstance(condition, Available) and targets:
        for target in targets:
            name = ast.unparse(target)
            if devices.inverted(run, condition, seen[0][name], seen[1][name], node):
                run.assign(target, Device(ANY))
    return alive


def _matches(run: Run, case: ast.match_case, subject: Const) -> bool | None:
    """Whether a literal is of this case; None where that is decided at run time."""
    if case.guard is not None:
        return None
    pattern = case.pattern
    options = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
    if all(isinstance(one, ast.MatchValue) for one in options):
        values = [run.evaluate(one.value) for one in options if isinstance(one, ast.MatchValue)]
        if all(isinstance(one, Const) for one in values):
            return any(isinstance(one, Const) and one.value == subject.value for one in values)
        return None
    return True if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None else None


def match(run: Run, node: ast.Match) -> bool:
    subject = run.evaluate(node.subject)
    if isinstance(subject, Const):
        chosen = next((one for one in node.cases if _matches(run, one, subject) is not False), None)
        if chosen is None:
            return True
        if _matches(run, chosen, subject):
            return run.walk(chosen.body)

    def case(one: ast.match_case) -> Callable[[], bool]:
        def go() -> bool:
            for part in ast.walk(one.pattern):
                name = getattr(part, "name", None)
                if isinstance(name, str):
                    run.set(run.scope.names, name, UNKNOWN)
            return run.walk(one.body)

        return go

    return run.fork(*[case(one) for one in node.cases], lambda: True)


def try_except(run: Run, node: Any) -> bool:
    alive = run.walk(node.body) and run.walk(node.orelse)

    def handler(one: ast.ExceptHandler) -> Callable[[], bool]:
        def go() -> bool:
            if one.name:
                run.set(run.scope.names, one.name, UNKNOWN)
            return run.walk(one.body)

        return go

    for one in node.handlers:
        goes_on = alive
        caught = run.fork(lambda goes_on=goes_on: goes_on, handler(one))  # type: ignore[misc]
        alive = alive or caught
    return run.walk(node.finalbody) and alive


def return_value(run: Run, node: ast.Return) -> bool:
    value = run.evaluate(node.value) if node.value is not None else Const(None)
    frame = run.frames[-1]
    if frame.waiting is not None:
        condition, held, where = frame.waiting
        frame.waiting = None
        if devices.check_inverted(run, condition, held, value, where):
            value = Device(ANY)
    frame.returns.append(value)
    return False


def raise_error(run: Run, node: ast.Raise) -> bool:
    if node.exc is not None:
        run.evaluate(node.exc)
    return False
