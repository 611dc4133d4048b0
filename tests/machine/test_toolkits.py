"""CUDA toolkits by their files; their compiler only when asked for."""

import os
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.toolkits import parse_nvcc, read_toolkits
from cudafit.model.machine import Toolkit
from cudafit.system import programs
from tests.machine.trees import Folder, Link, Tree, image, plant, problems

VERSION_JSON = '{"cuda": {"name": "CUDA SDK", "version": "%s"}, "cuda_nvcc": {"version": "12.4.131"}}'
CUDA_H = "#ifndef __cuda_cuda_h__\n#define CUDA_VERSION %d\n#endif\n"
NVCC = """\
nvcc: NVIDIA (R) Cuda compiler driver
Copyright (c) 2005-2024 NVIDIA Corporation
Built on Thu_Mar_28_02:18:24_PDT_2024
Cuda compilation tools, release 12.4, V12.4.131
Build cuda_12.4.r12.4/compiler.34097967_0
"""


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        pytest.param({"/cuda/version.json": VERSION_JSON % "12.4.1"}, ("12.4.1", "version.json"), id="from 11.1 on"),
        pytest.param({"/cuda/version.txt": "CUDA Version 10.2.89\n"}, ("10.2.89", "version.txt"), id="up to 11.0"),
        pytest.param({"/cuda/include/cuda.h": CUDA_H % 12040}, ("12.4", "include/cuda.h"), id="header only"),
        pytest.param({"/cuda/nvvm": Folder()}, (None, "nvvm"), id="no version anywhere"),
        pytest.param({"/cuda/bin/nvcc": "", "/cuda/include/x.h": ""}, None, id="nothing of a toolkit"),
        pytest.param({"/cuda/version.txt": "Version 10.2\n"}, None, id="another version.txt"),
    ],
)
def test_which_file_tells_the_version(tree: Tree, found: tuple[str | None, str] | None, tmp_path: Path) -> None:
    context = image(tmp_path, {f"/usr/local{path}": content for path, content in tree.items()})
    assert read_toolkits(context) == ((Toolkit(found[0], "/usr/local/cuda", found[1]),) if found else ())
    assert problems(context) == []


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("cudnn_version.h", "#define CUDNN_MAJOR 8\n#define CUDNN_MINOR 0\n#define CUDNN_PATCHLEVEL 5\n", "8.0.5"),
        ("cudnn.h", "#define CUDNN_MAJOR 7\n#define CUDNN_MINOR 6\n#define CUDNN_PATCHLEVEL 5\n", "7.6.5"),
        ("cudnn_version.h", "#define CUDNN_MAJOR 8\n", None),
    ],
)
def test_the_cudnn_that_was_unpacked_into_it(name: str, text: str, version: str | None, tmp_path: Path) -> None:
    tree: Tree = {"/usr/local/cuda/version.txt": "CUDA Version 10.2.89\n", f"/usr/local/cuda/include/{name}": text}
    assert [one.cudnn for one in read_toolkits(image(tmp_path, tree))] == [version]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="a list"),
        pytest.param('{"cuda": "12.4"}', id="another shape"),
        pytest.param('{"cuda": {}}', id="no version"),
        pytest.param('{"cuda": {"version": 12.4}}', id="a number"),
        pytest.param('{"cuda": {"version": "unknown"}}', id="a word"),
        pytest.param("[" * 50_000, id="nested too deeply"),
    ],
)
def test_a_bad_version_json_is_a_problem_and_the_next_file_is_asked(text: str, tmp_path: Path) -> None:
    tree: Tree = {"/usr/local/cuda/version.json": text, "/usr/local/cuda/include/cuda.h": CUDA_H % 11080}
    context = image(tmp_path, tree)
    assert read_toolkits(context) == (Toolkit("11.8", "/usr/local/cuda", "include/cuda.h"),)
    assert problems(context) == ["toolkits: /usr/local/cuda/version.json: no CUDA version in it"]


def test_newest_first_and_each_once(tmp_path: Path) -> None:
    context = image(
        tmp_path,
        {
            "/usr/local/cuda": Link("/etc/alternatives/cuda"),
            "/etc/alternatives/cuda": Link("/usr/local/cuda-12.9"),
            "/usr/local/cuda-12": Link("cuda-12.10"),
            "/usr/local/cuda-12.9/version.json": VERSION_JSON % "12.9.0",
            "/usr/local/cuda-12.10/version.json": VERSION_JSON % "12.10.1",
            "/usr/local/cuda-9.2/version.txt": "CUDA Version 9.2.148\n",
            "/opt/cuda/version.json": VERSION_JSON % "12.6.2",
        },
    )
    assert [(toolkit.version, toolkit.path) for toolkit in read_toolkits(context)] == [
        ("12.10.1", "/usr/local/cuda-12.10"),
        ("12.9.0", "/usr/local/cuda-12.9"),
        ("12.6.2", "/opt/cuda"),
        ("9.2.148", "/usr/local/cuda-9.2"),
    ]
    assert problems(context) == []


def test_a_folders_name_tells_where_no_file_does(tmp_path: Path) -> None:
    tree: Tree = {"/usr/local/cuda": Link("cuda-12.4"), "/usr/local/cuda-12.4/lib64": Folder()}
    assert read_toolkits(image(tmp_path, tree)) == (Toolkit("12.4", "/usr/local/cuda-12.4", "folder name"),)


@pytest.mark.parametrize("target", ["/usr/local/cuda-11.8", "cuda"])
def test_a_link_that_leads_nowhere_is_a_problem(target: str, tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/local/cuda": Link(target)})
    assert read_toolkits(context) == ()
    assert problems(context) == [f"toolkits: /usr/local/cuda is a broken link to {target}"]


@pytest.mark.parametrize("variable", ["CUDA_HOME", "CUDA_PATH"])
def test_a_toolkit_that_a_variable_names(variable: str, tmp_path: Path) -> None:
    tree: Tree = {"/sw/cuda/12.4/version.json": VERSION_JSON % "12.4.1"}
    context = image(tmp_path, tree, {variable: "/sw/cuda/12.4"})
    assert read_toolkits(context) == (Toolkit("12.4.1", "/sw/cuda/12.4", "version.json"),)
    assert read_toolkits(image(tmp_path / "gone", {}, {variable: "/sw/cuda/12.4"})) == ()


def test_a_toolkit_found_by_its_compiler_on_the_path(tmp_path: Path) -> None:
    tree: Tree = {
        "/sw/cuda/bin/nvcc": "",
        "/sw/cuda/version.json": VERSION_JSON % "12.4.1",
        "/home/ada/bin/nvcc": Link("/sw/cuda/bin/nvcc"),
    }
    context = image(tmp_path, tree, {"PATH": "relative:/missing:/home/ada/bin:/sw/cuda/bin"})
    assert read_toolkits(context) == (Toolkit("12.4.1", "/sw/cuda", "version.json"),)


def test_a_wrapper_called_nvcc_is_no_toolkit(tmp_path: Path) -> None:
    tree: Tree = {
        "/usr/local/bin/nvcc": '#!/bin/sh\nexec ccache /opt/cuda/bin/nvcc "$@"\n',
        "/usr/local/include/x.h": "",
    }
    context = image(tmp_path, tree, {"PATH": "/usr/local/bin:/usr/bin"})
    assert read_toolkits(context) == ()
    assert problems(context) == []


def test_debians_own_package(tmp_path: Path) -> None:
    tree: Tree = {
        "/usr/bin/nvcc": "",
        "/usr/lib/cuda/version.txt": "CUDA Version 11.8.89\n",
        "/usr/lib/cuda/nvvm": Folder(),
    }
    assert read_toolkits(image(tmp_path, tree)) == (Toolkit("11.8.89", "/usr/lib/cuda", "version.txt"),)


def test_windows_has_its_variables(tmp_path: Path) -> None:
    plant(tmp_path, {"/v12.4/version.json": VERSION_JSON % "12.4.1", "/v11.8/version.json": VERSION_JSON % "11.8.0"})
    environ = {"CUDA_PATH": f"{tmp_path}/v12.4", "CUDA_PATH_V11_8": f"{tmp_path}/v11.8", "CUDA_PATHS": f"{tmp_path}/no"}
    toolkits = read_toolkits(Context("windows", Files(), environ))
    assert [toolkit.version for toolkit in toolkits] == ["12.4.1", "11.8.0"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (NVCC, "12.4.131"),
        ("Cuda compilation tools, release 9.1, V9.1.85\n", "9.1.85"),
        ("nvcc fatal: something\n", None),
        ("", None),
    ],
)
def test_what_nvcc_says(text: str, version: str | None) -> None:
    assert parse_nvcc(text) == version


# The compiler is a script here that leaves a mark when it is run.


def compiler(root: Path, script: str, tree: Tree) -> Path:
    plant(root, {"/bin/nvcc": f'#!/bin/sh\n: > "{root}/was-run"\n{script}', **tree})
    (root / "bin/nvcc").chmod(0o755)
    return root


def looked_at(root: Path, *, live: bool, deep: bool) -> tuple[Context, Toolkit]:
    environ = {"CUDA_HOME": str(root), "PATH": os.environ.get("PATH", os.defpath)}
    context = Context("linux", Files(), environ, live=live, deep=deep, silence_s=1)
    (toolkit,) = (found for found in read_toolkits(context) if found.path == str(root))
    return context, toolkit


@pytest.fixture
def of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The test's own folder stands for one of the system's."""
    monkeypatch.setattr(programs, "FOLDERS", (f"{tmp_path}/bin",))


@pytest.mark.usefixtures("of_the_system")
@pytest.mark.parametrize(("live", "deep"), [(True, False), (False, True), (False, False)])
def test_the_compiler_is_not_run_unless_asked_for(live: bool, deep: bool, tmp_path: Path) -> None:
    root = compiler(tmp_path, f"cat <<'END'\n{NVCC}END\n", {"/version.json": VERSION_JSON % "12.4.1"})
    _, toolkit = looked_at(root, live=live, deep=deep)
    assert (toolkit.version, toolkit.nvcc) == ("12.4.1", None)
    assert not (root / "was-run").exists()


@pytest.mark.usefixtures("of_the_system")
@pytest.mark.parametrize(
    ("tree", "version", "via"),
    [
        ({"/version.json": VERSION_JSON % "12.4.1"}, "12.4.1", "version.json"),
        ({"/nvvm": Folder()}, "12.4.131", "nvcc --version"),
    ],
)
def test_the_compilers_own_answer_stands_beside_the_files(tree: Tree, version: str, via: str, tmp_path: Path) -> None:
    root = compiler(tmp_path, f"cat <<'END'\n{NVCC}END\n", tree)
    _, toolkit = looked_at(root, live=True, deep=True)
    assert (toolkit.version, toolkit.via, toolkit.nvcc) == (version, via, "12.4.131")
    assert (root / "was-run").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("of_the_system")
@pytest.mark.parametrize(("script", "said"), [("exit 1\n", "no version in it"), ("exec sleep 60\n", "cut off")])
def test_a_compiler_that_does_not_answer_is_a_problem(script: str, said: str, tmp_path: Path) -> None:
    root = compiler(tmp_path, script, {"/version.json": VERSION_JSON % "12.4.1"})
    context, toolkit = looked_at(root, live=True, deep=True)
    assert (toolkit.version, toolkit.nvcc) == ("12.4.1", None)
    assert f"toolkits: {root}/bin/nvcc --version: {said}" in problems(context)


def test_a_compiler_that_is_not_the_systems_is_named_and_not_run(tmp_path: Path) -> None:
    root = compiler(tmp_path, f"cat <<'END'\n{NVCC}END\n", {"/version.json": VERSION_JSON % "12.4.1"})
    context, toolkit = looked_at(root, live=True, deep=True)
    assert (toolkit.version, toolkit.nvcc) == ("12.4.1", None)
    assert f"toolkits: {root}/bin/nvcc was not run: {root}/bin is no folder of the system" in problems(context)
    assert not (root / "was-run").exists()


@pytest.mark.usefixtures("of_the_system")
def test_a_compiler_that_cannot_be_started_is_a_problem(tmp_path: Path) -> None:
    root = plant(tmp_path, {"/bin/nvcc": "text", "/version.json": VERSION_JSON % "12.4.1"})
    context, toolkit = looked_at(root, live=True, deep=True)
    assert toolkit.nvcc is None
    assert f"toolkits: {root}/bin/nvcc: Permission denied" in problems(context)
