"""A verb as another program uses it: no command line, no terminal; what it says and asks goes to the caller."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from cudafit.app import doctor, inspect, repair, resolve, rollback
from cudafit.app.asked import WhichBuilds, WhichEnvironment, WhichFacts, WhichLocks, WhichMachine
from cudafit.app.result import Result
from cudafit.errors import CudafitError, InputError
from cudafit.render.json_text import record_text
from tests.conftest import Run
from tests.machines import FOLDER as MACHINES
from tests.repair.trees import reading
from tests.repair.world import World, broken_env, world

HOPPER = WhichMachine(driver="580.65.06", gpus=("sm_90",), platform="linux-x86_64", glibc="2.36")


class Caller:
    """Keeps what it is told, and gives one answer to every question."""

    def __init__(self, *, agrees: bool) -> None:
        self.agrees = agrees
        self.said: list[str] = []
        self.shown: list[Result] = []
        self.asked: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def show(self, result: Result) -> None:
        self.shown.append(result)

    def agree(self, question: str, unasked: CudafitError) -> None:
        self.asked.append(question)
        if not self.agrees:
            raise unasked


def test_resolve_gives_what_the_command_prints(cudafit: Run) -> None:
    request = resolve.Request(WhichBuilds(("torch",)), HOPPER, WhichFacts(), WhichLocks())
    said: list[str] = []
    (result,) = resolve.resolve(request, None, said.append, nullcontext).results
    words = ("--driver", "580.65.06", "--gpu", "sm_90", "--platform", "linux-x86_64", "--glibc", "2.36")
    printed = cudafit("resolve", "torch", *words, "--json").stdout
    assert json.loads(record_text(result.schema, result.record, long=result.long)) == json.loads(printed)
    assert (result.exit_code, result.error, said) == (0, None, [])
    assert any(row.label == "torch" for row in result.rows())


def test_what_fits_nowhere_is_a_result_with_its_reason() -> None:
    request = resolve.Request(WhichBuilds(("torch>99",)), HOPPER, WhichFacts(), WhichLocks())
    (result,) = resolve.resolve(request, None, lambda _: None, nullcontext).results
    assert result.exit_code == 1
    assert "torch>99" in str(result.error)


def test_inspect_of_a_snapshot_asks_nobody_and_writes_where_it_is_told(tmp_path: Path) -> None:
    caller, file = Caller(agrees=False), tmp_path / "saved.json"
    snapshot = str(sorted(MACHINES.glob("*.json"))[0])
    result = inspect.inspect(inspect.Request((snapshot,), save_to=str(file)), None, caller)
    assert json.loads(file.read_text()) == json.loads(record_text(result.schema, result.record))
    assert caller.said == [f"saved to {file}"]
    assert (list(result.rows()), caller.asked) == ([], [])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux")
class TestAChange:
    """Of a venv with the torch of the CPU."""

    @pytest.fixture
    def small(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
        with world(tmp_path / "world") as made:
            for name, value in {**made.env, "HOME": str(tmp_path / "home")}.items():
                monkeypatch.setenv(name, value)
            monkeypatch.chdir(tmp_path)
            yield made

    @pytest.fixture
    def env(self, tmp_path: Path) -> Path:
        (tmp_path / "wheels").mkdir()
        return broken_env(tmp_path / "env", tmp_path / "wheels")

    def asked(self, small: World, env: Path) -> repair.Request:
        machine = WhichMachine(driver="550.54.15", gpus=("RTX 4090",))
        return repair.Request(machine, WhichFacts((str(small.matrix),)), WhichEnvironment(str(env)))

    def test_a_plan_that_the_caller_declines_changes_nothing(self, small: World, env: Path) -> None:
        caller, before = Caller(agrees=False), reading(env)
        with pytest.raises(InputError, match="nothing was changed"):
            repair.repair(self.asked(small, env), None, caller)
        assert [one.record.status for one in caller.shown] == ["planned"]
        assert caller.asked == ["make these changes?"]
        assert reading(env) == before

    def test_one_that_it_takes_is_carried_out_and_can_be_undone(self, small: World, env: Path) -> None:
        before = reading(env)
        done = repair.repair(self.asked(small, env), None, Caller(agrees=True))
        assert (done.record.status, done.exit_code) == ("done", 0)
        assert reading(env) != before
        kept = rollback.kept(rollback.Request(WhichEnvironment(str(env))))
        assert len(kept.record["generations"]) == 1
        back = rollback.rollback(rollback.Request(WhichEnvironment(str(env))), Caller(agrees=True))
        assert back.record["environment"] == str(env)
        assert reading(env) == before

    def test_doctor_names_the_cause_and_the_same_environment(self, small: World, env: Path) -> None:
        asked = self.asked(small, env)
        request = doctor.Request(asked.machine, asked.facts, asked.environment)
        result = doctor.doctor(request, None, lambda _: None)
        assert (result.record.cause, result.exit_code) == ("torch.cpu_wheel", 1)
        which = result.record.which
        assert (which.how, which.sure, which.path) == ("named", "certain", str(env))
