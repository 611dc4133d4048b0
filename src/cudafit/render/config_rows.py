"""What is set beforehand, as lines."""

from collections.abc import Iterator

from cudafit.model.settings import Config, Setting, Shown
from cudafit.render.row import Row


def config_rows(config: Config) -> Iterator[Row]:
    """Each key with its value and where that is said; then the files."""
    for one in config.settings:
        yield _row(one)
        for other in one.others:
            yield Row("", f"not {_text(other.value)}: {other.unused}", other.where, _tone(other))
    for file in config.files:
        name = {"project": "project", "user": "your file"}.get(file.layer, file.layer)
        if file.unread:
            yield Row(name, f"{file.path} is not read: {file.unread}", "", "warn")
        elif file.there:
            yield Row(name, file.path)
        else:
            yield Row(name, f"{file.path}: there is none", "", "quiet")


def _row(one: Shown) -> Row:
    if one.value is None:
        return Row(one.key, "not set", one.variable or "", "quiet")
    return Row(one.key, _text(one.value), one.where or "")


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "nothing"


def _tone(other: Setting) -> str:
    return "warn" if other.distrusted else "quiet"
