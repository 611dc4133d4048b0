"""Every case of this folder: `cases_*.py` each have a list `CASES`."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.hostile
from tests.hostile.case import Case, check, place
from tests.repair.world import World, world

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cases are built for Linux"),
    pytest.mark.slow,
]


def every_case() -> list[Case]:
    names = sorted(one.name for one in pkgutil.iter_modules(tests.hostile.__path__) if one.name.startswith("cases_"))
    return [case for name in names for case in importlib.import_module(f"tests.hostile.{name}").CASES]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.mark.parametrize("case", every_case(), ids=lambda case: case.name)
def test_nothing_is_lost_run_or_told(
    case: Case, tmp_path: Path, environ: dict[str, str], small: World, compiled: Path
) -> None:
    check(case, place(tmp_path / "place", small, environ, compiled))


def test_each_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in every_case()]
    assert len(names) == len(set(names))
