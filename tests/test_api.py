"""`cudafit.api`: the examples of its page, and that it answers what the commands answer."""

import ast
import doctest
import inspect as of_python
import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import cudafit as package
from cudafit import api
from cudafit.machine.saved import plain
from cudafit.model.record import to_plain
from tests.conftest import Run
from tests.schemas import validate

TOP = Path(__file__).parent.parent
PAGE = TOP / "docs" / "api.md"
MACHINE = "tests/machines/rtx4090-550.json"
FUNCTIONS = ("doctor", "explain", "inspect", "resolve")


@pytest.fixture(autouse=True)
def at_home(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    monkeypatch.setenv("HOME", environ["HOME"])
    monkeypatch.setenv("XDG_CACHE_HOME", f"{environ['HOME']}/.cache")


def test_the_examples_are_what_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    test = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) >= 20
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test)
    assert runner.failures == 0, capsys.readouterr().out


def test_each_function_has_its_part_of_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in FUNCTIONS:
        assert f"## {name}\n" in text
        assert f"api.{name}(" in text


@pytest.mark.parametrize("words", [("torch",), ("torch==2.15.0",), ("torch", "jax")])
def test_resolve_is_the_commands_answer(words: tuple[str, ...], cudafit: Run) -> None:
    shown = json.loads(cudafit("resolve", *words, "--machine", MACHINE, "--offline", "--json").stdout)
    found = to_plain(api.resolve(*words, machine=MACHINE, offline=True))
    validate({"schema": "cudafit.resolve/1", **found}, "resolve-1")
    assert {"schema": "cudafit.resolve/1", **found} == shown


def test_doctor_is_the_commands_answer(cudafit: Run) -> None:
    shown = json.loads(cudafit("doctor", "--machine", MACHINE, "--select", "driver", "--json").stdout)
    found = to_plain(api.doctor(machine=MACHINE, select=["driver"]))
    assert {"schema": "cudafit.doctor/1", **found} == shown


def test_inspect_is_the_commands_answer(cudafit: Run, tmp_path: Path) -> None:
    machine = api.inspect(snapshot=TOP / MACHINE, save=tmp_path / "m.json")
    assert plain(machine) == json.loads(cudafit("inspect", "--machine", MACHINE, "--json").stdout)
    assert api.resolve("torch", machine=tmp_path / "m.json", offline=True).status == "fit"


def test_explain_is_the_commands_answer(cudafit: Run, tmp_path: Path) -> None:
    text = "CUDA error: no kernel image is available for execution on the device"
    shown = json.loads(cudafit("explain", text, "--no-look", "--json").stdout)
    assert {"schema": "cudafit.explain/1", **to_plain(api.explain(text, look=False))} == shown
    (tmp_path / "a.log").write_text(f"{text}\n", encoding="utf-8")
    assert api.explain(file=tmp_path / "a.log", look=False).root == shown["root"]


def test_a_text_is_no_file_and_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("CUDA error: out of memory", encoding="utf-8")
    assert api.explain(str(tmp_path / "a.log"), look=False).matches == ()
    assert api.explain("-", look=False).matches == ()


def test_this_machine_can_be_looked_at() -> None:
    assert api.inspect().live
    assert api.explain("torch.cuda.OutOfMemoryError: CUDA out of memory", machine=MACHINE).root is not None


def test_what_cannot_be_meant_raises() -> None:
    for wrong in (
        api.resolve,
        lambda: api.resolve("torch", machine="/nowhere.json"),
        api.explain,
        lambda: api.explain("a", file="b"),
        lambda: api.doctor(machine=MACHINE, select=["no.such"]),
        lambda: api.inspect(snapshot=MACHINE, root="/"),
    ):
        with pytest.raises(api.InputError):
            wrong()


def test_one_path_is_no_list_of_letters() -> None:
    assert api.resolve("torch", machine=TOP / MACHINE, matrix=(), offline=True).status == "fit"
    with pytest.raises(api.InputError, match=r"no-such-folder"):
        api.resolve("torch", machine=MACHINE, matrix="no-such-folder", offline=True)


def test_nothing_is_printed_and_progress_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    api.resolve("torch", machine=MACHINE, offline=True)
    api.doctor(machine=MACHINE)
    assert capfd.readouterr() == ("", "")


def test_every_name_of_it_is_typed_and_told() -> None:
    assert sorted(api.__all__) == list(api.__all__)
    for name in FUNCTIONS:
        function = getattr(api, name)
        assert function.__doc__
        hints = typing.get_type_hints(function, vars(api))
        assert set(hints) == {*of_python.signature(function).parameters, "return"}


def test_the_package_itself_loads_nothing() -> None:
    code = (
        "import sys; import cudafit; print(sorted(n for n in sys.modules if n.startswith('cudafit.') or n == 'typing'))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, cwd=TOP / "src"
    )
    assert done.stdout == "[]\n"
    assert package.api is api
    with pytest.raises(AttributeError, match="no_such"):
        package.no_such  # noqa: B018


def test_the_policy_names_what_there_is() -> None:
    text = (TOP / "docs" / "compatibility.md").read_text(encoding="utf-8")
    contract = (TOP / "src" / "cudafit" / "cli" / "main.py").read_text(encoding="utf-8")
    told = ast.get_docstring(
        next(node for node in ast.parse(contract).body if isinstance(node, ast.FunctionDef) and node.name == "cudafit")
    )
    codes = set(re.findall(r"\b(\d+) [a-z]", (told or "").partition("Exit codes:")[2]))
    assert codes == {"0", "1", "2", "3", "4", "70", "130"}
    (line,) = (line for line in text.splitlines() if line.startswith("| exit codes"))
    assert codes <= set(re.findall(r"\b\d+\b", line))
