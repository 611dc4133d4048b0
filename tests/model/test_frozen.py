"""`@frozen` behaves as `dataclass(frozen=True)` does."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace

import pytest

from cudafit.model.frozen import frozen


@frozen
class Card:
    name: str
    memory: int | None = None
    via: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.name} {self.memory}"


@frozen
class NamedCard(Card):
    owner: str = "nobody"


def test_is_a_dataclass_to_everything_else() -> None:
    assert [part.name for part in fields(Card)] == ["name", "memory", "via"]
    assert replace(Card("T4", 16), memory=15) == Card("T4", 15)
    assert is_dataclass(Card)


def test_is_compared_and_hashed_by_content() -> None:
    assert Card("T4", 16) == Card(name="T4", memory=16)
    assert Card("T4") != Card("L4")
    assert Card("T4") != NamedCard("T4")
    assert Card.__eq__(Card("T4"), "T4") is NotImplemented
    assert len({hash(NamedCard("T4", via=())) for _ in range(2)}) == 1  # type: ignore[arg-type]


def test_defaults_are_made_anew() -> None:
    assert Card("T4").via is not Card("T4").via


def test_cannot_be_changed() -> None:
    card = Card("T4")
    with pytest.raises(FrozenInstanceError, match="memory"):
        card.memory = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="memory"):
        del card.memory


@pytest.mark.parametrize("made", [0, 100])
def test_missing_and_surplus_arguments_are_errors(made: int) -> None:
    """For the first instances and for those after them."""

    @frozen
    class Card:
        name: str
        memory: int | None = None
        via: Mapping[str, str] = field(default_factory=dict)

    every = [Card("T4", number, via={}) for number in range(made)]
    assert [card.memory for card in every] == list(range(made))
    assert list(vars(Card(via={"a": "b"}, name="T4"))) == ["name", "memory", "via"]
    with pytest.raises(TypeError, match="name"):
        Card()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="speed"):
        Card("T4", speed=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="multiple values for argument 'name'"):
        Card("T4", name="L4")  # type: ignore[misc]
    with pytest.raises(TypeError, match="5 were given"):
        Card("T4", 1, {}, 2)  # type: ignore[call-arg]
    assert Card("T4") == Card(name="T4")


def test_inherits_fields() -> None:
    assert NamedCard("T4", 16) == NamedCard("T4", 16, {}, "nobody")
    assert NamedCard("T4", 16).label == "T4 16"


def test_shows_its_values() -> None:
    assert repr(Card("T4")) == "Card(name='T4', memory=None, via={})"
