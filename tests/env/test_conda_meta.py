"""What conda wrote down of a prefix, and where environments lie."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from cudafit.env.conda_meta import asked_for, damage, pinned, read_meta, spec_name
from cudafit.env.conda_places import env_folders, is_base, listed, named, prefix_for
from cudafit.env.conda_side import is_compared
from cudafit.env.locate import Asked, locate, required
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.lock.conda_virtual import overridden
from cudafit.model.environment import CONDA, CondaDamage
from cudafit.model.located import Located
from cudafit.model.machine import CondaInstallation

FILES = Files()


def record(prefix: Path, name: str, paths: list[dict[str, object]], **more: object) -> None:
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    told = {"name": name, "version": "1.0", "build": "h0", "paths_data": {"paths": paths}, **more}
    (prefix / "conda-meta" / f"{name}-1.0-h0.json").write_text(json.dumps(told))


def listed_file(prefix: Path, path: str, content: bytes, **more: object) -> dict[str, object]:
    (prefix / path).parent.mkdir(parents=True, exist_ok=True)
    (prefix / path).write_bytes(content)
    return {"_path": path, "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content), **more}


@pytest.mark.parametrize("path", ["../../thesis.txt", "/etc/passwd", "lib/../../x"])
@pytest.mark.parametrize("key", ["files", "paths"])
def test_a_record_that_leads_out_of_the_prefix_is_not_believed(path: str, key: str, tmp_path: Path) -> None:
    paths: list[dict[str, object]] = [{"_path": path}] if key == "paths" else []
    record(tmp_path, "a", paths, files=[path])
    meta = read_meta(FILES, str(tmp_path))
    assert meta.records == ()
    assert "which is not in the prefix" in meta.problems[0].error


def test_files_are_compared_by_size_and_by_hash(tmp_path: Path) -> None:
    paths = [listed_file(tmp_path, f"lib/{name}", b"right") for name in ("same", "sized", "altered", "gone")]
    compiled = listed_file(tmp_path, "lib/x.pyc", b"compiled")
    written = listed_file(tmp_path, "bin/tool", b"#!/opt/e", prefix_placeholder="/a/long/placeholder", sha256="0" * 64)
    own = hashlib.sha256(b"#!/opt/e").hexdigest()
    record(tmp_path, "a", [*paths, compiled, {**written, "size_in_bytes": 99, "sha256_in_prefix": own}])
    (tmp_path / "lib/sized").write_bytes(b"longer than it was")
    (tmp_path / "lib/altered").write_bytes(b"wrong")
    (tmp_path / "lib/gone").unlink()
    (tmp_path / "lib/x.pyc").write_bytes(b"anew")
    meta = read_meta(FILES, str(tmp_path))
    assert meta.problems == ()
    quick = list(damage(str(tmp_path), meta.records, hashes=False))
    assert quick == [CondaDamage("a", ("lib/gone",), ("lib/sized",))]
    whole = list(damage(str(tmp_path), meta.records, hashes=True))
    assert whole == [CondaDamage("a", ("lib/gone",), ("lib/sized", "lib/altered"))]
    (tmp_path / "bin/tool").write_bytes(b"#!/other")
    assert "bin/tool" in next(damage(str(tmp_path), meta.records, hashes=True)).altered


def test_what_frameworks_load_is_compared() -> None:
    """torch for CUDA does not start without any of these, by the dependencies of conda-forge's build."""
    loaded = "cuda-cudart cuda-cudart_linux-64 cuda-cupti cuda-nvrtc cuda-nvtx cudnn cusparselt libcublas libcudnn"
    loaded += (
        " libcudss libcufft libcufile libcurand libcusolver libcusparse libmagma libnvjitlink libnvshmem3 nccl triton"
    )
    assert [name for name in ("pytorch", "libtorch", *loaded.split()) if not is_compared(name)] == []
    others = ("python", "numpy", "cuda-version", "cuda-nvcc", "pytorch-gpu", "libcublas-dev", "libcurl")
    assert [name for name in others if is_compared(name)] == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", '{"name": "a"}', '{"name": "a", "version": "1", "build": "h", "paths_data": 3}'],
)
def test_a_broken_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/a-1.0-h0.json").write_text(text)
    (problem,) = read_meta(FILES, str(tmp_path)).problems
    assert "a-1.0-h0.json cannot be read" in problem.error


def test_a_record_that_lists_files_elsewhere_is_not_believed(tmp_path: Path) -> None:
    for path in ("../../etc/passwd", "/etc/passwd"):
        record(tmp_path, "a", [{"_path": path}])
        assert "which is not in the prefix" in read_meta(FILES, str(tmp_path)).problems[0].error


def test_history_and_pins(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/history").write_text(
        "==> 2026-01-01 10:00:00 <==\n# cmd: conda create -n e python=3.12 numpy\n+conda-forge/linux-64::numpy-2-0\n"
        "# update specs: ['python=3.12', 'numpy', \"conda-forge::rich[version='>=13']\"]\n"
        "==> 2026-01-02 10:00:00 <==\n# install specs: ['numpy=2.2']\n"
        "==> 2026-01-03 10:00:00 <==\n# remove specs: ['rich']\n# update specs: [not a list\n"
    )
    (tmp_path / "conda-meta/pinned").write_text("# mine\nnumpy 2.2.*  # since the last update\n\n")
    assert asked_for(FILES, str(tmp_path)) == {"python": "python=3.12", "numpy": "numpy=2.2"}
    assert pinned(FILES, str(tmp_path)) == ("numpy 2.2.*",)
    assert asked_for(FILES, "/nowhere") == {}
    assert [spec_name(one) for one in ("Conda-Forge::PyTorch=2.9=cuda*", "a >=1", "b[build=x]")] == [
        "pytorch",
        "a",
        "b",
    ]


def environment(path: Path) -> Path:
    (path / "conda-meta").mkdir(parents=True)
    return path


def test_environments_are_found_by_name(tmp_path: Path) -> None:
    home, root, folder = tmp_path / "home", tmp_path / "miniforge3", tmp_path / "project"
    home.mkdir()
    environ = {"HOME": str(home)}
    found = (CondaInstallation("conda", str(root), "24.5.0", "PATH"),)
    wanted = {
        "of-root": environment(root / "envs/of-root"),
        "of-home": environment(home / ".conda/envs/of-home"),
        "of-list": environment(tmp_path / "far/of-list"),
        "of-pixi": environment(folder / ".pixi/envs/of-pixi"),
        "of-condarc": environment(tmp_path / "shared/of-condarc"),
    }
    (home / ".conda/environments.txt").write_text(f"{tmp_path}/far/of-list\nnonsense\n")
    (home / ".condarc").write_text(f"channels:\n  - conda-forge\nenvs_dirs:\n  - {tmp_path}/shared\n  - ~/mine\n")

    def by_name(name: str) -> Located:
        asked = Asked(conda=name, environ=environ, folder=str(folder), installations=lambda: found)
        return required(locate(FILES, asked))

    for name, path in wanted.items():
        located = by_name(name)
        assert (located.prefix, located.kind) == (str(path), CONDA)
    environment(root)
    assert by_name("base").prefix == str(root)
    assert is_base(FILES, str(root), found, environ)
    assert not is_base(FILES, str(wanted["of-root"]), found, environ)
    assert listed(FILES, environ) == [f"{tmp_path}/far/of-list"]
    assert env_folders(FILES, found, environ)[:2] == [f"{tmp_path}/shared", f"{home}/mine"]
    assert prefix_for("new", FILES, found, environ) == f"{tmp_path}/shared/new"
    assert prefix_for("new", FILES, (), {"HOME": "/nowhere", "CONDA_ENVS_PATH": str(tmp_path)}) == f"{tmp_path}/new"
    with pytest.raises(InputError, match="no conda environment `other`"):
        by_name("other")
    assert list(named(FILES, "x", (), {}, "/p")) == ["/p/.pixi/envs/x"]


@pytest.mark.parametrize("name", ["base", "root", "a b", "a/b", "..", ""])
def test_names_that_conda_would_not_take(name: str) -> None:
    with pytest.raises(InputError):
        prefix_for(name, FILES, (), {"HOME": "/nowhere"})


def test_overrides() -> None:
    virtual = (("__cuda", "12.4"), ("__glibc", "2.36"))
    assert overridden(virtual, {}) == (virtual, ())
    assert overridden(virtual, {"CONDA_OVERRIDE_CUDA": "12.4"}) == (virtual, ())
    found, told = overridden(virtual, {"CONDA_OVERRIDE_CUDA": "", "CONDA_OVERRIDE_GLIBC": "2.17"})
    assert found == (("__glibc", "2.17"),)
    assert told == (
        "CONDA_OVERRIDE_CUDA=: no __cuda in place of __cuda 12.4",
        "CONDA_OVERRIDE_GLIBC=2.17: __glibc 2.17 in place of __glibc 2.36",
    )
    assert overridden((), {"CONDA_OVERRIDE_CUDA": "12.8"})[0] == (("__cuda", "12.8"),)


@pytest.mark.parametrize(
    "change",
    [
        {"_path": "a\0b"},
        {"_path": "a\ud800"},
        {"_path": 3},
        {"size_in_bytes": "x"},
        {"sha256": 3},
        {"size_in_bytes": True},
    ],
)
def test_a_record_with_odd_values_is_named_and_not_compared(tmp_path: Path, change: dict[str, object]) -> None:
    entry = {"_path": "lib/a", "path_type": "hardlink", "sha256": "0", "size_in_bytes": 3, **change}
    value = {"name": "a", "version": "1", "build": "0", "paths_data": {"paths": [entry]}}
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta/a-1-0.json").write_text(json.dumps(value))
    found = read_meta(Files(), str(tmp_path))
    assert not found.records
    assert [one.error for one in found.problems if "a-1-0.json cannot be read" in one.error]


@pytest.mark.parametrize("name", ["history", "pinned"])
def test_lists_that_cannot_be_read_are_not_taken_for_empty_ones(tmp_path: Path, name: str) -> None:
    read = {"history": asked_for, "pinned": pinned}[name]
    assert not read(Files(), str(tmp_path))
    (tmp_path / "conda-meta").mkdir()
    os.mkfifo(tmp_path / "conda-meta" / name)
    with pytest.raises(InputError, match=f"{name}`: it is not a regular file"):
        read(Files(), str(tmp_path))


def test_a_home_is_put_in_as_it_is(tmp_path: Path) -> None:
    """It may hold what a replacement in a pattern would take for something else."""
    home = tmp_path / r"a\1\g<x>"
    home.mkdir()
    (home / ".condarc").write_text("envs_path:\n\n- '~/mine'\n- relative\n-   /opt/envs  \nchannels:\n- /no\n")
    assert env_folders(Files(), (), {"HOME": str(home)}) == [f"{home}/mine", "/opt/envs", f"{home}/.conda/envs"]
