"""What would be loaded: against the real linker, and in worlds that it would take a GPU to see."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cudafit.env.loader import Loader
from cudafit.env.loads import read_loads
from cudafit.files import Files
from cudafit.machine.context import this_machine
from cudafit.machine.libraries import system_folders
from tests.elf_files import library

ASK = """
import ctypes, json, sys
ctypes.CDLL(sys.argv[1])
paths = {line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if line.count(" ") > 5 and "/" in line}
print(json.dumps(sorted(path for path in paths if path.startswith(sys.argv[2]))))
"""
COMPILER = shutil.which("cc") or shutil.which("gcc")


def compiled(folder: Path, name: str, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{name}.c"
    source.write_text(f"int {name}(void) {{ return 1; }}\n")
    command = [str(COMPILER), "-shared", "-fPIC", "-Wl,--no-as-needed", f"-Wl,-soname,lib{name}.so.1", str(source)]
    subprocess.run([*command, *options, "-o", str(folder / f"lib{name}.so.1")], check=True, timeout=60)


def searched(kind: str, folder: Path) -> list[str]:
    """The options of the linker for a DT_RPATH, a DT_RUNPATH or neither."""
    tags = {"rpath": "--disable-new-dtags", "runpath": "--enable-new-dtags"}
    return [f"-Wl,{tags[kind]}", f"-Wl,-rpath,{folder}"] if kind in tags else []


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None or sys.platform != "linux", reason="needs a C compiler on Linux")
def test_the_real_linker_loads_the_same_files(tmp_path: Path) -> None:
    """One needs two, two needs three; each by RPATH, RUNPATH or neither, with copies in four folders."""
    a, b, c, d = (tmp_path / name for name in "abcd")
    for folder in (a, b, c, d):
        compiled(folder, "three")
    kinds = ("rpath", "runpath", "none")
    compared = 0
    for number, (first, second) in enumerate(itertools.product(kinds, kinds)):
        place = tmp_path / str(number)
        for folder in (a, c):
            compiled(folder, "two", str(folder / "libthree.so.1"), *searched(second, b))
        compiled(place, "one", str(a / "libtwo.so.1"), *searched(first, a))
        for variable in ("", str(c), f"{c}:{d}", str(d)):
            environ = {**os.environ, "LD_LIBRARY_PATH": variable}
            root = str(place / "libone.so.1")
            done = subprocess.run(
                [sys.executable, "-c", ASK, root, str(tmp_path)],
                env=environ, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            loader = Loader(Files(), environ, system_folders(this_machine()), sys.executable)
            ours = loader.walk([root])
            if done.returncode != 0:
                assert any(load.path is None for load in ours.values()), (first, second, variable, done.stderr)
                continue
            paths = sorted([root, *(load.path or "nowhere" for load in ours.values())])
            assert paths == json.loads(done.stdout), (first, second, variable)
            compared += 1
    assert compared >= 15


def laid(folder: Path, files: Mapping[str, bytes]) -> str:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(folder)


def walked(
    folder: str, roots: Sequence[str], variable: str = "", system: Sequence[tuple[str, str]] | None = ()
) -> dict[str, tuple[str | None, str]]:
    loader = Loader(Files(), {"LD_LIBRARY_PATH": variable}, system, None)
    found = loader.walk([f"{folder}/{root}" for root in roots])
    return {name: (load.path and load.path.removeprefix(folder + "/"), load.via) for name, load in found.items()}


def test_a_variable_overrides_a_runpath_and_never_an_rpath(tmp_path: Path) -> None:
    for kind, expected in (("rpath", ("own/libx.so.1", "RPATH")), ("runpath", ("other/libx.so.1", "LD_LIBRARY_PATH"))):
        folder = laid(
            tmp_path / kind,
            {
                "libroot.so": library(["libx.so.1"], **{kind: "$ORIGIN/own"}),  # type: ignore[arg-type]
                "own/libx.so.1": library(),
                "other/libx.so.1": library(),
            },
        )
        assert walked(folder, ["libroot.so"], f"{folder}/other") == {"libx.so.1": expected}


def test_what_is_nowhere_is_told_and_what_was_not_looked_for_is_not_absent(tmp_path: Path) -> None:
    folder = laid(tmp_path, {"libroot.so": library(["libcublas.so.12", "libc.so.6", "libcuda.so.1"])})
    assert walked(folder, ["libroot.so"]) == {"libcublas.so.12": (None, "nowhere")}
    assert walked(folder, ["libroot.so"], system=None) == {"libcublas.so.12": (None, "not looked")}


def test_a_library_for_another_processor_is_passed_over(tmp_path: Path) -> None:
    folder = laid(
        tmp_path,
        {
            "libroot.so": library(["libx.so.1"], rpath="$ORIGIN/arm:$ORIGIN/amd"),
            "arm/libx.so.1": library(machine=183),
            "amd/libx.so.1": library(),
        },
    )
    assert walked(folder, ["libroot.so"]) == {"libx.so.1": ("amd/libx.so.1", "RPATH")}


def test_libraries_that_need_each_other_end(tmp_path: Path) -> None:
    folder = laid(
        tmp_path,
        {"liba.so": library(["libb.so"], rpath="$ORIGIN"), "libb.so": library(["liba.so"], rpath="$ORIGIN")},
    )
    assert set(walked(folder, ["liba.so"])) == {"liba.so", "libb.so"}


def test_an_older_libstdcxx_in_front_is_found(tmp_path: Path) -> None:
    folder = laid(
        tmp_path,
        {
            "libroot.so": library(
                ["libstdc++.so.6"],
                runpath="$ORIGIN/new",
                needs={"libstdc++.so.6": ["GLIBCXX_3.4.29", "GLIBCXX_3.4.30"]},
            ),
            "new/libstdc++.so.6": library(has=["GLIBCXX_3.4.29", "GLIBCXX_3.4.30"]),
            "old/libstdc++.so.6": library(has=["GLIBCXX_3.4.9", "GLIBCXX_3.4.28"]),
        },
    )
    for variable, expected in (("", []), (f"{folder}/old", ["GLIBCXX_3.4.30"])):
        loader = Loader(Files(), {"LD_LIBRARY_PATH": variable}, (), None)
        loader.walk([f"{folder}/libroot.so"])
        assert [one.version for one in loader.too_old.values()] == expected


def test_torch_loads_by_itself_what_the_linker_does_not_find(tmp_path: Path) -> None:
    folder = laid(
        tmp_path,
        {
            "torch/lib/libtorch_global_deps.so": library(["libcublas.so.12"]),
            "torch/lib/libtorch_cuda.so": library(["libcublas.so.12", "libnccl.so.2"]),
            "nvidia/cublas/lib/libcublas.so.12": library(),
        },
    )
    loads = read_loads(Files(), Loader(Files(), {}, (), None), [folder], None)["torch"]
    assert {load.soname: load.via for load in loads} == {"libcublas.so.12": "preload", "libnccl.so.2": "nowhere"}


def test_parts_of_two_cuda_releases_are_found(tmp_path: Path) -> None:
    files = {
        "nvidia/cusolver/lib/libcusolver.so.11": library(["libnvJitLink.so.12"], runpath="$ORIGIN"),
        "nvidia/cuda_runtime/lib/libcudart.so.11.0": library(),
    }
    folder = laid(tmp_path, files)
    loads = read_loads(Files(), Loader(Files(), {}, (), None), [folder], None)
    assert [load.soname for load in loads["nvidia"]] == ["libnvJitLink.so.12"]
    laid(tmp_path, {"nvidia/nvjitlink/lib/libnvJitLink.so.12": library()})
    assert "nvidia" not in read_loads(Files(), Loader(Files(), {}, (), None), [folder], None)
