"""The collection `cudafit.gpu`, by the real Ansible over local connections."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cudafit import __version__
from cudafit.machine.saved import load
from tests.older import SAFE_PYTHON
from tests.own_yaml import quick_yaml
from tests.report import diagnosis
from tests.schemas import validate

TOP = Path(__file__).parent.parent.parent
COLLECTION = TOP / "ansible"
BIN = Path(sys.executable).parent
needs_ansible = pytest.mark.skipif(not (BIN / "ansible").exists(), reason="ansible-core (Python 3.11 on) is not here")
together = pytest.mark.xdist_group("ansible")
CUDAFIT = [*SAFE_PYTHON, "-m", "cudafit"]
PLAY = """\
- hosts: all
  gather_facts: false
  roles:
    - role: cudafit.gpu.survey
      survey_pyz: {pyz}
      survey_pyz_on_host: "{hosts}/{{{{ inventory_hostname }}}}/cudafit.pyz"
      survey_room: {room}
"""


def test_it_has_the_version_of_cudafit() -> None:
    assert quick_yaml((COLLECTION / "galaxy.yml").read_text())["version"] == __version__
    assert (COLLECTION / "LICENSE").read_text() == (TOP / "LICENSE").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the collection where Ansible finds it, and two hosts that are this machine."""
    shutil.copytree(COLLECTION, tmp_path / "ansible_collections" / "cudafit" / "gpu")
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"one": host, "two": host}}}))
    return tmp_path


def ran(place: Path, program: str, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(place), "ANSIBLE_HOME": str(place / "home")}
    environ |= {"LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", **more}
    command = [str(BIN / program), *words]
    return subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def module(place: Path) -> Callable[..., Mapping[str, Any]]:
    """What a module answers on the host `one`."""

    def answer(name: str, *words: str, **options: Any) -> Mapping[str, Any]:
        told = json.dumps({"executable": CUDAFIT, **options})
        done = ran(place, "ansible", "-i", "hosts.json", "one", "-m", f"cudafit.gpu.{name}", "-a", told, *words)
        assert "=> {" in done.stdout, done.stdout + done.stderr
        found: Mapping[str, Any] = json.loads(done.stdout[done.stdout.rindex("=> {") + 3 :])
        return found

    return answer


@needs_ansible
@together
@pytest.mark.slow
@pytest.mark.parametrize("name", ["snapshot", "doctor"])
def test_each_module_has_its_page(place: Path, name: str) -> None:
    done = ran(place, "ansible-doc", "--json", f"cudafit.gpu.{name}")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)[f"cudafit.gpu.{name}"]
    assert {"executable", "pyz"} <= told["doc"]["options"].keys()
    assert told["return"]
    assert f"cudafit.gpu.{name}:" in told["examples"]


@needs_ansible
@together
@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--check", "--diff")], ids=["run", "check"])
def test_snapshot_is_one_that_cudafit_reads(
    module: Callable[..., Mapping[str, Any]], tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = module("snapshot", *words)
    assert answer["changed"] is False
    validate(answer["snapshot"], "machine-1")
    (tmp_path / "one.json").write_text(json.dumps(answer["snapshot"]))
    assert load(str(tmp_path / "one.json")).os.system == "linux"
    assert answer["determined"] is (answer["snapshot"]["undetermined"] is None)


@needs_ansible
@together
@pytest.mark.slow
def test_doctor_reports_and_fails_where_it_is_to(module: Callable[..., Mapping[str, Any]], tmp_path: Path) -> None:
    env = tmp_path / "env"
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "python").symlink_to(sys.executable)
    (env / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\nversion = 3.12.1\n")
    site = env / "lib" / "python3.12" / "site-packages"
    for package in ("one-1.0", "two-2.0"):
        (site / f"{package}.dist-info").mkdir(parents=True)
    (site / "one-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
    answer = module("doctor", environment=str(env))
    assert answer["changed"] is False
    validate(answer["report"], "doctor-1")
    assert answer["status"] == answer["report"]["status"]
    assert str(env) in answer["report"]["environment"]
    wrong = module("doctor", environment=str(tmp_path / "nowhere"))
    assert wrong["msg"].startswith("error: ")
    assert wrong["rc"] == 2
    (tmp_path / "report.json").write_text(json.dumps(diagnosis("torch.cpu_wheel")))
    says = ["sh", "-c", f"cat {tmp_path}/report.json; exit 1"]
    bad = module("doctor", executable=says, fail_on="error")
    assert bad["msg"] == "torch in /home/alice/env is a CPU build (torch.cpu_wheel)"
    assert bad["cause"] == "torch.cpu_wheel"
    assert "msg" not in module("doctor", executable=says)


class FailedError(Exception):
    """What `fail_json` was told."""


class Module:
    """As much of an AnsibleModule as the modules' common part uses."""

    def __init__(self, code: int = 0, out: str = "", err: str = "", **params: Any) -> None:
        self.params = {"executable": None, "pyz": None, **params}
        self.ended = (code, out, err)
        self.commands: list[list[str]] = []

    def run_command(self, command: list[str], **_others: Any) -> tuple[int, str, str]:
        self.commands.append(command)
        if command[0] == "/nowhere":
            raise FileNotFoundError(2, "No such file or directory")
        return self.ended

    def fail_json(self, msg: str, **_others: Any) -> None:
        raise FailedError(msg)


@pytest.fixture
def common() -> Any:
    spec = importlib.util.spec_from_file_location("common", COLLECTION / "plugins" / "module_utils" / "cudafit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (
            Module(executable=["/nowhere"]),
            "cudafit could not be started as `/nowhere inspect`: No such file or directory",
        ),
        (Module(0, "hello"), "cudafit gave no answer of cudafit.machine/1, and the exit code 0"),
        (Module(0, '{"schema": "cudafit.machine/9"}'), "cudafit gave no answer of cudafit.machine/1, and the exit"),
        (Module(0, "[" * 9), "cudafit gave no answer of cudafit.machine/1, and the exit"),
        (
            Module(2, "", "\nerror: cudafit needs Python 3.10 or newer; this is 3.6\n"),
            "error: cudafit needs Python 3.10",
        ),
        (Module(70, '{"schema": "cudafit.machine/1"}', "error: a bug"), "error: a bug"),
    ],
)
def test_what_is_no_cudafit_is_said(common: Any, module: Module, said: str) -> None:
    with pytest.raises(FailedError) as error:
        common.asked(module, ["inspect"], "cudafit.machine/1", (0, 3))
    assert str(error.value).startswith(said)


def test_how_it_is_started(common: Any) -> None:
    answer = '{"schema": "cudafit.machine/1"}'
    for params, start in (
        ({}, ["cudafit"]),
        ({"executable": ["python3", "-m", "cudafit"]}, ["python3", "-m", "cudafit"]),
        ({"pyz": "/a b/cudafit.pyz"}, [sys.executable, "/a b/cudafit.pyz"]),
    ):
        module = Module(3, answer, **params)
        assert common.asked(module, ["inspect"], "cudafit.machine/1", (0, 3)) == (3, json.loads(answer))
        assert module.commands == [[*start, "inspect", "--json"]]


@needs_ansible
@together
@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_a_survey_needs_nothing_on_the_hosts_and_makes_a_room(
    place: Path, cudafit: Callable[..., Any], tmp_path: Path
) -> None:
    build = [sys.executable, str(TOP / "packages" / "pyz" / "build.py"), str(tmp_path / "built")]
    subprocess.run(build, check=True, capture_output=True)
    room = tmp_path / "a room"
    text = PLAY.format(pyz=json.dumps(str(tmp_path / "built" / "cudafit.pyz")), hosts=tmp_path / "hosts", room=room)
    (place / "play.yml").write_text(text)
    first = ran(place, "ansible-playbook", "-i", "hosts.json", "play.yml", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert first.returncode == 0, first.stdout + first.stderr
    assert sorted(one.name for one in room.iterdir()) == [
        "one.doctor.json",
        "one.json",
        "two.doctor.json",
        "two.json",
    ]
    copied = tmp_path / "hosts" / "one" / "cudafit.pyz"
    assert copied.stat().st_mode & 0o777 == 0o600
    before = copied.stat().st_mtime_ns
    again = ran(place, "ansible-playbook", "-i", "hosts.json", "play.yml", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert copied.stat().st_mtime_ns == before, "it is copied once"
    shown = cudafit("report", str(room), "--json")
    assert shown.returncode in (0, 1), shown.stderr
    record = json.loads(shown.stdout)
    assert [one["name"] for one in record["machines"]] == ["one", "two"]
    assert record["unread"] == []


@needs_ansible
@together
@pytest.mark.slow
def test_it_is_built(place: Path, tmp_path: Path) -> None:
    done = ran(place, "ansible-galaxy", "collection", "build", str(COLLECTION), "--output-path", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert [one.name for one in (tmp_path / "out").iterdir()] == [f"cudafit-gpu-{__version__}.tar.gz"]
