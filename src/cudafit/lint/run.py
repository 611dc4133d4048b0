"""One walk through a file: the names, where each module is placed, and what was found on the way.

The two ways of a branch are walked one after the other from the same state. What each of them changes is noted in a
journal and taken back; then both are joined.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cudafit.lint.join import join, modules_in
from cudafit.lint.parts import BACK, NEW, Around, Ending, File, Hit, Nodes, Place, Tensors, Training
from cudafit.lint.values import (
    ANY,
    CPU,
    GPU,
    UNKNOWN,
    Available,
    Class,
    Const,
    Device,
    Func,
    HostArray,
    Instance,
    Map,
    Module,
    Ref,
    Scope,
    Tensor,
    Thing,
    Value,
    next_serial,
)
from cudafit.model.code_finding import Edit
from cudafit.model.kind import FindingKind

_MISSING: Any = object()
_MOST_STEPS = 1_500_000


class TooLongError(Exception):
    """The code cannot be followed within the steps that are allowed."""


class Frame:
    """A function that is being walked."""

    def __init__(self, scope: Scope, root: ast.AST) -> None:
        self.scope = scope
        self.root = root
        self.returns: list[Value] = []
        self.waiting: tuple[Available, Value, ast.AST] | None = None  # returned only where a condition holds


class Run:
    """What is known at this point of the walk."""

    def __init__(self, scope: Scope, installed: Mapping[str, str] | None = None) -> None:
        self.module = scope
        self.installed = installed or {}  # versions of packages where the code will run; empty where that is not known
        self.frames = [Frame(scope, ast.Pass())]
        self.hits: dict[tuple[str, int], Hit] = {}
        self.places: dict[Module, Place] = {}
        self.facts: dict[str, Any] = {}  # changed by calls, undone with a branch: `default_device`, `cuda_started` ...
        self.around = Around()
        self.file = File()
        self.training = Training()
        self.tensors = Tensors()
        self.ending = Ending()
        self.nodes = Nodes()
        self.oldest = 0  # modules made before this one may have been placed by whoever calls the function
        self.again = False
        self.steps = 0
        self._journal: dict[tuple[int, Any], tuple[dict[Any, Any], Any]] | None = None
        # Set by the walk itself: expressions and statements need each other.
        self.evaluate: Callable[[ast.expr], Value] = lambda _node: UNKNOWN
        self.invoke: Callable[[Func, Any], Value] = lambda _func, _call: UNKNOWN
        self.assign: Callable[[ast.expr, Value], None] = lambda _target, _value: None
        self.walk: Callable[[Sequence[ast.stmt]], bool] = lambda _body: True

    @property
    def scope(self) -> Scope:
        return self.frames[-1].scope

    @property
    def loop(self) -> ast.AST:
        """The innermost loop, or the function that is walked for itself."""
        return self.around.loops[-1] if self.around.loops else self.frames[-1].root

    @property
    def conditions_in_loop(self) -> int:
        """How many undecided branches are around, inside of the innermost loop."""
        return self.around.conditions - (self.around.loop_conditions[-1] if self.around.loop_conditions else 0)

    def note_step(self, where: ast.AST) -> None:
        self.training.stepped[where] = max(self.conditions_in_loop, self.training.stepped.get(where, 0))

    def tick(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooLongError

    def set(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        """Every change that a branch could make goes through here."""
        if self._journal is not None:
            mark = (id(where), key)
            if mark not in self._journal:
                self._journal[mark] = (where, where.get(key, _MISSING))
        where[key] = value

    def fork(self, *ways: Callable[[], bool]) -> bool:
        """Walks each way from here and joins what they leave; False where none of them goes on."""
        outer = self._journal
        outcomes = []
        self.around.conditions += 1
        for way in ways:
            self._journal = {}
            try:
                alive = way()
            finally:
                changed = [(where, key, where.get(key, _MISSING)) for (_, key), (where, _) in self._journal.items()]
                for (_, key), (where, old) in self._journal.items():
                    if old is _MISSING:
                        where.pop(key, None)
                    else:
                        where[key] = old
                self._journal = outer
            outcomes.append((alive, changed))
        self.around.conditions -= 1
        self._merge(outcomes)
        return any(alive for alive, _ in outcomes)

    def _merge(self, outcomes: list[tuple[bool, list[tuple[dict[Any, Any], Any, Any]]]]) -> None:
        if not any(changed for _, changed in outcomes):
            return
        some_alive = any(alive for alive, _ in outcomes)
        wheres: dict[tuple[int, Any], dict[Any, Any]] = {}
        for _, changed in outcomes:
            wheres.update({(id(where), key): where for where, key, _ in changed})
        tables = [(alive, {(id(where), key): value for where, key, value in changed}) for alive, changed in outcomes]
        for mark, where in wheres.items():
            absent = self.place(mark[1]) if where is self.places else None if where is self.facts else _MISSING
            before = where.get(mark[1], absent)
            ended = where is self.scope.names and some_alive  # a way that returned leaves its names behind
            values = [table.get(mark, before) for alive, table in tables if alive or not ended]
            alive_values = [table.get(mark, before) for alive, table in tables if alive]
            self.set(where, mark[1], self._joined(values, alive_values))

    def _joined(self, values: list[Any], alive_values: list[Any]) -> Any:
        known = [value for value in values if value is not _MISSING]
        if not known:
            return UNKNOWN
        result = known[0]
        if isinstance(result, Place):
            return _join_places(known, alive_values)
        for value in known[1:]:
            if isinstance(result, Value) and isinstance(value, Value):
                result = join(result, value)
            elif result != value:
                result = ANY
        return result

    def hit(self, kind: FindingKind, node: ast.AST, message: str, edits: tuple[Edit, ...] = (), fix: str = "") -> None:
        self.hits.setdefault((kind.id, id(node)), Hit(kind, node, message, edits, fix))

    def place(self, module: Module) -> Place:
        return self.places.get(module, _NEW if module.serial >= self.oldest else _ANYWHERE)

    def forget(self, names: tuple[str, ...]) -> None:
        """A function begins that others call, at a time and with modules that are theirs to choose."""
        self.places.clear()
        self.oldest = next_serial()
        for name in names:
            self.facts.pop(name, None)

    def move(self, module: Module, place: Place, depth: int = 0) -> None:
        """Puts a module and all that is in it there; the one around it is then of mixed places, and not judged."""
        self._put(module, place)
        if depth < 6:
            for child in module.children:
                self.move(child, place, depth + 1)
        for parent in module.ancestors() if depth == 0 else ():
            if self.place(parent).kind == NEW:
                self._put(parent, Place(ANY))

    def _put(self, module: Module, place: Place) -> None:
        if place.kind in (GPU, ANY):
            self.training.touched.add(module)
            if place.node is not None:
                self.training.on_gpu.add(module.node)
                self.training.moved.add(module)
        elif place.option:
            self.training.chosen.add(module)
        old = self.place(module)
        if place.kind == CPU and _on_device(old):
            place = Place(BACK, place.node, place.option)
            self.again = True
        self.set(self.places, module, place)

    def escape(self, value: Value, depth: int = 4) -> None:
        """Something that the file does not show gets this: it may place modules, and change settings."""
        if type(value) in _INERT:
            return
        if isinstance(value, HostArray) and self.around.loops:
            value.change()
        for module in modules_in(value):
            self.move(module, Place(ANY))
        self._open(value, depth)

    def _open(self, value: Value, depth: int) -> None:
        if isinstance(value, Instance | Map | Thing) and depth:
            holder = value.items if isinstance(value, Map) else value.attrs
            if isinstance(value, Thing) and value.kind not in ("namespace", "hf_args"):
                return
            for key, held in list(holder.items()):
                self._open(held, depth - 1)
                if not isinstance(held, Instance | Map | Module | Func):
                    self.set(holder, key, UNKNOWN)

    def recover(self) -> None:
        """Back to the top of the file, after a part of it could not be walked to its end."""
        del self.frames[1:]
        self.around.recover()
        self._journal = None

    def fact(self, name: str) -> Any:
        return self.facts.get(name)

    def note(self, name: str, value: Any) -> None:
        self.set(self.facts, name, value)


_INERT = (Value, Const, Ref, Tensor, Device, Func, Class)
_NEW = Place(NEW)
_ANYWHERE = Place(ANY)


def _on_device(place: Place) -> bool:
    """Moved to the GPU, at least where there is one; or back from it."""
    return place.kind in (GPU, BACK) or (place.kind == ANY and place.node is not None)


def _join_places(places: list[Any], alive: list[Any]) -> Place:
    """BACK wins, where the code goes on after it: on that way the training continues on the CPU."""
    kinds = {place.kind for place in places}
    if len(kinds) == 1:
        return places[0]  # type: ignore[no-any-return]
    for place in alive:
        if isinstance(place, Place) and place.kind == BACK and all(map(_on_device, places)):
            return place
    moved = [place.node for place in places if place.kind in (GPU, ANY)]
    if moved and all(moved):
        return Place(ANY, moved[0])  # moved by this, at least where there is a GPU
    return Place(ANY)


def placed_by(device: Device | None, node: ast.AST) -> Place:
    """The place that a device argument leads to."""
    if device is None:
        return Place(ANY)
    return Place(device.kind, device.node or node, device.option)
