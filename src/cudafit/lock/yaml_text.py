"""YAML of locks that others wrote, as plain values."""

from typing import Any

import yaml

_MOST = 1_000_000  # pairs that merges (`<<`) may bring about: each may repeat all that those before it brought


class _Loader(yaml.SafeLoader):
    """SafeLoader, within bounds: in older releases of PyYAML a few lines of merges grow without end."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > _MOST:
            raise yaml.constructor.ConstructorError(None, None, "it repeats itself without end", node.start_mark)


def load(text: str) -> Any:
    """Raises YAMLError, ValueError and RecursionError."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
