"""A conda channel on disk, in the structure of conda-forge's CUDA packages: small, real packages that install."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

CUDAS = ("11.8", "12.0", "12.4", "12.6", "12.8", "12.9", "13.0")
ARCHS = ("6.1", "7.5", "8.9")
TORCH = {"2.12.0": ("12.9", "13.0"), "2.13.0": ("12.6", "12.9", "13.0")}


def package(
    name: str,
    version: str,
    build: str,
    *,
    subdir: str = "linux-64",
    depends: Sequence[str] = (),
    constrains: Sequence[str] = (),
    number: int = 0,
    files: Mapping[str, bytes] | None = None,
    placeholder: str | None = None,
) -> tuple[str, bytes, dict[str, object]]:
    """File name, content and the entry of repodata.json; `placeholder` is written anew for each prefix."""
    index = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": number,
        "depends": list(depends),
        "constrains": list(constrains),
        "license": "MIT",
        "subdir": subdir,
        "timestamp": 1700000000000,
    }
    if subdir == "noarch":
        index["noarch"] = "generic"
    held = {f"share/{name}.txt": f"{name} {version} {build}\n".encode(), **(files or {})}
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(text).hexdigest(),
            "size_in_bytes": len(text),
            **({"prefix_placeholder": placeholder, "file_mode": "text"} if _has(text, placeholder) else {}),
        }
        for path, text in held.items()
    ]
    archived = {
        **held,
        "info/index.json": json.dumps(index).encode(),
        "info/files": "".join(f"{path}\n" for path in held).encode(),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": paths}).encode(),
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:bz2") as archive:
        for path, content in archived.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    data = out.getvalue()
    entry = {
        **index,
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }
    return f"{name}-{version}-{build}.tar.bz2", data, entry


def _has(content: bytes, placeholder: str | None) -> bool:
    return placeholder is not None and placeholder.encode() in content


def make(folder: Path, subdirs: Sequence[str] = ("linux-64", "linux-aarch64")) -> str:
    """The channel's address."""
    listed: dict[str, dict[str, object]] = {"noarch": {}, **{subdir: {} for subdir in subdirs}}

    def add(*words: str, **more: object) -> None:
        subdir = str(more.get("subdir", "linux-64"))
        name, data, entry = package(*words, **more)  # type: ignore[arg-type]
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        (folder / subdir / name).write_bytes(data)
        listed[subdir][name] = entry

    for cuda in CUDAS:
        # As conda-forge does: only the driver's major is asked for.
        add("cuda-version", cuda, "h0", subdir="noarch", constrains=[f"__cuda >={cuda.split('.')[0]}"])
    for arch in ARCHS:
        # As conda-forge does since October 2026: where nothing tells the GPUs, every one of them may be installed.
        add("cuda-arch", arch, "h0", subdir="noarch", constrains=[f"__cuda_arch >={arch}"])
    for version in ("9.10.2.21", "9.13.1.26"):
        add("libcudnn", version, "h0_0", subdir="noarch")
    add("numpy", "2.3.0", "py_0", subdir="noarch", depends=["python >=3.10"])
    add("filelock", "3.20.0", "py_0", subdir="noarch", depends=["python"])
    for subdir in subdirs:
        for number, arch in enumerate(ARCHS):
            build = f"cuda129_arch{arch.replace('.', '')}_h0_{number}"
            add("kernels", "1.0", build, subdir=subdir, depends=["__cuda", f"cuda-arch >={arch}"], number=number)
        for python in ("3.11.9", "3.12.7", "3.13.1"):
            add("python", python, "h0_cpython", subdir=subdir)
        for version, cudas in TORCH.items():
            common = ["python >=3.12,<3.13.0a0", "filelock", "numpy"]
            add("pytorch", version, "cpu_generic_py312_h0_0", subdir=subdir, depends=common, number=0)
            for cuda in cudas:
                major = int(cuda.split(".")[0])
                runs = [*common, "__cuda", f"cuda-version >={cuda},<{major + 1}", "libcudnn >=9.10.2.21,<10.0a0"]
                build = f"cuda{cuda.replace('.', '')}_generic_py312_h0_200"
                add("pytorch", version, build, subdir=subdir, depends=runs, number=200)
    return write(folder, listed)


def write(folder: Path, listed: Mapping[str, Mapping[str, object]]) -> str:
    """The lists of a channel whose files are there; its address."""
    for subdir, packages in listed.items():
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        second = {name: entry for name, entry in packages.items() if name.endswith(".conda")}
        first = {name: entry for name, entry in packages.items() if name not in second}
        value = {"info": {"subdir": subdir}, "packages": first, "packages.conda": second, "repodata_version": 1}
        (folder / subdir / "repodata.json").write_text(json.dumps(value), encoding="utf-8")
    return folder.as_uri()
