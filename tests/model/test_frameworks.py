"""Each framework's descriptor is whole, what must stand elsewhere stands there, and nobody keeps a list of his own."""

import ast
from pathlib import Path

import pytest

from cudafit import shipped
from cudafit.doctor.registry import CHECKS
from cudafit.lint import signs
from cudafit.matrix.harvest.readers import READERS
from cudafit.model.frameworks import FRAMEWORKS, LEADING, Framework
from cudafit.model.requirement import normalised
from cudafit.payloads import probe
from tests import own_code
from tests.doctor.worlds import FACTS

TOP = Path(__file__).parents[2]
# Where several frameworks are named for a reason of their own; the first two are compared with the descriptors below.
LISTS = {
    "payloads/probe.py",  # runs without cudafit
    "matrix/harvest/readers.py",  # how each package's wheels are read
    "lint/rules/tensorflow.py",  # what a script means that hides the GPU from one of two
    "lint/rules/environment.py",
    "doctor/checks/dockerfiles.py",  # which of conda's packages ask the driver
}

every = pytest.mark.parametrize("one", FRAMEWORKS, ids=lambda one: one.name)
leading = pytest.mark.parametrize("one", LEADING, ids=lambda one: one.name)


@every
def test_a_descriptor_is_whole(one: Framework) -> None:
    names = [*one.builds, *one.twins, *one.companions, *one.parts]
    assert all(normalised(name) == name for name in names)
    assert one.is_called(one.distributions[0])
    assert one.builds
    assert not one.is_called("numpy")
    assert one.build not in one.twins
    assert bool(one.conda) == bool(one.feedstock)


def test_no_name_belongs_to_two() -> None:
    names = [name for one in FRAMEWORKS for name in {*one.distributions, *one.builds, *one.twins}]
    assert len(names) == len(set(names))
    conda = [name for one in FRAMEWORKS for name in one.conda]
    assert len(conda) == len(set(conda))


@every
def test_the_matrix_has_its_builds(one: Framework) -> None:
    packages = {path.stem for path in (Path(shipped.folder("matrices")) / "frameworks").glob("*.yaml")}
    wanted = {*one.builds, *one.companions, *one.parts}
    assert wanted <= packages
    assert wanted <= READERS.keys(), "`cudafit matrix update` cannot read its wheels"
    if one.feedstock:
        assert any(row.feedstock == one.feedstock for row in FACTS.book.facts("conda_builds").conda_builds)


@every
def test_bench_has_a_payload_for_it(one: Framework) -> None:
    assert (own_code.SOURCES / "payloads" / f"bench_{one.name}.py").is_file()
    assert one.module in (TOP / "docs" / "bench.md").read_text(encoding="utf-8").lower().replace(" ", "")


@every
def test_a_scenario_asks_for_it(one: Framework) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (TOP / "tests" / "scenarios").glob("*.toml")]
    assert any(f'"{name}' in text for text in texts for name in (one.name, one.build))


@leading
def test_a_leading_one_is_checked_probed_and_linted(one: Framework) -> None:
    checks = {check.name for check in CHECKS}
    assert {one.name, f"{one.name}-driver"} <= checks
    assert one.name in probe.FRAMEWORKS
    assert signs.may_hold_findings(f"import {one.module}\nmodel.to('cpu')\noptimizer.step()\n")
    assert one.build_file or one.conda


def test_nothing_else_is_probed() -> None:
    assert list(probe.FRAMEWORKS) == [one.name for one in LEADING]


@own_code.TOGETHER
def test_nobody_keeps_a_list_of_frameworks() -> None:
    """Tuples, lists, sets and keys of dicts that name more than one: the next framework would be forgotten there."""
    owners = {
        name.rstrip("-*"): one.name
        for one in FRAMEWORKS
        for name in (one.name, one.module, *one.distributions, *one.builds, *one.conda)
    }
    found = []
    for module in own_code.modules():
        if module.name in LISTS:
            continue
        for node in [one for kind in (ast.Tuple, ast.List, ast.Set, ast.Dict) for one in module.of_kind.get(kind, ())]:
            parts = node.keys if isinstance(node, ast.Dict) else node.elts
            words = {str(one.value) for one in parts if isinstance(one, ast.Constant)}
            named = sorted({owners[word] for word in words & owners.keys()})
            if len(named) > 1:
                found.append(f"{module.name}:{node.lineno} names {', '.join(named)}")
    assert found == [], "take them from model/frameworks.py"
