"""Tests handed to workers as `--dist loadgroup` does, in time that does not grow with the square of their number.

xdist looks through all that a worker has ever done, and through the names of all tests, before it hands out the next.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]


class Quick(LoadGroupScheduling):  # type: ignore[misc]
    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = Names(self.registered_collections[node])

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        scope = self._split_scope(self.registered_collections[node][item_index])
        super().mark_test_complete(node, item_index, duration)
        work = self.assigned_work[node]
        if all(work[scope].values()):
            del work[scope]


class Names(list[str]):
    """A list that knows where each of its items stands."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(names)
        self._places = {name: place for place, name in reversed(list(enumerate(self)))}

    def index(self, name: str, *_bounds: Any) -> int:
        return self._places[name]
