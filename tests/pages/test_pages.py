"""What the pages show is printed anew, what they link to is there, and the commands that they name are taken."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.conftest import Run
from tests.pages.blocks import ANY_BLOCK, BLOCK, DOCS, ELSEWHERE, HOME, TOP, lasting, pages, printed, staged
from tests.pages.made import commands, commands_page, decisions_page, schemas_page
from tests.pages.recording import PICTURE, drawn, session
from tests.pages.which import anchor

_BESIDE = [TOP / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "RELEASING.md", "matrices/README.md")]
EVERY = [*_BESIDE, *sorted(DOCS.rglob("*.md"))]
_MADE = {"commands.md": commands_page, "schemas.md": schemas_page, "decisions.md": decisions_page}


def _name(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def _shown() -> list[tuple[str, str, str]]:
    return [(_name(path), *block) for path in pages() for block in BLOCK.findall(path.read_text(encoding="utf-8"))]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return staged(tmp_path_factory.mktemp("pages") / "nets")


@pytest.mark.parametrize(("page", "command", "text"), _shown())
def test_shown_output_is_real(
    page: str, command: str, text: str, cudafit: Run, stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stage)

    def run(words: list[str], _: Path) -> tuple[str, int]:
        done = cudafit(*words)
        return done.stdout + done.stderr, done.returncode

    assert lasting(printed(command, stage, run)) == lasting(text), f"{page}: run `make pages`"


def test_every_block_shows_a_command_that_is_run() -> None:
    for path in pages():
        text = path.read_text(encoding="utf-8")
        assert len(ANY_BLOCK.findall(text)) == len(BLOCK.findall(text)), f"{path.name}: begin it with `$ cudafit`"
        assert text.count("```") == 2 * len(BLOCK.findall(text)), path.name
    for name, test in ELSEWHERE.items():
        assert (DOCS / name).exists()
        assert name in (TOP / test).read_text(encoding="utf-8")
    assert len(_shown()) > 15
    assert any(HOME in text for _, _, text in _shown())


def _plain(path: Path) -> str:
    """Without code, in which brackets are no links."""
    text = _MADE[path.name]() if path.name in _MADE and not path.exists() else path.read_text(encoding="utf-8")
    text = ANY_BLOCK.sub("", text)
    return re.sub(r"`[^`\n]*`", lambda match: re.sub(r"[\[\]]", "", match[0]), text)


def _anchors(path: Path) -> set[str]:
    text = _MADE[path.name]() if path.name in _MADE and not path.exists() else path.read_text(encoding="utf-8")
    text = ANY_BLOCK.sub("", text)
    headings = re.findall(r"^#+ (.*?)(?: \{ #(\S+) \})?$", text, re.MULTILINE)
    return {given or anchor(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)) for title, given in headings}


@pytest.mark.parametrize("path", EVERY, ids=_name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", _plain(path)):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, place = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists() or (target.parent == DOCS and target.name in _MADE), f"{_name(path)}: {link}"
        if place and target.suffix == ".md":
            assert place in _anchors(target), f"{_name(path)}: {link}"


def test_every_page_is_in_the_menu_and_what_is_in_the_menu_is_there() -> None:
    menu = set(re.findall(r"^ +- .*: (\S+\.md)$", (TOP / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    here = {path.relative_to(DOCS).as_posix() for path in (*DOCS.glob("*.md"), *DOCS.glob("tasks/*.md"))}
    assert menu == here | set(_MADE)


def _typed(text: str) -> Iterator[list[str]]:
    """The commands in blocks of code: what stands behind pipes and comments is left out."""
    text = ANY_BLOCK.sub(lambda match: "" if not match[2].startswith("$ ") else match[2].split("\n")[0], text)
    for line in re.findall(r"^ {4}(?:\$ )?(?:.*\| )?(cudafit .*)$|^\$ (cudafit .*)$", text, re.MULTILINE):
        words = shlex.split(next(filter(None, line)), comments=True)
        ends = [number for number, word in enumerate(words) if word in ("|", ">", "&&", ";")]
        yield words[1 : ends[0]] if ends else words[1:]


def test_every_command_that_a_page_names_is_one_that_is_taken() -> None:
    known = dict(commands())
    seen: set[str] = set()
    for path in EVERY:
        for words in _typed(path.read_text(encoding="utf-8")):
            name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
            rest = words[len(name.split()) :]
            seen.add(name)
            try:
                known[name].make_context(name, [word.replace("…", "") for word in rest])
            except click.exceptions.Exit:
                continue
            except click.ClickException as error:
                raise AssertionError(f"{_name(path)}: cudafit {' '.join(words)}: {error.message}") from error
    assert seen >= {"resolve", "doctor", "repair", "rollback", "create", "bench", "run", "lint", "explain", "inspect"}


def test_every_option_has_a_word_in_the_docs() -> None:
    page = commands_page()
    for name, command in commands():
        section = next(part for part in page.split("\n## ") if part.startswith(f"cudafit {name}\n"))
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.help, f"{name} {option.opts}"
                assert all(f">{word}" in section or f", {word}" in section for word in option.opts), (name, option.opts)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux")
def test_the_recording_is_what_a_terminal_shows(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stage").mkdir()
    picture = drawn(session(tmp_path / "stage", {**environ, "COLUMNS": "132"}))
    assert lasting(PICTURE.read_text(encoding="utf-8")) == lasting(picture), "run `make pages`"
    assert "://" not in picture.replace("http://www.w3.org/2000/svg", "")
