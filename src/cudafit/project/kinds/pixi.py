"""pixi.toml."""

from cudafit.model.declaration import Declaration
from cudafit.model.requirement import normalised
from cudafit.project.kinds.pixi_tables import with_pixi
from cudafit.project.kinds.pyproject import toml_of
from cudafit.project.tables import table, text
from cudafit.system.toml_places import TomlPlaces


def read(path: str, told: str) -> Declaration | None:
    data = toml_of(path, told)
    name = text(table(data, "workspace"), "name") or text(table(data, "project"), "name")
    bare = Declaration(path, "pixi", name=normalised(name), files=(path,))
    found = with_pixi(bare, data, "", TomlPlaces(path, told))
    return None if found.is_empty and not found.python else found
