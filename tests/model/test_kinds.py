"""The catalogue of findings holds together, and findings are made from it alone."""

import ast

import pytest

from cudafit import shipped
from cudafit.matrix.messages import read_rules
from cudafit.model import kinds
from cudafit.model.finding import LAYERS, SEVERITIES
from cudafit.model.kind import FindingKind
from cudafit.model.kinds import IN_CODE, KINDS
from tests import own_code


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_is_whole(kind: FindingKind) -> None:
    family, _, name = kind.id.partition(".")
    assert getattr(getattr(kinds, family), name) is kind
    assert kind.severity in SEVERITIES
    assert kind.layer in LAYERS
    assert kind.title
    assert not kind.title.endswith(".")
    assert len(kind.title) <= 100
    assert kind.layer not in kind.elsewhere
    assert all(SEVERITIES.index(one) > SEVERITIES.index(kind.severity) for one in kind.milder)


@pytest.mark.parametrize("kind", [one for one in KINDS.values() if one.explains], ids=lambda one: one.id)
def test_what_a_kind_explains_exists(kind: FindingKind) -> None:
    assert kind.severity == "error"
    for beginning in kind.explains:
        others = [name for name in KINDS if name.startswith(beginning) and name != kind.id]
        assert others, f"{kind.id} explains {beginning!r}, and no finding is called so"


def test_no_two_kinds_are_the_same() -> None:
    titles = [one.title for one in KINDS.values()]
    assert len(KINDS) == len({one.id for one in KINDS.values()}) == len(titles)
    by_text = {"illegal_access", "device_assert", "device_index_out_of_range", "tensor_not_moved", "cuda_in_fork"}
    by_text |= {"load_without_map_location"}
    assert {one.id for one in IN_CODE.values()} == {
        one for one in KINDS if one.startswith("code.") and one.partition(".")[2] not in by_text
    } | {"info.cpu_on_purpose", "info.tf_gpu_hidden_for_other_framework", "info.version_decides"}


@own_code.TOGETHER
def test_findings_are_made_from_kinds_alone() -> None:
    """`Finding(...)` and `CodeFinding(...)` would take any id."""
    made = {
        module.name
        for module in own_code.modules()
        for call in module.calls()
        if isinstance(call.func, ast.Name) and call.func.id in ("Finding", "CodeFinding")
    }
    assert made == {"model/kind.py"}


@own_code.TOGETHER
def test_every_kind_is_used() -> None:
    """One that nothing tells would have a page about nothing."""
    text = "\n".join(module.text for module in own_code.modules() if module.name != "model/kinds.py")
    rules = read_rules(shipped.folder("matrices")).compiled()
    by_text = {meaning[1] for rule in rules for meaning in rule["meanings"]}
    assert [name for name in KINDS if f"kinds.{name}" not in text and name not in by_text] == []
