"""The libraries that the loader finds, in its order."""

from pathlib import Path

import pytest

from cudafit.machine.libraries import LOADER_CACHE, WSL_LIBRARIES, loader_folders, loader_knows_wsl, read_libraries
from cudafit.model.machine import Library
from tests.machine.trees import Folder, Link, Tree, image, problems

CUDNN_VERSION_H = "#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 1\n#define CUDNN_PATCHLEVEL 0\n"
NCCL_H = '#define NCCL_MAJOR 2\n#define NCCL_MINOR 21\n#define NCCL_PATCH 5\n#define NCCL_SUFFIX ""\n'


@pytest.mark.parametrize(
    ("tree", "folders"),
    [
        pytest.param(
            {
                "/etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n",
                "/etc/ld.so.conf.d/b.conf": "# CUDA\n/usr/local/cuda/targets/x86_64-linux/lib\n",
                "/etc/ld.so.conf.d/a.conf": "/opt/a  # why\n\n\t/opt/b\nrelative\n",
                "/etc/ld.so.conf.d/c.txt": "/opt/not-asked-for\n",
            },
            ["/opt/a", "/opt/b", "/usr/local/cuda/targets/x86_64-linux/lib"],
            id="debian",
        ),
        pytest.param(
            {"/etc/ld.so.conf": "include ld.so.conf.d/*.conf\n", "/etc/ld.so.conf.d/x.conf": "/opt/x\n"},
            ["/opt/x"],
            id="rocky: a pattern relative to /etc",
        ),
        pytest.param(
            {
                "/etc/ld.so.conf": "include a.conf b.conf\n",
                "/etc/a.conf": "include c.conf\n/opt/a\n",
                "/etc/b.conf": "/opt/b\n",
                "/etc/c.conf": "/opt/c\n",
            },
            ["/opt/a", "/opt/b", "/opt/c"],
            id="several, and one in another",
        ),
        pytest.param({"/etc/ld.so.conf": "include /nowhere/*.conf\ninclude\n"}, [], id="nothing to include"),
        pytest.param(
            {"/etc/ld.so.conf": "/opt/a\0b\ninclude /etc/\0*.conf /etc/c\0.d/x\n"}, ["/opt/a\0b"], id="no text"
        ),
        pytest.param({}, [], id="no file"),
    ],
)
def test_configured_folders(tree: Tree, folders: list[str], tmp_path: Path) -> None:
    context = image(tmp_path, tree)
    assert loader_folders(context) == folders
    assert read_libraries(context) == ()


@pytest.mark.parametrize(
    ("tree", "known"),
    [
        ({"/etc/ld.so.conf": f"{WSL_LIBRARIES}\n"}, True),
        ({LOADER_CACHE: f"glibc-ld.so.cache1.1\0{WSL_LIBRARIES}/libcuda.so.1\0"}, True),
        ({LOADER_CACHE: "glibc-ld.so.cache1.1\0/lib/libc.so.6\0", "/etc/ld.so.conf": "/opt/lib\n"}, False),
        ({"/etc/ld.so.conf": "/opt/lib\n"}, None),
    ],
)
def test_whether_the_loader_knows_wsls_folder(tree: Tree, known: bool | None, tmp_path: Path) -> None:
    assert loader_knows_wsl(image(tmp_path, tree)) is known


@pytest.mark.parametrize(
    "include", ["include /etc/ld.so.conf", "include ld.so.conf", "include *.conf", "include /etc/* /etc/ld*"]
)
def test_a_configuration_that_includes_itself_comes_to_an_end(include: str, tmp_path: Path) -> None:
    tree: Tree = {"/etc/ld.so.conf": f"{include}\n/opt/lib\n", "/opt/lib/libcudart.so.12.4.127": ""}
    context = image(tmp_path, tree)
    assert set(loader_folders(context)) == {"/opt/lib"}
    assert read_libraries(context) == (Library("cudart", "12.4.127", "/opt/lib/libcudart.so.12.4.127", "file name"),)


def test_the_order_of_search(tmp_path: Path) -> None:
    tree: Tree = {
        "/etc/ld.so.conf": "/opt/configured\n",
        **{
            f"{folder}/libcudart.so.12": ""
            for folder in ("/opt/path", "/opt/configured", "/usr/lib/wsl/lib", "/usr/lib")
        },
    }
    context = image(tmp_path, tree, {"LD_LIBRARY_PATH": ":relative:/opt/path/:/missing"})
    assert [(library.path, library.via) for library in read_libraries(context)] == [
        ("/opt/path/libcudart.so.12", "LD_LIBRARY_PATH"),
        ("/opt/configured/libcudart.so.12", "/etc/ld.so.conf"),
        ("/usr/lib/wsl/lib/libcudart.so.12", "WSL"),
        ("/usr/lib/libcudart.so.12", "default folders"),
    ]


def test_of_several_names_for_one_file_the_first_is_listed(tmp_path: Path) -> None:
    tree: Tree = {
        "/usr/lib64/libcublas.so.12.4.5.8": "",
        "/usr/lib64/libcublas.so.12": Link("libcublas.so.12.4.5.8"),
        "/usr/lib64/libcublas.so": Link("libcublas.so.12"),
        "/lib64": Link("usr/lib64"),
    }
    assert read_libraries(image(tmp_path, tree)) == (Library("cublas", "12.4.5.8", "/lib64/libcublas.so", "file name"),)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("libcuda.so.1", "libcuda"),
        ("libnvidia-ml.so.1", "libnvidia-ml"),
        ("libcudnn.so.9.1.0", "cudnn"),
        ("libnccl.so.2.21.5", "nccl"),
        ("libcudart.so.12.4.127", "cudart"),
        ("libcublas.so.12.4.5.8", "cublas"),
        ("libnvinfer.so.10.0.1", "tensorrt"),
        ("libcuda.so", None),
        ("libcublasLt.so.12", None),
        ("libcudnn_ops.so.9", None),
        ("libcudart.so.12.bak", None),
        ("libcudart_static.a", None),
    ],
)
def test_which_files_are_libraries_of_interest(name: str, short: str | None, tmp_path: Path) -> None:
    libraries = read_libraries(image(tmp_path, {f"/usr/lib/{name}": ""}))
    assert [library.name for library in libraries] == ([short] if short else [])


def test_the_drivers_libraries_have_the_version_of_the_file_they_lead_to(tmp_path: Path) -> None:
    tree: Tree = {
        "/usr/lib64/libcuda.so.550.54.15": "",
        "/usr/lib64/libcuda.so.1": Link("libcuda.so.550.54.15"),
        "/usr/lib64/libnvidia-ml.so.550.54.15": "",
        "/usr/lib64/libnvidia-ml.so.1": Link("libnvidia-ml.so.550.54.15"),
    }
    assert read_libraries(image(tmp_path, tree)) == (
        Library("libcuda", "550.54.15", "/usr/lib64/libcuda.so.1", "file name"),
        Library("libnvidia-ml", "550.54.15", "/usr/lib64/libnvidia-ml.so.1", "file name"),
    )


def test_a_stub_has_no_version(tmp_path: Path) -> None:
    stubs = "/usr/local/cuda/lib64/stubs"
    context = image(tmp_path, {f"{stubs}/libcuda.so.1": ""}, {"LD_LIBRARY_PATH": stubs})
    assert read_libraries(context) == (Library("libcuda", None, f"{stubs}/libcuda.so.1", "LD_LIBRARY_PATH"),)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        pytest.param(
            {"/opt/dnn/lib/libcudnn.so.9": "", "/opt/dnn/include/cudnn_version.h": CUDNN_VERSION_H},
            Library("cudnn", "9.1.0", "/opt/dnn/lib/libcudnn.so.9", "/opt/dnn/include/cudnn_version.h"),
            id="beside it",
        ),
        pytest.param(
            {"/opt/dnn/lib/libcudnn.so.9": "", "/usr/include/cudnn_version.h": CUDNN_VERSION_H},
            Library("cudnn", "9.1.0", "/opt/dnn/lib/libcudnn.so.9", "/usr/include/cudnn_version.h"),
            id="in the common folder",
        ),
        pytest.param(
            {"/opt/dnn/lib/libcudnn.so.8": "", "/usr/include/cudnn_version.h": CUDNN_VERSION_H},
            Library("cudnn", "8", "/opt/dnn/lib/libcudnn.so.8", "LD_LIBRARY_PATH"),
            id="of another version",
        ),
        pytest.param(
            {"/opt/dnn/lib/libcudnn.so": "", "/opt/dnn/include/cudnn.h": CUDNN_VERSION_H.replace("9", "7")},
            Library("cudnn", "7.1.0", "/opt/dnn/lib/libcudnn.so", "/opt/dnn/include/cudnn.h"),
            id="up to cuDNN 7, no number in the name",
        ),
        pytest.param(
            {"/opt/dnn/lib/libnccl.so.2": "", "/opt/dnn/include/nccl.h": NCCL_H},
            Library("nccl", "2.21.5", "/opt/dnn/lib/libnccl.so.2", "/opt/dnn/include/nccl.h"),
            id="NCCL",
        ),
        pytest.param(
            {"/opt/dnn/lib/libcudnn.so.9": "", "/opt/dnn/include/cudnn_version.h": "#define CUDNN_MAJOR 9\n"},
            Library("cudnn", "9", "/opt/dnn/lib/libcudnn.so.9", "LD_LIBRARY_PATH"),
            id="a header with no version",
        ),
        pytest.param(
            {"/opt/dnn/lib/libcudart.so": ""},
            Library("cudart", None, "/opt/dnn/lib/libcudart.so", "LD_LIBRARY_PATH"),
            id="no version anywhere",
        ),
    ],
)
def test_a_version_that_the_file_name_cuts_short_is_in_its_header(tree: Tree, found: Library, tmp_path: Path) -> None:
    assert read_libraries(image(tmp_path, tree, {"LD_LIBRARY_PATH": "/opt/dnn/lib"})) == (found,)


def test_a_broken_link_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/lib/libcuda.so.1": Link("libcuda.so.550.54.15")})
    assert read_libraries(context) == ()
    assert problems(context) == ["libraries: /usr/lib/libcuda.so.1 is a broken link to libcuda.so.550.54.15"]


def test_no_folders_no_libraries(tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/lib": Folder()}, {"LD_LIBRARY_PATH": ""})
    assert read_libraries(context) == ()
    assert problems(context) == []


@pytest.mark.parametrize(
    "text",
    ["".join(f"/opt/{number}\n" for number in range(3000)), "include ld.so.conf\n" * 3000],
    ids=["folders", "files"],
)
def test_a_configuration_without_end_is_read_in_part_which_is_said(text: str, tmp_path: Path) -> None:
    context = image(tmp_path, {"/etc/ld.so.conf": text})
    assert len(loader_folders(context)) < 1100
    assert problems(context) == ["libraries: /etc/ld.so.conf names more files or folders than are read"]
