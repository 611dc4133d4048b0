"""A conda channel in the shape of conda-forge's, with a torch that doctor can read, and the matrix that tells of it."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lock.channel import package, write
from tests.lock.world import CONDA, FACTS

SITE = "lib/python3.12/site-packages"
KERNELS = "sm_60 sm_70 sm_80 sm_86 sm_90"
PLACEHOLDER = "/opt/placeholder_of_the_prefix_that_is_long_enough"
# RTX 4090 with a driver that runs CUDA 12.4, and not 13.
MACHINE = ("--gpu", "RTX 4090", "--driver", "550.54.15", "--platform", "linux-x86_64", "--glibc", "2.36")


def torch_files(version: str, cuda: str | None) -> dict[str, bytes]:
    told = f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\n"
    files = {
        f"{SITE}/torch/version.py": told.encode(),
        f"{SITE}/torch/__init__.py": b"from .version import __version__\n",
        f"{SITE}/torch/lib/libtorch_python.so": b"\0" + (KERNELS.encode() if cuda else b"") + b"\0" * 200_000,
    }
    if cuda:
        files[f"{SITE}/torch/lib/libtorch_cuda.so"] = b"cuda"
    return files | dist_info("torch", version)


def dist_info(name: str, version: str, installer: str = "conda") -> dict[str, bytes]:
    folder = f"{SITE}/{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n"
    return {f"{folder}/METADATA": metadata.encode(), f"{folder}/INSTALLER": f"{installer}\n".encode()}


def numpy_files(version: str) -> dict[str, bytes]:
    return {f"{SITE}/numpy/__init__.py": f"__version__ = {version!r}\n".encode(), **dist_info("numpy", version)}


@dataclass(frozen=True)
class CondaWorld:
    """The channel, the matrix, and the variables under which cudafit uses them."""

    channel: Path
    matrix: Path

    @property
    def env(self) -> dict[str, str]:
        return {"CUDAFIT_CONDA_CHANNEL": self.channel.as_uri()}

    @property
    def words(self) -> tuple[str, ...]:
        return (*MACHINE, "--matrix", str(self.matrix))

    def archive(self, start: str) -> Path:
        (found,) = self.channel.glob(f"*/{start}*.tar.bz2")
        return found


Add = Callable[..., None]


def conda_world(folder: Path, more: Callable[[Add], None] | None = None) -> CondaWorld:
    matrix = folder / "matrix"
    shutil.copytree(FACTS, matrix)
    (matrix / "conda.yaml").write_text(CONDA)
    channel = folder / "conda-forge"
    listed: dict[str, dict[str, object]] = {"noarch": {}, "linux-64": {}}

    def add(*words: str, **how: object) -> None:
        subdir = str(how.get("subdir", "linux-64"))
        name, data, entry = package(*words, **how)  # type: ignore[arg-type]
        (channel / subdir).mkdir(parents=True, exist_ok=True)
        (channel / subdir / name).write_bytes(data)
        listed[subdir][name] = entry

    _cuda(add)
    _python(add)
    _torch(add)
    if more:
        more(add)
    write(channel, listed)
    return CondaWorld(channel, matrix)


def _cuda(add: Add) -> None:
    for cuda in ("11.8", "12.6", "12.9", "13.0"):
        # As conda-forge does: only the driver's major is asked for.
        add("cuda-version", cuda, "h0", subdir="noarch", constrains=[f"__cuda >={cuda.split('.')[0]}"])
        add("cudnn", f"9.{cuda.replace('.', '')}", "h0", depends=[f"cuda-version >={cuda},<{int(cuda[:2]) + 1}"])
    add("cudatoolkit", "11.8.0", "h0", files={"lib/libcudart.so.11.0": b"eleven"})


def _python(add: Add) -> None:
    tool = f"#!{PLACEHOLDER}/bin/python\n".encode()
    files = {"bin/tool": tool, f"{SITE}/README.txt": b"packages\n", "bin/python3.12": b"not an interpreter\n"}
    for version in ("3.12.7", "3.12.9"):
        add("python", version, "h0_cpython", files=files, placeholder=PLACEHOLDER)
    for version in ("2.2.0", "2.3.0"):
        add("numpy", version, "py_0", depends=["python >=3.12,<3.13.0a0"], files=numpy_files(version))
    for version in ("13.9.4", "14.0.0"):
        files = {f"{SITE}/rich/__init__.py": version.encode(), **dist_info("rich", version)}
        add("rich", version, "py_0", depends=["python"], files=files)


def _torch(add: Add, versions: Mapping[str, Sequence[str]] | None = None) -> None:
    for version, cudas in (versions or {"2.12.0": ("12.9",), "2.13.0": ("12.6", "12.9", "13.0")}).items():
        common = ["python >=3.12,<3.13.0a0", "numpy"]
        add(
            "pytorch",
            version,
            "cpu_generic_py312_h0_0",
            depends=common,
            files=torch_files(version, None),
        )
        for cuda in cudas:
            upper = int(cuda.split(".")[0]) + 1
            add(
                "pytorch",
                version,
                f"cuda{cuda.replace('.', '')}_generic_py312_h0_200",
                depends=[*common, "__cuda", f"cuda-version >={cuda},<{upper}", "cudnn"],
                files=torch_files(version, cuda),
                number=200,
            )
