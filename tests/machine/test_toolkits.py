"""CUDA toolkits and libraries on the disk."""

from pathlib import Path

import pytest

from cudafit.machine.context import Context
from cudafit.machine.files import Files
from cudafit.machine.libraries import read_libraries
from cudafit.machine.toolkits import parse_nvcc, read_toolkits
from tests.machine.trees import Link, Tree, image, problems

JSON = '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}'
NVCC = "Cuda compilation tools, release 12.4, V12.4.131\nBuild cuda_12.4.r12.4/compiler.34097967_0\n"


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({}, []),
        ({"/usr/local/cuda-12.4/version.json": JSON}, [("12.4.1", "/usr/local/cuda-12.4", "version.json")]),
        (
            {"/usr/local/cuda-12.4/version.json": JSON, "/usr/local/cuda": Link("cuda-12.4")},
            [("12.4.1", "/usr/local/cuda-12.4", "version.json")],
        ),
        (
            {
                "/usr/local/cuda-12.10/version.json": JSON.replace("12.4.1", "12.10.0"),
                "/usr/local/cuda-12.9/version.json": JSON,
            },
            [("12.10.0", "/usr/local/cuda-12.10", "version.json"), ("12.4.1", "/usr/local/cuda-12.9", "version.json")],
        ),
        (
            {"/usr/local/cuda-10.2/version.txt": "CUDA Version 10.2.89\n"},
            [("10.2.89", "/usr/local/cuda-10.2", "version.txt")],
        ),
        (
            {"/opt/cuda/include/cuda.h": "/* */\n#define CUDA_VERSION 12060\n"},
            [("12.6", "/opt/cuda", "include/cuda.h")],
        ),
        ({"/usr/local/cuda-11.8/lib64/x": ""}, [("11.8", "/usr/local/cuda-11.8", "folder name")]),
        ({"/usr/local/cuda/nvvm/bin/cicc": ""}, [(None, "/usr/local/cuda", "nvvm")]),
        ({"/usr/local/cuda/doc/x": ""}, []),
        ({"/usr/lib/cuda/version.txt": "CUDA Version 11.8.89\n"}, [("11.8.89", "/usr/lib/cuda", "version.txt")]),
    ],
)
def test_toolkits(tree: Tree, found: list[tuple[str | None, str, str]], tmp_path: Path) -> None:
    context = image(tmp_path, tree)
    assert [(kit.version, kit.path, kit.via) for kit in read_toolkits(context)] == found
    assert problems(context) == []


def test_broken_things_are_named(tmp_path: Path) -> None:
    context = image(
        tmp_path, {"/usr/local/cuda": Link("/usr/local/cuda-12.1"), "/usr/local/cuda-12.4/version.json": "{"}
    )
    assert [kit.via for kit in read_toolkits(context)] == ["folder name"]
    assert problems(context) == [
        "toolkits: /usr/local/cuda-12.4/version.json: no CUDA version in it",
        "toolkits: /usr/local/cuda is a broken link to /usr/local/cuda-12.1",
    ]


def test_variables_and_path_name_toolkits_too(tmp_path: Path) -> None:
    tree: Tree = {"/home/me/cuda/version.json": JSON, "/sw/cuda/bin/nvcc": "", "/sw/cuda/version.json": JSON}
    environ = {"CUDA_HOME": "/home/me/cuda", "PATH": "/sw/cuda/bin:/usr/bin"}
    found = [kit.path for kit in read_toolkits(image(tmp_path, tree, environ))]
    assert found == ["/home/me/cuda", "/sw/cuda"]


def test_a_wrapper_called_nvcc_is_no_toolkit(tmp_path: Path) -> None:
    tree: Tree = {"/usr/local/bin/nvcc": "#!/bin/sh\n"}
    assert read_toolkits(image(tmp_path, tree, {"PATH": "/usr/local/bin"})) == ()


@pytest.mark.parametrize("deep", [False, True])
def test_nvcc_is_run_only_when_asked(deep: bool, tmp_path: Path) -> None:
    kit = tmp_path / "cuda"
    (kit / "bin").mkdir(parents=True)
    (kit / "version.json").write_text(JSON, encoding="utf-8")
    ran = tmp_path / "ran"
    program = kit / "bin" / "nvcc"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\ncat <<END\n{NVCC}END\n", encoding="utf-8")
    program.chmod(0o755)
    context = Context("linux", Files(), {"CUDA_HOME": str(kit), "PATH": "/usr/bin:/bin"}, deep=deep, silence_s=20)
    (found,) = [found for found in read_toolkits(context) if found.path == str(kit)]
    assert ran.exists() is deep
    assert (found.version, found.nvcc) == ("12.4.1", "12.4.131" if deep else None)


def test_nvcc_text() -> None:
    assert parse_nvcc(NVCC) == "12.4.131"
    assert parse_nvcc("command not found") is None


LIB = "/usr/lib/x86_64-linux-gnu"
CUDNN_HEADER = "#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 1\n#define CUDNN_PATCHLEVEL 0\n"


@pytest.mark.parametrize(
    ("tree", "environ", "found"),
    [
        (
            {
                "/etc/ld.so.conf": "include ld.so.conf.d/*.conf\n",
                "/etc/ld.so.conf.d/a.conf": f"# Multiarch\n{LIB}\n",
                f"{LIB}/libcudnn.so.9": Link("libcudnn.so.9.10.2"),
                f"{LIB}/libcudnn.so.9.10.2": "",
                f"{LIB}/libcudnn_ops.so.9": "",
            },
            {},
            [("cudnn", "9.10.2", f"{LIB}/libcudnn.so.9")],
        ),
        (
            {"/sw/lib/libnccl.so.2.27.3": "", "/usr/lib/libnccl.so.2.18.1": ""},
            {"LD_LIBRARY_PATH": "/sw/lib::/missing"},
            [("nccl", "2.27.3", "/sw/lib/libnccl.so.2.27.3"), ("nccl", "2.18.1", "/usr/lib/libnccl.so.2.18.1")],
        ),
        (
            {
                "/usr/lib/libcudnn.so.9": "",
                "/usr/include/cudnn_version.h": CUDNN_HEADER,
            },
            {},
            [("cudnn", "9.1.0", "/usr/lib/libcudnn.so.9")],
        ),
        (
            {"/sw/stubs/libcuda.so.1": ""},
            {"LD_LIBRARY_PATH": "/sw/stubs"},
            [("libcuda", None, "/sw/stubs/libcuda.so.1")],
        ),
        ({"/etc/ld.so.conf": "include /etc/ld.so.conf\n"}, {}, []),
    ],
)
def test_libraries(
    tree: Tree, environ: dict[str, str], found: list[tuple[str, str | None, str]], tmp_path: Path
) -> None:
    context = image(tmp_path, tree, environ)
    assert [(library.name, library.version, library.path) for library in read_libraries(context)] == found


def test_a_broken_library_link_is_named(tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/lib/libcuda.so.1": Link("libcuda.so.550.54.15")})
    assert read_libraries(context) == ()
    assert problems(context) == ["libraries: /usr/lib/libcuda.so.1 is a broken link to libcuda.so.550.54.15"]
