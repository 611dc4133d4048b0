"""`cudafit config`, and what the other commands do with what is set."""

import json
from pathlib import Path

import pytest

from cudafit import shipped
from cudafit.model.settings import KEYS
from tests.conftest import Run
from tests.schemas import validate

MACHINES = Path(__file__).parents[1] / "machines"
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def set_in(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def test_config_shows_what_counts_and_from_where(folder: Path, cudafit: Run, environ: dict[str, str]) -> None:
    set_in(folder, '[tool.cudafit]\ndriver = "550.54.15"\n[tool.cudafit.indexes]\nconda = "https://c.example"\n')
    done = cudafit("config", env={"CUDAFIT_CUDA": "12.6"})
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "driver 550.54.15 [pyproject.toml:2]" in lines
    assert "cuda 12.6 [CUDAFIT_CUDA]" in lines
    assert "machine not set [CUDAFIT_MACHINE]" in lines
    assert any(line.startswith("not https://c.example: a project does not decide") for line in lines)
    assert f"your file {environ['HOME']}/.config/cudafit/config.toml: there is none" in lines


def test_config_as_json(folder: Path, cudafit: Run) -> None:
    set_in(folder, '[tool.cudafit]\ngpu = ["H100"]\ndriver = "580.65.06"\n')
    shown = json.loads(cudafit("config", "--json", env={"CUDAFIT_DRIVER": "550.54.15"}).stdout)
    validate(shown, "config-1")
    keys = {one["key"]: one for one in shown["settings"]}
    assert list(keys) == [key.name for key in KEYS]
    assert (keys["driver"]["value"], keys["driver"]["layer"], keys["driver"]["where"]) == (
        "550.54.15",
        "environment",
        "CUDAFIT_DRIVER",
    )
    assert keys["gpu"]["value"] is None  # a machine is described by one of them
    assert keys["gpu"]["others"][0]["value"] == ["H100"]
    assert keys["cuda"]["value"] is None


def test_logins_are_not_shown(cudafit: Run, folder: Path) -> None:
    done = cudafit("config", "--json", env={"CUDAFIT_PYTORCH_INDEX": "https://me:secret-word@m.example/whl"})
    assert "secret-word" not in done.stdout
    assert (
        "secret-word" not in cudafit("config", env={"CUDAFIT_CONDA_CHANNEL": "https://me:secret-word@m.example"}).stdout
    )


def test_the_schema_for_editors_is_printed(cudafit: Run) -> None:
    assert cudafit("config", "--schema").stdout == shipped.schema_text("config-file-1")
    assert cudafit("config", "--schema", "--json").returncode == 2


def test_a_wrong_key_is_an_error_of_every_command_that_asks(folder: Path, cudafit: Run) -> None:
    set_in(folder, '[tool.cudafit]\ndrvier = "550.54.15"\n')
    (folder / "a.py").write_text("", encoding="utf-8")
    for words in (
        ("config",),
        ("resolve", "torch", "--gpu", "H100", "--driver", "none"),
        ("lint", "a.py"),
        ("doctor",),
    ):
        done = cudafit(*words)
        assert done.returncode == 2
        assert "error: `pyproject.toml:2`: no key is called `drvier`" in done.stderr
        assert "did you mean `driver`?" in done.stderr
        assert cudafit(*words, env={"CUDAFIT_NO_CONFIG": "1"}).returncode != 2


def test_resolve_answers_for_the_machine_of_the_project(folder: Path, cudafit: Run) -> None:
    (folder / "gpu.json").write_bytes((MACHINES / "rtx4090-550.json").read_bytes())
    set_in(folder, '[tool.cudafit]\nmachine = "gpu.json"\n')
    done = cudafit("resolve", "torch", "--json")
    assert json.loads(done.stdout)["picks"][0]["variant"] == "cu126"
    assert done.stderr == "note: machine gpu.json, as pyproject.toml:2 says\n"
    assert json.loads(done.stdout) == json.loads(cudafit("resolve", "torch", "--json", "--machine", "gpu.json").stdout)


def test_what_is_typed_of_a_machine_is_all_of_it(folder: Path, cudafit: Run) -> None:
    set_in(folder, '[tool.cudafit]\ndriver = "470.82.01"\ngpu = "Tesla K80"\ncuda = "11.8"\n')
    typed = ("resolve", "torch", "--gpu", "H100", "--driver", "580.65.06", "--cuda", "12.6", "--json")
    done = cudafit(*typed)
    assert done.stderr == ""
    assert done.stdout == cudafit(*typed, env={"CUDAFIT_NO_CONFIG": "1"}).stdout


def test_cuda_is_set_and_typed(folder: Path, cudafit: Run) -> None:
    words = ("resolve", "torch", "--gpu", "H100", "--driver", "580.65.06", "--json")
    done = cudafit(*words, env={"CUDAFIT_CUDA": "12.6"})
    assert json.loads(done.stdout)["picks"][0]["cuda"] == "12.6"
    assert done.stderr == "note: builds for CUDA 12.6, as CUDAFIT_CUDA says\n"
    assert cudafit(*words, "--cpu", env={"CUDAFIT_CUDA": "12.6"}).stderr == ""


def test_lint_leaves_out_what_the_project_says(folder: Path, cudafit: Run) -> None:
    (folder / "train.py").write_text("import torch\ntorch.cuda.is_available\n", encoding="utf-8")
    found = json.loads(cudafit("lint", "train.py", "--json").stdout)["findings"]
    assert [one["id"] for one in found] == []
    (folder / "train.py").write_text(
        "import os\nimport torch\nos.environ['CUDA_VISIBLE_DEVICES'] = ''\nx = torch.zeros(3).cuda()\n",
        encoding="utf-8",
    )
    before = {one["id"] for one in json.loads(cudafit("lint", "train.py", "--json").stdout)["findings"]}
    assert before
    named = sorted(before)[0]
    set_in(folder, f'[tool.cudafit.lint]\nignore = ["{named}"]\n')
    done = cudafit("lint", "train.py", "--json")
    assert {one["id"] for one in json.loads(done.stdout)["findings"]} == before - {named}
    assert done.stderr == f"note: {named} left out, as pyproject.toml:2 says\n"
    again = cudafit("lint", "train.py", "--json", "--select", named)
    assert {one["id"] for one in json.loads(again.stdout)["findings"]} == {named}


def test_doctor_leaves_out_what_the_project_says(folder: Path, cudafit: Run) -> None:
    machine = str(MACHINES / "rtx4090-550.json")
    set_in(folder, '[tool.cudafit.doctor]\nignore = ["code.model_on_cpu", "torch.cpu_wheel"]\n')
    done = cudafit("doctor", "--machine", machine)
    assert "note: torch.cpu_wheel left out, as pyproject.toml:2 says" in done.stderr  # of code nothing was asked
    assert "left out" not in cudafit("doctor", "--machine", machine, "--ignore", "perf").stderr


def test_the_page_names_every_key_and_variable() -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for key in KEYS:
        assert f"`{key.name}`" in page
        assert key.variable is None or f"`{key.variable}`" in page
