"""The checks against the catalogue: what each tells in all worlds of the cases is what it announces."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from cudafit.doctor import checks
from cudafit.doctor.registry import CHECKS, container_checks, every_check, every_kind
from cudafit.doctor.world import Unchecked, World
from cudafit.model.kinds import KINDS
from tests.doctor import test_checks, test_container_files
from tests.doctor.container_cases import FILE_CASES
from tests.doctor.test_checks import CASES


def worlds(folder: Path) -> Iterator[World]:
    for number, case in enumerate(CASES):
        yield test_checks.world_of(case.machine, folder / f"{number}", case.env)
        if case.not_env:
            yield test_checks.world_of(case.not_machine, folder / f"{number}-not", case.not_env)
    for number, one in enumerate(FILE_CASES):
        yield test_container_files.world_of(folder / f"file-{number}", one.bad, one.machine, dict(one.more))


def test_every_check_tells_what_it_announces_and_nothing_else(tmp_path: Path) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for world in worlds(tmp_path):
        for check in container_checks() if world.project.containers else CHECKS:
            for one in check.function(world):
                if isinstance(one, Unchecked):
                    continue
                told[check.name].add(one.id)
                kind = KINDS[one.id]
                assert one.severity in (kind.severity, *kind.milder), f"{one.id} as {one.severity}"
                assert one.layer in (kind.layer, *kind.elsewhere), f"{one.id} in {one.layer}"
    assert dict(told) == {check.name: set(check.ids) for check in every_check()}


def test_what_the_checks_can_tell_is_announced() -> None:
    """Also what no case brings about."""
    texts = [path.read_text(encoding="utf-8") for path in Path(checks.__path__[0]).glob("*.py")]
    named = {name for text in texts for name in re.findall(r"\bkinds\.(\w+\.\w+)", text)}
    announced = {kind.id for kind in every_kind()}
    assert named == announced


def test_the_name_of_a_check_is_its_own() -> None:
    assert len({check.name for check in every_check()}) == len(every_check())
