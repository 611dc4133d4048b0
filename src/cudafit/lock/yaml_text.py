"""YAML of locks that others wrote, as plain values."""

from typing import Any

import yaml

from cudafit.system.parsing import reason

_MOST = 1_000_000  # values that aliases and merges (`<<`) may bring about: each may repeat all those before it


class YamlError(ValueError):
    """What is no YAML, or none that anybody writes; as one line."""


class _Loader(yaml.SafeLoader):
    """SafeLoader, within bounds: in older releases of PyYAML a few lines of merges grow without end."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > _MOST:
            raise _without_end(node)


def load(text: str) -> Any:
    """Raises YamlError, ValueError and RecursionError."""
    try:
        return _loaded(text)
    except yaml.YAMLError as error:
        raise YamlError(reason(error)) from None


def _loaded(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > _MOST:
            raise _without_end(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values it is, with each alias counted as all that it stands for: whoever goes through it meets them."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST + 1  # until it is known; one that holds itself has no end
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    size = 1 if isinstance(node, yaml.ScalarNode) else 1 + sum(_size(part, known) for part in parts)
    known[id(node)] = size
    return size


def _without_end(node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, "it repeats itself without end", node.start_mark)
