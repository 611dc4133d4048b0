"""What real projects declare is read: the kind of file, and the frameworks that it asks for itself."""

import re
from pathlib import Path
from typing import Any

import pytest

from cudafit.app.declared import declared
from cudafit.errors import UndeterminedError
from cudafit.model.requirement import applies
from cudafit.project.conda_specs import spec_of
from cudafit.project.kinds import read_declaration
from tests.project.real_projects import load, write

PROJECTS = load(Path(__file__).with_name("projects.yaml"))
KEYS = ("frameworks_direct", "frameworks_transitive", "frameworks_optional")
NAMES = {name for row in PROJECTS for key in KEYS for name in row.get(key) or ()}
_OF_ONE_CUDA = re.compile(r"(cupy|cudf|cuml|cugraph|cuvs|raft|rmm|cudf-polars|dask-cudf)-c(?:uda?)?\d+x?")
_CALLED = {"tensorflow-gpu": "tensorflow"}
# Of this one no table is kept that tells its manager.
_BARE = {"vwxyzjn/cleanrl:pyproject.toml": "pep621"}
# Its default environment asks for nothing but a Python.
_NOTHING = "data-apis/array-api-extra:pixi.toml"


def plain(name: str) -> str:
    match = _OF_ONE_CUDA.fullmatch(name)
    return match[1] if match else _CALLED.get(name, name)


@pytest.mark.parametrize("row", PROJECTS, ids=lambda row: row["id"])
def test_a_real_declaration(row: dict[str, Any], tmp_path: Path) -> None:
    path = str(write(row, tmp_path))
    found = read_declaration(path)
    assert found is not None
    assert found.kind == _BARE.get(row["id"], row["kind"])
    if row["id"] == _NOTHING:
        with pytest.raises(UndeterminedError):
            declared((path,))
        return
    told = declared((path,))
    asked = [one for one in told.wanted if not one.constraint and applies(one, "linux-x86_64", "3.11")]
    # conda's jaxlib is the part of jax that is built, and stands for it here.
    expected = {"jax" if name == "jaxlib" and told.conda else name for name in row["frameworks_direct"]}
    assert {plain(one.name) for one in asked} & NAMES == expected


def test_they_are_many() -> None:
    assert len({row["id"] for row in PROJECTS}) == 84
    assert len({row["kind"] for row in PROJECTS}) > 12


@pytest.mark.parametrize(
    ("text", "version", "build"),
    [
        ("jaxlib>=0.4.31=cuda12*", ">=0.4.31", "cuda12*"),
        ("jaxlib >=0.4,<0.5=cuda12*", ">=0.4,<0.5", "cuda12*"),
        ("python>=3.9,<=3.11", ">=3.9,<=3.11", ""),
        ("numpy!=1.2", "!=1.2", ""),
        ("pytorch=2.0.*=*cuda118*", "=2.0.*", "*cuda118*"),
    ],
)
def test_the_build_in_a_specification(text: str, version: str, build: str) -> None:
    spec = spec_of(text)
    assert spec is not None
    assert (spec.version, spec.build) == (version, build)
