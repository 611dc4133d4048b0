"""What the README shows is what the command prints, and what it links to is there."""

import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import Run

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```\n\$ cudafit (.*?)\n(.*?)```", README, re.S)


def test_readme_shows_output() -> None:
    assert len(SHOWN) >= 2
    assert README.count("\n") < 120, "what is longer belongs into docs/"
    assert README.count("```") == 2 * len(SHOWN), "every sample is held to be real"


@pytest.mark.parametrize(("words", "text"), SHOWN)
def test_shown_output_is_real(words: str, text: str, cudafit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    done = cudafit(*shlex.split(words))
    assert done.stdout + done.stderr == text


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (TOP / name).read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (TOP / link).exists()] == []


def test_every_make_target_in_contributing_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"`?make ([a-z]+)", (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert named <= targets
