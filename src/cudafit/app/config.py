"""What is set beforehand: by variables, by the project in this folder, by the user."""

from typing import TYPE_CHECKING

from cudafit import shipped
from cudafit.app.result import Result
from cudafit.model.settings import KEYS, SCHEMA, SCHEMA_NAME, Config, Shown
from cudafit.settings import settings
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.render.row import Row


def config() -> Result:
    """`record` of the result is a `Config`; raises InputError for a file that cannot be meant."""
    found = settings()
    shown = []
    for key in KEYS:
        said = [one for one in found.said if one.key == key.name]
        counts = next((one for one in said if one.unused is None), None)
        shown.append(
            Shown(
                key.name,
                key.about,
                counts.value if counts else None,
                counts.layer if counts else None,
                counts.where if counts else None,
                key.variable,
                tuple(one for one in said if one is not counts),
            )
        )
    record: Config = redacted_tree(Config(tuple(shown), found.files))

    def rows() -> "list[Row]":
        from cudafit.render.config_rows import config_rows  # noqa: PLC0415 - not for JSON

        return list(config_rows(record))

    return Result(SCHEMA, record, "config", rows)


def schema_text() -> str:
    """For editors: what the files may hold."""
    return shipped.schema_text(SCHEMA_NAME)
