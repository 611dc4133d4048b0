"""YAML as the matrices are written: every scalar is a text, keys are unique, and there is one way to write a thing.

`12.10` stays `12.10`, `no` stays `no`. Each mapping and list remembers the line where it begins, so that a problem can
be reported where it stands.
"""

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

import yaml

from cudafit.matrix.plain_rows import Lined, read, written


class MatrixSyntaxError(ValueError):
    """A file that is not YAML as the matrices are written."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


# libyaml where PyYAML was built with it: several times as fast, and the same result.
_Base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Loader(_Base):  # type: ignore[misc]
    """BaseLoader leaves every scalar a text; what it does not do is refuse a key that stands twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Lined:
    result = Lined()
    result.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise MatrixSyntaxError(key_node.start_mark.line + 1, "a key must be a text")
        if key in result:
            raise MatrixSyntaxError(key_node.start_mark.line + 1, f"the key `{key}` stands twice")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(text: str) -> Any:
    """The value of a YAML text; raises MatrixSyntaxError."""
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line:
            raise MatrixSyntaxError(number, "a tab; indent with spaces")
    plain = read(text, parsed)
    return parsed(text) if plain is None else plain


def parsed(text: str) -> Any:
    """The same by the YAML parser alone."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - constructs nothing but texts, lists and mappings
    except MatrixSyntaxError:
        raise
    except RecursionError:
        raise MatrixSyntaxError(1, "it is nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        raise MatrixSyntaxError(mark.line + 1 if mark else 1, what) from None


class _Dumper(
    yaml.emitter.Emitter, yaml.serializer.Serializer, yaml.representer.SafeRepresenter, yaml.resolver.BaseResolver
):
    """Writes texts plain wherever YAML's syntax allows: nothing is taken for a number on the way back."""

    def __init__(self, stream: Any) -> None:
        yaml.emitter.Emitter.__init__(self, stream, width=1 << 20, allow_unicode=True)
        yaml.serializer.Serializer.__init__(self)
        yaml.representer.SafeRepresenter.__init__(self, default_flow_style=True, sort_keys=False)
        yaml.resolver.BaseResolver.__init__(self)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's signature
        return True


def flow(row: Mapping[str, str]) -> str:
    """One record on one line: `{version: 2.15.0, variant: cu132}`."""
    return written(row) or emitted(row)


def emitted(row: Mapping[str, str]) -> str:
    """The same by the YAML emitter alone."""
    out = StringIO()
    dumper = _Dumper(out)
    dumper.open()
    dumper.represent(dict(row))
    dumper.close()
    return out.getvalue().strip().removesuffix("...").strip()


def dump(comment: str, scalars: Mapping[str, str], sections: Mapping[str, Iterable[Mapping[str, str]]]) -> str:
    """The canonical text of a file: a comment, its scalars, then its lists with one record a line."""
    lines = [f"# {line}".rstrip() for line in comment.strip().splitlines()]
    lines += [flow({key: value})[1:-1] for key, value in scalars.items()]
    for key, rows in sections.items():
        lines += ["", f"{key}:"]
        lines += [f"- {flow(row)}" for row in rows]
    return "\n".join(lines) + "\n"
