"""The manual pages: one for each command, with all of its options, and groff has nothing to say against them."""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.pages.made import commands

TOP = Path(__file__).parent.parent


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("man_pages", TOP / "packages" / "man" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


PAGES: dict[str, str] = dict(module().pages())


def test_every_command_has_a_page_with_its_options() -> None:
    named = {f"cudafit-{name.replace(' ', '-')}.1": command for name, command in commands()}
    assert set(PAGES) == {"cudafit.1", *named}
    for name, command in named.items():
        for option in command.params:
            for word in option.opts:
                if word.startswith("-"):
                    assert word.replace("-", "\\-") in PAGES[name], name


def test_no_line_is_taken_for_a_request() -> None:
    known = (".TH ", ".SH ", ".PP", ".TP", ".B ", ".nf", ".fi")
    for name, text in PAGES.items():
        for line in text.splitlines():
            assert not line.startswith("'")
            assert not line.startswith(".") or line.startswith(known), (name, line)
            assert line.isascii()


def test_groff_shows_them_without_a_warning() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    text = "".join(PAGES.values())
    command = ["groff", "-man", "-Tascii", "-ww", "-P", "-c"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    one = subprocess.run(command, input=PAGES["cudafit-resolve.1"], capture_output=True, text=True, check=True).stdout
    plain = "".join(sign for index, sign in enumerate(one) if one[index + 1 : index + 2] != "\b" and sign != "\b")
    assert "cudafit-resolve - Pick the builds that work on this machine" in " ".join(plain.split())
    assert "--allow-unhashed" in plain
