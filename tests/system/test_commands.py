"""What is printed for pasting is what a shell reads."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cudafit.system.commands import Variable, command_text, option_words, path_word, word_text
from cudafit.system.text import harmless

HARD = [
    "plain",
    "sp ace",
    "a'; touch x; '",
    "$(touch x)",
    "`touch x`",
    "~root",
    "-rf",
    "a\nb",
    "\x1b[31m1",
    "\u202e12",
    "caf\udce9",
    "it's\x07'7",
    "back\\slash\x00"[:-1],
    "",
    "a!b",
    "::error ::x",
    "##[error]x",
]


@pytest.mark.parametrize("word", HARD)
def test_a_shell_reads_the_same_word(word: str) -> None:
    text = command_text("cudafit", "rollback", word)
    assert harmless(text) == text
    assert read_by_bash(text) == ["cudafit", "rollback", word]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=20))
def test_a_shell_reads_the_same_words(words: list[str]) -> None:
    assert read_by_bash(command_text(*words)) == words


def test_what_begins_with_a_dash_is_no_option() -> None:
    assert path_word("-rf") == "./-rf"
    assert path_word(".venv") == ".venv"
    assert option_words("--name", "-x") == ("--name=-x",)
    assert option_words("--name", "x") == ("--name", "x")


def test_only_a_word_of_ours_is_replaced_by_the_shell() -> None:
    assert command_text("usermod", "-aG", "video", Variable("$USER")) == 'usermod -aG video "$USER"'
    assert command_text("usermod", "-aG", "video", "$USER") == "usermod -aG video '$USER'"


def read_by_bash(text: str) -> list[str]:
    show = "import os, sys; os.write(1, b'\\0'.join(map(os.fsencode, sys.argv[1:])))"
    script = f'set -- {text}\nexec {command_text(sys.executable, "-c", show)} "$@"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    return [part.decode("utf-8", "surrogateescape") for part in done.stdout.split(b"\0")]


def test_half_a_character_is_written_too() -> None:
    assert command_text("a\ud800") == "$'a\\355\\240\\200'"
    assert command_text("a\udcff") == "$'a\\377'"


@pytest.mark.parametrize(
    ("word", "written"),
    [
        (r"C:\envs\gpu", r"C:\envs\gpu"),
        (r"C:\My Envs\gpu", r'"C:\My Envs\gpu"'),
        ("C:\\My Envs\\", '"C:\\My Envs\\\\"'),
        ("torch>=2,<3", '"torch>=2,<3"'),
        ("jax[cuda12]==0.9", '"jax[cuda12]==0.9"'),
        ("--conda", "--conda"),
        ("", "''"),
        ("$(calc)", "'$(calc)'"),  # PowerShell would run it in double quotes
        ("%PATH% x", "'%PATH% x'"),
        ("a\nb", "$'a\\nb'"),
    ],
)
def test_on_windows_everyday_words_are_for_its_shells(word: str, written: str) -> None:
    assert word_text(word, windows=True) == written
