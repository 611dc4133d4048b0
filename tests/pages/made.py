"""Pages of the site that are made from the code whenever it is built: commands, schemas, decisions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import click

from cudafit.cli.commands import COMMANDS, MATRIX

TOP = Path(__file__).parents[2]
_SCHEMAS = TOP / "src" / "cudafit" / "schemas"
_DECISIONS = TOP / "docs" / "decisions"


def _top() -> click.Context:
    from cudafit.cli.main import cudafit  # noqa: PLC0415 - a site asks for it, and a test

    return click.Context(cudafit, info_name="cudafit", help_option_names=["-h", "--help"])


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that is typed, with its name."""
    context = _top()
    for name, command in _below(context, COMMANDS):
        yield name, command
        inner = click.Context(command, info_name=name, parent=context)
        for below, found in _below(inner, MATRIX):
            yield f"{name} {below}", found


def _below(context: click.Context, names: Iterable[str]) -> Iterator[tuple[str, click.Command]]:
    if isinstance(context.command, click.Group):
        for name in names:
            if found := context.command.get_command(context, name):
                yield name, found


def commands_page() -> str:
    return "\n".join(_commands()) + "\n"


def _commands() -> Iterator[str]:
    yield "# All commands and options\n"
    yield "As `cudafit help COMMAND` prints them.\n"
    top = _top()
    for name, command in commands():
        yield f"## cudafit {name}\n"
        context = click.Context(command, info_name=name, parent=top)
        yield f"`{command.get_usage(context).removeprefix('Usage: ')}`\n"
        yield " ".join((command.help or "").split()) + "\n"
        options = [part for part in command.get_params(context) if isinstance(part, click.Option)]
        if options:
            yield "| option | |"
            yield "| --- | --- |"
        for part in options:
            shown, text = part.get_help_record(context) or ("", "")
            yield f"| <code>{escape(shown).replace('|', '&#124;')}</code> | {_cell(text)} |"
        yield ""


def schemas_page() -> str:
    return "\n".join(_schemas()) + "\n"


def _schemas() -> Iterator[str]:
    yield "# The JSON that cudafit prints\n"
    yield (
        "Each `--json` prints one object whose key `schema` says which of these it is. Under the same number keys are\n"
        "added, and none is taken away or given another meaning. `null` means that it is not known.\n"
    )
    for path in sorted(_SCHEMAS.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if "$defs" not in schema:  # of a file that people write, which has a page of its own
            continue
        yield f"## {schema['title']} {{ #{path.stem} }}\n"
        yield f"{schema['description']} [The schema](schemas/{path.name}).\n"
        yield from _keys(schema)
        for name, record in schema["$defs"].items():
            yield f"### {name} {{ #{path.stem}-{name.lower()} }}\n"
            yield f"{record['description']}\n"
            yield from _keys(record)


def _keys(record: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | type | |"
    yield "| --- | --- | --- |"
    for key, value in record["properties"].items():
        yield f"| `{key}` | {_cell(_type(value))} | {_cell(value.get('description', ''))} |"
    yield ""


def _type(value: Mapping[str, Any]) -> str:
    if "const" in value:
        return f'"{value["const"]}"'
    if "enum" in value:
        return " or ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in value["enum"])
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if "anyOf" in value:
        return " or ".join(map(_type, value["anyOf"]))
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        return f"object of {_type(value['additionalProperties'])}"
    kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
    return " or ".join(map(str, kinds))


def decisions_page() -> str:
    return "\n".join(_decisions()) + "\n"


def _decisions() -> Iterator[str]:
    yield "# Decisions\n"
    yield "Why things are as they are, a page each.\n"
    for path in sorted(_DECISIONS.glob("*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        number = path.name.partition("-")[0].lstrip("0")
        yield f"- [{number}. {title.removeprefix(f'{number}. ')}](decisions/{path.name})"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
