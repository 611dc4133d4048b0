"""`cudafit lint`, as it is called."""

import json
from pathlib import Path

import pytest

from cudafit.model.kinds import IN_CODE
from tests.conftest import Run
from tests.lint.test_check import is_refused
from tests.schemas import validate

WRONG = """import torch

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = torch.nn.Linear(3, 3)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for x, y in torch.utils.data.DataLoader([]):
    x.to(device)
    y = y.to(device)
    torch.nn.functional.mse_loss(model(y), y).backward()
    opt.step()
"""
RIGHT = WRONG.replace("Linear(3, 3)", "Linear(3, 3).to(device)").replace("    x.to", "    x = x.to")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "a project"
    (folder / "conf").mkdir(parents=True)
    (folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")
    return folder


def test_a_finding_is_shown_with_its_place_and_exits_with_1(cudafit: Run, tree: Path) -> None:
    result = cudafit("lint", str(tree / "wrong.py"))
    assert result.returncode == 1
    assert f"{tree}/wrong.py:4:9: error code.model_on_cpu\n" in result.stdout
    assert f"{tree}/wrong.py:7:5: error code.to_result_discarded\n" in result.stdout
    assert result.stdout.endswith("\n2 errors in 1 file\n")
    assert result.stderr == ""
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if not line.startswith("/"))


def test_correct_code_exits_with_0(cudafit: Run, tree: Path) -> None:
    result = cudafit("lint", str(tree / "right.py"))
    assert (result.returncode, result.stdout) == (0, "nothing found in 1 file\n")


def test_stdin(cudafit: Run) -> None:
    result = cudafit("lint", "-", stdin=WRONG)
    assert result.returncode == 1
    assert result.stdout.startswith("-:4:9: error code.model_on_cpu\n")


def test_json_satisfies_its_schema(cudafit: Run, tree: Path) -> None:
    (tree / "broken.py").write_text("def f(:  # torch: .backward()\n", encoding="utf-8")
    (tree / "other.py").write_text("def f(:\n", encoding="utf-8")
    result = cudafit("lint", "--json", str(tree))
    assert result.returncode == 1
    shown = json.loads(result.stdout)
    validate(shown, "lint-1")
    assert shown["schema"] == "cudafit.lint/1"
    assert [(one["id"], one["line"]) for one in shown["findings"]] == [
        ("code.model_on_cpu", 4),
        ("code.to_result_discarded", 7),
    ]
    assert shown["skipped"] == [{"path": f"{tree}/broken.py", "reason": "line 1: invalid syntax", "part": False}]
    assert shown["files"] == 3  # what can hold no finding is not parsed, unless it is named itself
    assert cudafit("lint", str(tree / "other.py")).returncode == 2


def test_github_and_sarif(cudafit: Run, tree: Path) -> None:
    path = str(tree / "wrong.py")
    lines = cudafit("lint", "--format", "github", path).stdout.splitlines()
    assert lines[0].startswith(f"::error file={path},line=4,col=9,title=code.model_on_cpu::")
    run = json.loads(cudafit("lint", "--format", "sarif", path).stdout)["runs"][0]
    assert [one["ruleId"] for one in run["results"]] == ["code.model_on_cpu", "code.to_result_discarded"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 4, "startColumn": 9}
    assert place["artifactLocation"]["uri"] == path.replace(" ", "%20")


def test_select_ignore_and_comments(cudafit: Run, tree: Path) -> None:
    path = tree / "wrong.py"
    assert "1 error" in cudafit("lint", "--select", "code.model_on_cpu", str(path)).stdout
    assert "1 error" in cudafit("lint", "--ignore", "code.model_on_cpu", str(path)).stdout
    assert cudafit("lint", "--ignore", "code", str(path)).returncode == 0
    path.write_text(
        WRONG.replace("Linear(3, 3)", "Linear(3, 3)  # cudafit: ignore[code.model_on_cpu]").replace(
            "    x.to(device)", "    x.to(device)  # cudafit: ignore"
        ),
        encoding="utf-8",
    )
    assert cudafit("lint", str(path)).returncode == 0
    unknown = cudafit("lint", "--select", "code.unheard_of", str(path))
    assert unknown.returncode == 2
    assert "no finding is called `code.unheard_of`" in unknown.stderr


def test_fix_shows_a_diff_and_writes_only_when_asked(cudafit: Run, tree: Path) -> None:
    path = tree / "wrong.py"
    path.chmod(0o755)
    result = cudafit("lint", "--fix", str(path))
    assert result.returncode == 1
    assert "+model = torch.nn.Linear(3, 3).to(device)\n" in result.stdout
    assert "+    x = x.to(device)\n" in result.stdout
    assert path.read_text(encoding="utf-8") == WRONG
    written = cudafit("lint", "--fix", "--write", str(path))
    assert (written.returncode, written.stdout) == (0, "nothing found in 1 file\n")
    assert path.read_text(encoding="utf-8") == RIGHT
    assert path.stat().st_mode & 0o777 == 0o755


def test_wrong_usage(cudafit: Run, tree: Path) -> None:
    assert cudafit("lint").returncode == 2
    assert cudafit("lint", str(tree / "nowhere.py")).returncode == 2
    assert cudafit("lint", "--write", str(tree)).returncode == 2


def test_what_cannot_be_read_is_named_and_the_others_are_read(cudafit: Run, tree: Path) -> None:
    files = {
        "python2.py": b'import torch\nloss.backward()\nprint "no"\n',
        "broken.py": b"import torch\nloss.backward()\ndef f(:\n",
        "binary.py": b"\x7fELF\x00\x00torch",
        "latin.py": b"import torch  # caf\xe9\n",
        "named.py": b"# -*- coding: latin-1 -*-\nimport torch  # caf\xe9\n",
        "deep.py": b"import torch\nloss.backward()\nx = " + b"(" * 3000 + b")" * 3000,
        "sum.py": b"import torch\nloss.backward()\nx = " + b"+".join([b"1"] * 20000),
        "note.ipynb": b"{}",
    }
    for name, data in files.items():
        (tree / name).write_bytes(data)
    result = cudafit("lint", str(tree))
    assert result.returncode == 1
    assert f"{tree}/python2.py: not read: line 3: this is Python 2\n" in result.stdout
    for name in ("broken.py", "binary.py", "latin.py", "deep.py", "note.ipynb"):
        assert f"{tree}/{name}: not read: " in result.stdout
    assert (f"{tree}/sum.py: not read: " in result.stdout) == is_refused(files["sum.py"])
    assert "named.py" not in result.stdout
    assert result.stdout.endswith(f"\n2 errors in {3 if is_refused(files['sum.py']) else 4} files\n")
    alone = cudafit("lint", str(tree / "python2.py"))
    assert alone.returncode == 2
    assert alone.stdout.endswith("no file could be read\n")


def test_configurations_that_the_code_names(cudafit: Run, tree: Path) -> None:
    (tree / "conf" / "train.yaml").write_text("model:\n  size: 3\ntrainer:\n  accelerator: cpu\n", encoding="utf-8")
    (tree / "other.yaml").write_text("device: cpu\n", encoding="utf-8")
    assert "code.config_device_cpu" not in cudafit("lint", str(tree)).stdout
    (tree / "main.py").write_text('import torch, yaml\nyaml.safe_load(open("conf/train.yaml"))\n', encoding="utf-8")
    assert f"{tree}/conf/train.yaml:4:3: warning code.config_device_cpu" in cudafit("lint", str(tree)).stdout
    named = cudafit("lint", str(tree / "other.yaml"))
    assert named.returncode == 1
    assert "other.yaml:1:1: warning code.config_device_cpu" in named.stdout


def test_other_peoples_folders_are_left_out(cudafit: Run, tree: Path) -> None:
    for folder in (".venv/lib", "env/lib", "node_modules/x"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    (tree / "env" / "pyvenv.cfg").touch()
    assert cudafit("lint", str(tree)).stdout.endswith("2 errors in 2 files\n")


def test_a_large_tree_is_read_by_several_processes(cudafit: Run, tree: Path) -> None:
    for number in range(150):
        (tree / f"more{number:03}.py").write_text(RIGHT, encoding="utf-8")
    assert cudafit("lint", str(tree)).stdout.endswith("2 errors in 152 files\n")


def test_what_hangs_on_a_version_is_judged_by_an_environment(
    cudafit: Run, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "ask.py").write_text("import transformers\nask = transformers.pipeline('x')\n")
    packages = tree / ".venv" / "lib" / "python3.12" / "site-packages"
    (packages / "transformers-4.46.3.dist-info").mkdir(parents=True)
    (packages / "torch-2.5.0.dist-info").mkdir()
    (tree / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    ask = str(tree / "ask.py")
    unknown = cudafit("lint", "--json", ask)
    assert [one["id"] for one in json.loads(unknown.stdout)["findings"]] == ["info.version_decides"]
    assert unknown.returncode == 0
    named = json.loads(cudafit("lint", "--json", "--env", str(tree / ".venv"), ask).stdout)
    validate(named, "lint-1")
    assert [one["message"].partition(" (")[2] for one in named["findings"]] == ["transformers 4.46.3 is installed)"]
    assert named["assumed"] == [f"transformers 4.46.3, in {tree}/.venv"]
    monkeypatch.chdir(tree)
    nearby = cudafit("lint", "--json", "ask.py")
    assert [one["id"] for one in json.loads(nearby.stdout)["findings"]] == ["code.hf_pipeline_cpu"]
    assert cudafit("lint", "--env", str(tree / "conf"), ask).returncode == 2


def test_without_a_cache_nothing_is_kept(cudafit: Run, tree: Path, tmp_path: Path) -> None:
    for number in range(70):
        (tree / f"more{number:03}.py").write_text(RIGHT, encoding="utf-8")
    kept = tmp_path / "cache"
    shown = cudafit("lint", "--no-cache", str(tree), env={"XDG_CACHE_HOME": str(kept)}).stdout
    assert not kept.exists()
    assert cudafit("lint", str(tree), env={"XDG_CACHE_HOME": str(kept)}).stdout == shown
    assert (kept / "cudafit" / "lint").is_dir()
    assert cudafit("lint", str(tree), env={"XDG_CACHE_HOME": str(kept)}).stdout == shown


def test_list_checks_and_pages(cudafit: Run) -> None:
    listed = cudafit("lint", "--list-checks").stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(IN_CODE)
    page = cudafit("explain", "code.model_on_cpu")
    assert page.returncode == 0
    assert page.stdout.startswith("# code.model_on_cpu\n")
