"""What the words of a command line go on with, and what comes where nothing can."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from cudafit.completion import words
from cudafit.completion.answer import lines_for
from cudafit.completion.files import KINDS, is_of
from cudafit.matrix.load import open_matrix
from cudafit.model.gpu_names import capability_by_name
from tests.command import COMMAND
from tests.completion import _ARGUMENTS, _OPTIONS, TABLE, commands, text
from tests.conftest import Run

SHELLS = ("bash", "zsh", "fish", "powershell")


def goes_on(*typed: str) -> list[str]:
    """The last word is the one begun."""
    return [line.partition("\t")[0] for line in lines_for("fish", list(typed[:-1]), typed[-1])]


def in_bash(*typed: str) -> list[str]:
    return list(lines_for("bash", list(typed[:-1]), typed[-1]))


def test_the_table_is_that_of_the_commands() -> None:
    assert TABLE.read_text(encoding="utf-8") == text(), "`make completion` writes it anew"


def test_what_it_says_of_single_options_and_arguments_is_of_some_that_there_are() -> None:
    there = {f"{path} {name}" for path, command, _ in commands() for one in command.params for name in one.opts}
    there |= {f"* {name.rpartition(' ')[2]}" for name in there}
    assert set(_OPTIONS) - there == set()
    arguments = {f"{path} {one.name}" for path, command, _ in commands() for one in command.params}
    assert set(_ARGUMENTS) - arguments == set()


def test_every_option_of_every_command_is_offered() -> None:
    for path, command, _ in commands():
        offered = set(goes_on(*path.split(), "-"))
        for option in command.params:
            if isinstance(option, click.Option):
                assert offered >= {*option.opts, *option.secondary_opts}, path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["res"], ["resolve"]),
        (["matrix", "up"], ["update"]),
        (["help", "ro"], ["rollback"]),
        (["help", "matrix", "re"], ["revert"]),
        (["-v", "rep"], ["repair", "report"]),
        (["resolve", "torchv"], ["torchvision"]),
        (["resolve", "torch", "jaxl"], ["jaxlib"]),
        (["resolve", "--gpu", "RTX-4090", "--dri"], ["--driver"]),
        (["resolve", "--driver", ""], ["none"]),
        (["resolve", "--prefer", "na"], ["native"]),
        (["resolve", "--prefer=na"], ["--prefer=native"]),
        (["resolve", "--gpu", "gtx-1080-t"], ["GTX-1080-Ti"]),
        (["resolve", "--gpu", "NVIDIA GeForce RTX 4090 "], ["RTX-4090", "RTX-4090-D", "RTX-4090-Mobile"]),
        (["resolve", "--format", "pyl"], ["pylock"]),
        (["resolve", "-o", "conda"], ["conda-lock.yml"]),
        (["doctor", "--select", "ext.ab"], ["ext.abi_mismatch"]),
        (["doctor", "--select", "wsl"], ["wsl", *(name for name in goes_on("explain", "wsl."))]),
        (["lint", "--ignore", "code.data"], []),
        (["explain", "torch.cpu_w"], ["torch.cpu_wheel"]),
        (["completion", ""], list(SHELLS)),
        (["bench", "--device", "c"], ["cpu", "cuda:0"]),
        (["resolve", "--cuda", "1"], []),  # a version that nobody lists
        (["resolve", "--python", "3.12", "--json", "--js"], []),  # it was given
        (["run", "--", "--re"], []),  # that is an option of another program
        (["run", "--require-gpu", "--ev"], ["--every"]),  # its value stands behind a `=`
        (["no-such-command", "to"], []),
        (["matrix", "no-such-command", "--js"], []),
        (["resolve", "--no-such-option", "torchv"], ["torchvision"]),
    ],
)
def test_words_go_on(typed: list[str], found: list[str]) -> None:
    assert goes_on(*typed) == found


def test_every_package_and_every_finding_is_offered() -> None:
    assert set(goes_on("resolve", "")) == set(open_matrix().packages)
    assert {name for name in goes_on("explain", "") if "." in name} == {name for name, _ in words.table().findings}


def test_a_gpu_is_called_as_the_option_takes_it() -> None:
    facts = open_matrix().facts("gpus", "pci_gpus")
    known = dict(words.gpus())
    assert len(known) > 300
    wrong = [one for one, told in known.items() if told.split()[-1] != capability_by_name(one, facts)]
    assert wrong == []


def test_an_installed_cudafit_reads_the_compiled_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, matrix = dict(words.gpus()), open_matrix()
    (tmp_path / "_shipped").mkdir()
    (tmp_path / "_shipped" / "compiled").symlink_to(matrix.path)
    monkeypatch.setattr(words, "_PACKAGE", str(tmp_path))
    assert dict(words.gpus()) == here
    assert dict(words.packages()) == {name: f"{count} builds" for name, count in matrix.packages.items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("train.py", "my train.py", "notes.md", "room.json", "Dockerfile.gpu", ".hidden.py", "two\nlines.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "my models").mkdir()
    (tmp_path / "my models" / "b.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["lint", ""], ["my models/", "my train.py", "train.py"]),
        (["lint", "train.py", "t"], ["train.py"]),
        (["lint", ".h"], [".hidden.py"]),
        (["lint", "my models/"], ["my models/b.py"]),
        (["lint", "~/tr"], ["~/train.py"]),
        (["lint", "no-such-folder/"], []),
        (["doctor", "--dockerfile", ""], ["Dockerfile.gpu", "my models/"]),
        (["doctor", "--env", ""], ["my models/"]),
        (["doctor", "--log", "n"], ["notes.md"]),
        (["resolve", "--machine", ""], ["my models/", "room.json"]),
        (["resolve", "--machine=r"], ["--machine=room.json"]),
        (["run", "--", "python", "tr"], ["train.py"]),
    ],
)
def test_files_go_on_by_their_kind(typed: list[str], found: list[str], folder: Path) -> None:
    assert goes_on(*typed) == found


def test_zsh_looks_for_files_itself(folder: Path) -> None:
    assert list(lines_for("zsh", ["doctor", "--env"], "m")) == [":files\t/"]
    assert list(lines_for("zsh", ["lint"], "")) == [":files\t(#i)(*.py|*.pyw|*.ipynb)"]


def test_bash_is_given_no_more_than_it_replaces(folder: Path) -> None:
    assert in_bash("resolve", "--prefer", "=", "na") == ["words", "native"]
    assert in_bash("resolve", "--prefer", "=", "") == ["words", "newest", "native", "installed"]
    assert in_bash("resolve", "--prefer", "=") == ["words", "newest", "native", "installed"]
    assert in_bash("bench", "--device", "cuda", ":", "") == ["words", "0"]
    assert in_bash("bench", "--device", "cuda", ":") == ["words", "0"]
    assert in_bash("lint", "my") == ["files", "my models", "my train.py"]
    assert in_bash("resolve", "--machine", "=", "ro") == ["files", "room.json"]


def test_names_of_environments_and_kernels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTER_DATA_DIR", raising=False)
    monkeypatch.setenv("MAMBA_ROOT_PREFIX", str(folder / "mamba"))
    for place in ("mamba/envs/train", "mamba/envs/$(boom)", ".local/share/jupyter/kernels/gpu-torch"):
        (folder / place).mkdir(parents=True)
    assert "train" in goes_on("doctor", "--conda", "")
    assert "gpu-torch" in goes_on("doctor", "--kernel", "")
    assert not any("boom" in one for one in goes_on("doctor", "--conda", ""))  # bash would run it


def test_each_kind_has_files() -> None:
    names = {"code": "A.PY", "plot": "a.svg", "declared": "setup.cfg", "dockerfile": "web.Dockerfile", "any": "a"}
    assert all(is_of(name, kind) for kind, name in names.items())
    assert not any(is_of("a.exe", kind) for kind in KINDS if kind != "any")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell(shell: str, cudafit: Run) -> None:
    done = cudafit("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"completion --words {shell}" in done.stdout
    assert "2>" in done.stdout, "what goes wrong is not shown"


def test_powershell_is_told_of_words_that_it_would_not_take_as_they_are() -> None:
    text = words.script("powershell")
    assert "Register-ArgumentCompleter -Native -CommandName cudafit" in text
    assert '".$wordToComplete"' in text  # an empty word would be left out
    assert '.Replace("\'", "\'\'")' in text
    assert all(text.count(a) == text.count(b) for a, b in ("{}", "()", "[]"))


def test_a_shell_that_there_is_not(cudafit: Run) -> None:
    done = cudafit("completion", "tcsh")
    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish', 'powershell'" in done.stderr


@pytest.mark.parametrize("given", [[], ["bash"], ["bash", "resolve"], ["bash", "."], ["tcsh", "x", "."], ["\0", "."]])
def test_it_is_silent_whatever_it_is_asked(given: list[str], cudafit: Run) -> None:
    done = cudafit("completion", "--words", *given)
    assert (done.returncode, done.stderr) == (0, "")


BROKEN = (
    ("no table", "import cudafit.completion.words as w; w._TABLE = '/nowhere'"),
    ("no module", "import sys; sys.modules['cudafit.completion.answer'] = None"),
    ("no facts", "import cudafit.completion.words as w; w._PACKAGE = '/nowhere/at/all'"),
    ("no folder", "import os, tempfile; d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)"),
    ("a table of something else", "import cudafit.completion.words as w; w._TABLE = w.__file__"),
    ("no reader", "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1)"),
)


@pytest.mark.parametrize("code", [code for _, code in BROKEN], ids=[name for name, _ in BROKEN])
def test_it_is_silent_in_a_broken_environment(code: str) -> None:
    asked = "import sys; sys.argv[1:] = ['completion', '--words', 'bash', 'resolve', '.']\n"
    program = f"{code}\n{asked}from cudafit.__main__ import main\nmain()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_shell_loads_next_to_nothing() -> None:
    """Tab is to be answered while a finger is still on it: no click, no JSON, nothing of the commands."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND[1:], "completion", "--words", "fish", "resolve", ".to"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "torch\t" in done.stdout or "torch\n" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    ours = {name for name in loaded if name.startswith("cudafit.")}
    assert ours <= {
        "cudafit.completion",
        "cudafit.completion.answer",
        "cudafit.completion.files",
        "cudafit.completion.words",
        "cudafit.system",
        "cudafit.system.reading",
    }
    assert loaded.isdisjoint({"click", "json", "dataclasses", "re", "inspect", "typing", "yaml"})
