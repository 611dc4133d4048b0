"""Projects whose manager cudafit does not drive: what it prints in place of a change is done to the letter with the
real Pipenv and hatch, and there is nothing left to find."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.matrix.harvest.server import Index, serving
from tests.real_venv import made
from tests.repair.trees import reading
from tests.repair.world import CPU, PYTHON, World, world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.online,
    pytest.mark.usefixtures("package_index"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux"),
]
PIPFILE = """\
[[source]]
url = "{default}"
verify_ssl = true
name = "mirror"

[[source]]
url = "{cpu}"
verify_ssl = true
name = "pytorch-cpu"

[packages]
rich = "<14"
torch = {{version = ">=2.4", index = "pytorch-cpu"}}

[requires]
python_version = "{python}"
"""
HATCH = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "p"
version = "0"

[tool.hatch.envs.default]
type = "virtual"
path = ".venv"
skip-install = true
installer = "uv"
dependencies = [
    "rich<14",
    "torch>=2.4",
]

[tool.hatch.envs.default.env-vars]
UV_INDEX = "{cpu}"
"""


class Tools:
    """Pipenv and hatch, with the indexes."""

    def __init__(self, small: World, cpu: Index, programs: Path, home: Path) -> None:
        self.small, self.cpu, self.programs = small, cpu, programs
        self.env = {
            **small.env,
            "PATH": f"{programs / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "PIPENV_VENV_IN_PROJECT": "1",
            "PIPENV_IGNORE_VIRTUALENVS": "1",
            "PIP_INDEX_URL": small.default.address,
        }

    def run(self, project: Path, *words: str) -> str:
        kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
        done = subprocess.run(
            [self.programs / "bin" / words[0], *words[1:]],
            cwd=project,
            env={**kept, **self.env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout + done.stderr

    def standing_in(self, word: str) -> str:
        """The index of the small world in place of that of its facts."""
        return word.replace("https://example.org/cu126", self.small.pytorch.address)

    def text(self, template: str) -> str:
        return template.format(python=PYTHON, cpu=self.cpu.address, default=self.small.default.address)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    folder = tmp_path_factory.mktemp("tools")
    programs = made(folder / "programs", "pipenv", "hatch", "uv")
    (folder / "home").mkdir()
    with (
        world(tmp_path_factory.mktemp("world")) as small,
        serving(Index({"torch": dict(CPU)}, prefix="cpu")) as cpu,
    ):
        yield Tools(small, cpu, programs, folder / "home")


@pytest.fixture
def refused(cudafit: Run, tools: Tools) -> Callable[[Path], list[str]]:
    """What repair prints, line by line; nothing is changed by it."""

    def run(project: Path) -> list[str]:
        old = reading(project)
        done = cudafit("repair", str(project / ".venv"), "--yes", *tools.small.words, env=tools.env)
        assert (done.returncode, reading(project) == old) == (1, True), done.stderr
        return done.stderr.splitlines()

    return run


def causes(cudafit: Run, tools: Tools, project: Path) -> list[str]:
    done = cudafit("doctor", "--env", str(project / ".venv"), "--json", *tools.small.words, env=tools.env)
    return [one["id"] for one in json.loads(done.stdout)["findings"] if one["severity"] == "error"]


def commands(lines: list[str]) -> list[list[str]]:
    return [shlex.split(match[1]) for line in lines if (match := re.search(r"`((?:pipenv|hatch) [^`]+)`", line))]


def edits(lines: list[str], tools: Tools) -> Iterator[tuple[str, list[str]]]:
    """Each edit that is printed: where, and the lines for it."""
    bare = [re.sub(r"^ *(?:cause: )?", "", line) for line in lines]
    for number, line in enumerate(bare):
        if match := re.fullmatch(r"(.*), in \S+:", line):
            rest = [one for one in bare[number + 1 :] if not one.startswith("`")]
            end = next((place for place, one in enumerate(rest) if one.endswith(":") or one.startswith("hint")), None)
            yield match[1], [tools.standing_in(one) for one in rest[:end] if one]


def test_pipenvs_commands_are_those_that_mend_it(
    tools: Tools, tmp_path: Path, cudafit: Run, refused: Callable[[Path], list[str]]
) -> None:
    project = tmp_path / "p"
    project.mkdir()
    (project / "Pipfile").write_text(tools.text(PIPFILE))
    tools.run(project, "pipenv", "install")
    assert causes(cudafit, tools, project) == ["torch.cpu_wheel"]
    told = refused(project)
    for command in commands(told):
        tools.run(project, *(tools.standing_in(word) for word in command))
    assert causes(cudafit, tools, project) == []
    tools.run(project, "pipenv", "verify")
    assert list(project.glob(".venv/lib/python*/site-packages/torch-2.14.1+cu126.dist-info"))


def test_hatchs_edit_is_the_one_that_mends_it(
    tools: Tools, tmp_path: Path, cudafit: Run, refused: Callable[[Path], list[str]]
) -> None:
    project = tmp_path / "p"
    project.mkdir()
    (project / "pyproject.toml").write_text(tools.text(HATCH))
    tools.run(project, "hatch", "env", "create")
    assert causes(cudafit, tools, project) == ["torch.cpu_wheel"]
    told = refused(project)
    text = (project / "pyproject.toml").read_text()
    for what, lines in edits(told, tools):
        if what.startswith("in its environment default, in place of"):
            (old,) = re.findall(r"`(.+?)`", what)
            text = text.replace(f"{old},", "\n    ".join(lines))
        else:
            table, *values = lines
            assert table in text
            kept = re.sub(r"(?m)^UV_INDEX = .*\n", "", text)
            text = kept.replace(f"{table}\n", "\n".join((table, *values, "")))
    (project / "pyproject.toml").write_text(text)
    for command in commands(told):
        tools.run(project, *command)
    assert causes(cudafit, tools, project) == []
    assert list(project.glob(".venv/lib/python*/site-packages/torch-2.14.1+cu126.dist-info"))
