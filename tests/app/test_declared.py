"""The files of a project become a question: which are read, what they choose, and what they are contradicted in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cudafit.app.declared import declared
from cudafit.errors import InputError, UndeterminedError
from tests.conftest import Run

CARD = ("--gpu", "RTX 3060", "--driver", "535.54.03", "--glibc", "2.35", "--offline")
HEAD = '[project]\nname = "mine"\nversion = "1"\n'
INDEX = '[[tool.uv.index]]\nname = "pt"\nurl = "https://download.pytorch.org/whl/{}"\nexplicit = true\n'
FAR = "far @ https://x.example/far-1-{}-manylinux_2_17_x86_64.whl"
Answer = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def answer(cudafit: Run, folder: Path) -> Answer:
    def ask(*words: str, code: int = 0, **files: str) -> dict[str, Any]:
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)
        done = cudafit("resolve", *words, *CARD, "--json")
        assert done.returncode == code, done.stderr
        return dict(json.loads(done.stdout)) if done.stdout else {"error": done.stderr}

    return ask


def names(*files: str, **options: tuple[str, ...]) -> list[str]:
    return [one.text for one in declared(files, **options).wanted]


def test_the_first_kind_that_says_anything_is_read_and_the_others_are_told(folder: Path) -> None:
    (folder / "requirements.txt").write_text("numpy\n")
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\ndynamic = ["dependencies"]\n')
    (folder / "setup.py").write_text("from setuptools import setup\nsetup(install_requires=['torch'])\n")
    (folder / "uv.lock").write_text("version = 1\n[[package]]\nname = 'x'\n")
    found = declared(())
    assert [one.text for one in found.wanted] == ["torch"]
    assert found.files == ("setup.py",)
    assert found.notes == (
        "left requirements.txt: setup.py says what is needed",
        "left uv.lock: setup.py says more than its lock",
        "left pyproject.toml:3: the dependencies are dynamic: they stand in setup.py",
    )


@pytest.mark.parametrize(
    "files",
    [
        {
            "requirements.txt": "# nothing\n",
            "setup.py": "from setuptools import setup\nsetup(install_requires=read())\n",
        },
        {"pyproject.toml": HEAD},
        {"setup.cfg": "[options]\npython_requires = >=3.9\n"},
    ],
)
def test_what_cannot_be_told_is_no_answer(cudafit: Run, folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    done = cudafit("resolve", *CARD)
    assert (done.returncode, done.stdout) == (3, "")
    assert "could not be told" in done.stderr


def test_a_named_file_that_asks_for_nothing_is_no_answer_either(folder: Path) -> None:
    (folder / "empty.txt").write_text("\n")
    (folder / "tool.py").write_text("import torch\n")
    with pytest.raises(UndeterminedError, match=r"asks for nothing|could not be told"):
        declared(("empty.txt",))
    with pytest.raises(InputError, match="declares nothing"):
        declared(("tool.py",))


def test_extras_and_groups(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(
        HEAD
        + 'dependencies = ["numpy"]\n[project.optional-dependencies]\ngpu = ["torch"]\nall = ["mine[gpu,docs]"]\n'
        + 'docs = ["sphinx"]\n[dependency-groups]\nlearn = ["jax"]\n'
    )
    assert names("pyproject.toml") == ["numpy"]
    assert names("pyproject.toml", extras=("all",), groups=("learn",)) == ["numpy", "jax", "torch", "sphinx"]
    assert names(extras=("GPU",)) == ["numpy", "torch"]
    with pytest.raises(InputError, match="none of this name") as caught:
        declared((), ("gpus",))
    assert caught.value.cause == ("there are: all, docs, gpu",)


def test_code_beside_is_read_too_and_a_circle_of_it_ends(folder: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (folder / name).mkdir()
        (folder / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\ndependencies = ["torch>=2", "{other}"]\n'
            f'[project.optional-dependencies]\ngpu = ["cupy-cuda12x"]\n'
            f'[tool.uv.sources]\n{other} = {{path = "../{other}"}}\n'
        )
    (folder / "base.txt").write_text("-e ./one[gpu]\nnumpy\n")
    (folder / "requirements.txt").write_text("-r base.txt\n")
    found = declared(())
    assert {one.text for one in found.wanted} == {"numpy", "torch>=2", "cupy-cuda12x"}
    assert found.lines == ()
    assert any("is code of your own" in note for note in found.notes)


def test_folders_that_say_nothing_are_left_to_the_installer(folder: Path) -> None:
    (folder / "plain").mkdir()
    (folder / "requirements.txt").write_text("torch\n-e ./plain\n")
    assert declared(()).lines == ("-e ./plain",)
    (folder / "sub").mkdir()
    (folder / "sub/more.txt").write_text("-e ../plain[gpu]\n../plain\n")
    (folder / "requirements.txt").write_text("torch\n-r sub/more.txt\n")
    assert declared(()).lines == ("-e ./plain[gpu]", "./plain")


def test_an_index_for_the_cpu_is_meant(answer: Answer) -> None:
    text = HEAD + 'dependencies = ["torch", "torchvision"]\n[tool.uv.sources]\ntorch = {index = "pt"}\n'
    told = answer(pyproject__toml=text + INDEX.format("cpu"))
    assert {pick["variant"] for pick in told["picks"] if pick["name"] != "triton"} == {"cpu"}
    assert "torch for the CPU, as pyproject.toml:6 says" in told["notes"]
    told = answer("--cuda", "12")
    assert {pick["variant"] for pick in told["picks"] if pick["requested"]} == {"cu126"}
    assert any("`--cuda 12` goes before it" in one for one in told["warnings"])


def test_an_index_for_a_cuda_that_does_not_run_here_is_contradicted_in_words(answer: Answer) -> None:
    told = answer(requirements__txt="--extra-index-url https://download.pytorch.org/whl/cu130\ntorch\n")
    assert told["picks"][0]["variant"] == "cu126"
    assert told["warnings"] == [
        "requirements.txt:1 takes torch and what belongs to it for CUDA 13.0: no build of that kind fits here,"
        " so another one is taken"
    ]
    told = answer(requirements__txt="--extra-index-url https://download.pytorch.org/whl/cu118\ntorch\n")
    assert (told["picks"][0]["variant"], told["warnings"]) == ("cu118", [])


@pytest.mark.parametrize("text", ["jax[cpu]\n", "jax[tpu]\n", "jax[cpu]\njaxlib\n", "torch==2.14.1+cpu\ntorchvision\n"])
def test_what_is_for_the_cpu_by_its_own_words(answer: Answer, text: str) -> None:
    told = answer(requirements__txt=text)
    assert (told["status"], told["reason"]) == ("cpu", "CPU builds, as the request says")


def test_the_projects_python_binds(answer: Answer) -> None:
    told = answer(pyproject__toml=HEAD + 'requires-python = ">=3.9,<3.12"\ndependencies = ["torch"]\n')
    assert told["python"] == "3.11"
    told = answer("--python", "3.13")
    assert told["python"] == "3.13"
    assert told["warnings"][0] == "`--python 3.13` is not what the project asks for: >=3.9,<3.12 (pyproject.toml:4)"
    (Path(".python-version")).write_text("3.10.4\n")
    assert answer()["python"] == "3.10"
    (Path(".python-version")).write_text("3.13\n")
    told = answer(code=2)
    assert "no Python fits what this project asks for" in told["error"]
    assert ">=3.9,<3.12 (pyproject.toml:4)" in told["error"]
    assert "==3.13.* (.python-version:1)" in told["error"]


def test_what_is_written_into_a_pyproject_holds_for_all_its_pythons(cudafit: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(HEAD + 'requires-python = ">=3.10"\ndependencies = ["jax"]\n')
    done = cudafit("resolve", "-o", "pyproject.toml", *CARD)
    assert done.returncode == 0, done.stderr
    assert "jax[cuda12]==0.6.2" in (folder / "pyproject.toml").read_text()
    assert "that Python 3.10 can have" in done.stdout


def test_pins_that_contradict_each_other_are_said_with_both_places(answer: Answer, folder: Path) -> None:
    (folder / "base.txt").write_text("numpy\ntorch<2.6\n")
    told = answer(code=1, requirements__txt="-r base.txt\ntorch>=2.8\n")
    assert any("(requirements.txt:2)" in one and "(base.txt:2)" in one for one in told["causes"]), told["causes"]


@pytest.mark.parametrize(
    ("base", "own", "said"),
    [
        # Against this machine: which pin, who set it, and the nearest that works.
        ("torch==2.15.0", "torchvision", ["need driver 580.65.06", "`torch==2.15.0` stands in base.txt:2"]),
        # Against each other, through what one needs of the other; the Python that both are for is found for it.
        (
            "torch==2.1.0",
            "torchvision==0.20.0",
            ["`torch==2.1.0` stands in base.txt:2", "`torchvision==0.20.0` stands in requirements.txt:2"],
        ),
    ],
)
def test_a_pin_in_the_way_is_said_with_its_place(
    cudafit: Run, folder: Path, base: str, own: str, said: list[str]
) -> None:
    (folder / "base.txt").write_text(f"numpy\n{base}\n")
    (folder / "requirements.txt").write_text(f"-r base.txt\n{own}\n")
    done = cudafit("resolve", *CARD)
    assert done.returncode == 1
    assert [one for one in said if one not in done.stderr] == []
    assert "need Python" not in done.stderr
    nearest = "torch==2.14.1 torchvision" if own == "torchvision" else "torch==2.5.0 torchvision==0.20.0"
    assert f"hint: `cudafit resolve {nearest} " in done.stderr


def test_a_wheel_for_another_system_or_python(answer: Answer) -> None:
    win = "torch@https://x.example/torch-2.9.0%2Bcu126-cp38-cp38-win_amd64.whl\n"
    told = answer(requirements__txt=f"{win}far @ https://x.example/far-1-cp311-cp311-win_amd64.whl\n")
    assert [pick["version"] for pick in told["picks"] if pick["requested"]] == ["2.9.0"]
    assert [one.partition(" (")[0] for one in told["warnings"][:2]] == [
        "`torch-2.9.0+cu126-cp38-cp38-win_amd64.whl`",
        "`far-1-cp311-cp311-win_amd64.whl`",
    ]
    text = f"torch\n{FAR.format('cp311-cp311')}\n"
    told = answer(requirements__txt=text)
    assert (told["python"], told["command"][-2:]) == ("3.11", ["--torch-backend", "cu126"])
    assert "-r" in told["command"]
    assert "is for Python 3.11 alone" in told["notes"][-1]
    other = "far @ https://x.example/far-1-cp39-cp39-win_amd64.whl ; sys_platform == 'win32'\ntorch\n"
    assert answer(requirements__txt=other)["warnings"] == []


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("uv", "uv pip install torch==2.14.1+cu126 rich --extra-index-url https://e.example/simple -e ./sub/plain"),
        ("pip", "pip install torch==2.14.1+cu126 rich --extra-index-url https://e.example/simple -e ./sub/plain"),
        ("requirements", "torch==2.14.1+cu126 rich"),
    ],
)
def test_a_line_has_no_file_that_cannot_be_installed(cudafit: Run, folder: Path, form: str, line: str) -> None:
    """The wheel in the nested file is for another Python: what the files ask for else is said in words."""
    (folder / "sub/plain").mkdir(parents=True)
    (folder / "sub/more.txt").write_text(f"{FAR.format('cp38-cp38')}\n-e plain\n")
    index = "--extra-index-url https://e.example/simple\n--prefer-binary\n"
    (folder / "requirements.txt").write_text(f"{index}torch\nrich\n-r sub/more.txt\n")
    done = cudafit("resolve", *CARD, "--python", "3.12", "--print", form)
    assert (done.returncode, "far is left out" in done.stderr) == (0, True), done.stderr
    assert done.stdout.split(" --torch-backend")[0].split(" --extra-index-url https://download")[0].strip() == line
    (folder / "sub/more.txt").write_text(f"{FAR.format('cp312-cp312')}\n-e plain\n")
    again = cudafit("resolve", *CARD, "--python", "3.12", "--print", form)
    assert ("-r requirements.txt" in again.stdout) == (form != "requirements")


def test_a_line_with_the_name_of_former_times_has_the_right_one_alone(answer: Answer) -> None:
    assert answer(requirements__txt="tensorflow-gpu\nrich\n")["command"][3:] == ["tensorflow[and-cuda]==2.21.0", "rich"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("wheel", "words", "python", "error"),
    [
        ("cp38-cp38", (), "3.8", ""),
        ("cp310-abi3", (), "3.12", ""),
        ("py3-none", (), "3.12", ""),
        ("cp38-cp38", ("--python", "3.12"), "", "cannot be installed for Python 3.12"),
        ("cp310-abi3", ("--python", "3.9"), "", "cannot be installed for Python 3.9"),
        ("cp310-abi3", ("--python", "3.13t"), "", "cannot be installed for Python 3.13t"),
        ("py2-none", (), "", "cannot be installed for the Python that is asked for"),
        ("cp312-cp312", ("--platform", "windows-x86_64"), "", "cannot be installed on windows-x86_64"),
    ],
)
def test_a_wheel_that_is_typed_binds_the_python_or_is_refused(
    cudafit: Run, wheel: str, words: tuple[str, ...], python: str, error: str
) -> None:
    done = cudafit("resolve", "torch", FAR.format(wheel), *CARD, *words, "--json")
    assert (done.returncode, error in done.stderr) == (2 if error else 0, True), done.stderr
    assert error or json.loads(done.stdout)["python"] == python


def test_names_that_files_have_from_former_times(answer: Answer) -> None:
    told = answer(requirements__txt="tensorflow-gpu>=2.4\n")
    assert told["picks"][0]["name"] == "tensorflow"
    assert "`tensorflow-gpu` (requirements.txt:1) is no package to install: tensorflow is meant" in told["notes"]


def test_an_environment_of_conda_is_answered_with_condas_builds(answer: Answer) -> None:
    told = answer(environment__yml="dependencies: [python=3.12, pytorch>=2.9, numpy, {pip: [einops]}]\n")
    assert told["picks"][0]["index_name"] == "conda-forge"


def test_a_source_of_what_only_comes_through_others_is_contradicted(folder: Path) -> None:
    sources = '[tool.uv.sources]\ntorch = { index = "pt" }\n'
    path = folder / "pyproject.toml"
    path.write_text(HEAD + 'dependencies = ["ultralytics"]\n' + INDEX.format("cpu") + sources)
    [told] = declared((str(path),)).warnings
    assert "torch is to come from the index for cpu, and is no dependency of the project itself" in told
    path.write_text(HEAD + 'dependencies = ["ultralytics", "torch"]\n' + INDEX.format("cpu") + sources)
    assert declared((str(path),)).warnings == ()
    extra = '[project.optional-dependencies]\ngpu = ["torch"]\n'
    path.write_text(HEAD + 'dependencies = ["ultralytics"]\n' + extra + INDEX.format("cpu") + sources)
    assert declared((str(path),)).warnings == ()


def test_a_path_in_a_nested_file_is_one_from_that_file(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "pkg").mkdir()
    (folder / "pkg/pyproject.toml").write_text(HEAD + 'dependencies = ["torch>=2.4"]\n')
    (folder / "sub/more.txt").write_text("-e ../pkg\n")
    (folder / "requirements.txt").write_text("-r sub/more.txt\n")
    assert names("requirements.txt") == ["torch>=2.4"]


def test_files_that_tell_nothing_end_in_no_offer(answer: Answer) -> None:
    told = answer("-r", "requirements.txt", code=3, requirements__txt="-e ./nowhere\n")
    assert "`-e ./nowhere` tells nothing that could be looked at" in told["error"]


def test_what_is_built_with_torch_is_told_how(answer: Answer) -> None:
    notes = answer("-r", "requirements.txt", requirements__txt="torch\nflash-attn\n")["notes"]
    [told] = [one for one in notes if "--no-build-isolation" in one]
    assert told.startswith("flash-attn is built where it is installed, and its build imports torch")
