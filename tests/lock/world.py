"""A small world for locks: a default index, an index laid out like PyTorch's, and a matrix that tells of both."""

import base64
import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.harvest.server import Index, serving
from tests.scenarios import FOLDER as SCENARIOS
from tests.uv_cache import uv_cache

FACTS = SCENARIOS / "facts"
TORCH = """# Builds of torch.
package: torch

builds:
- {version: 2.14.1, variant: cu126, platform: linux-x86_64, index: pytorch-cu126, cuda: 12.6, cudnn: 9.10.2.21, \
kernels: sm_60 sm_70 sm_80 sm_86, pythons: 3.11 3.12, tags: manylinux_2_28_x86_64, sources: doc}
- {version: 2.14.1, variant: cpu, platform: linux-x86_64, index: pytorch-cpu, pythons: 3.11 3.12, \
tags: manylinux_2_28_x86_64, sources: doc}
- {version: 2.15.0, variant: cu130, platform: linux-x86_64, index: pypi, cuda: 13.0, \
kernels: sm_75 sm_80 sm_90 sm_120, \
pythons: 3.11 3.12, tags: manylinux_2_28_x86_64, requires: nvidia-cudnn-cu13==9.20.0.48, sources: doc}
"""
CUPY = """# Builds of cupy-cuda12x.
package: cupy-cuda12x

builds:
- {version: 14.0.0, variant: cu12, platform: linux-x86_64, index: pypi, kernels: sm_60 sm_70 sm_80, \
pythons: 3.11 3.12, \
tags: manylinux_2_28_x86_64, sources: doc}
"""
CONDA = """# conda.

conda_builds:
- {feedstock: pytorch-cpu, version: 2.12.0, cuda: 12.9, platform: linux-aarch64, kernels: sm_60 sm_80 sm_90, \
sources: doc}
- {feedstock: pytorch-cpu, version: 2.12.0, cuda: 12.9, platform: linux-x86_64, kernels: sm_60 sm_80 sm_90, \
sources: doc}
- {feedstock: pytorch-cpu, version: 2.12.0, cuda: 13.0, platform: linux-x86_64, kernels: sm_75 sm_80 sm_90, \
sources: doc}
- {feedstock: pytorch-cpu, version: 2.13.0, cuda: 12.6, platform: linux-x86_64, kernels: sm_60 sm_80 sm_90, \
sources: doc}
- {feedstock: pytorch-cpu, version: 2.13.0, cuda: 12.9, platform: linux-aarch64, kernels: sm_60 sm_80 sm_90, \
sources: doc}
- {feedstock: pytorch-cpu, version: 2.13.0, cuda: 12.9, platform: linux-x86_64, kernels: sm_60 sm_80 sm_90, \
sources: doc}
- {feedstock: pytorch-cpu, version: 2.13.0, cuda: 13.0, platform: linux-x86_64, kernels: sm_75 sm_80 sm_90, \
sources: doc}

conda_names:
- {package: numpy, sources: doc}
"""


def wheel(
    name: str, version: str, tag: str = "py3-none-any", requires: str = "", content: str = ""
) -> tuple[str, bytes]:
    """The file name and the bytes of a wheel that pip and uv install; the same words make the same bytes."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"
    files = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n{content}",
        f"{name}-{version}.dist-info/METADATA": metadata,
        f"{name}-{version}.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()] + [f"{record},,"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in {**files, record: "\n".join(rows) + "\n"}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-{tag}.whl", out.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _linux(python: str) -> str:
    return f"cp{python}-cp{python}-manylinux_2_28_x86_64"


CUDNN = 'Requires-Dist: nvidia-cudnn-cu12==9.10.2.21; platform_system == "Linux"\nRequires-Dist: filelock'
PYTORCH = {
    "torch": dict(
        [wheel("torch", "2.14.1+cu126", _linux(python), CUDNN) for python in ("311", "312")]
        + [wheel("torch", "2.14.1+cu126", "cp311-cp311-win_amd64")]
    )
}
DEFAULT = {
    # Decoys: a higher version, and the very version with other content.
    "torch": dict(
        [wheel("torch", "2.99.0", _linux(python), content="decoy = 1\n") for python in ("311", "312")]
        + [wheel("torch", "2.14.1+cu126", _linux("311"), content="decoy = 2\n")]
        + [
            wheel("torch", "2.15.0", _linux(python), "Requires-Dist: nvidia-cudnn-cu13==9.20.0.48")
            for python in ("311", "312")
        ]
    ),
    "numpy": dict([wheel("numpy", "2.1.0"), wheel("numpy", "2.0.0"), wheel("numpy", "1.26.4")]),
    "filelock": dict([wheel("filelock", "3.20.0")]),
    "cupy-cuda12x": dict([wheel("cupy_cuda12x", "14.0.0", _linux(python)) for python in ("311", "312")]),
    "needs-old": dict([wheel("needs_old", "1.0", requires="Requires-Dist: numpy<2")]),
    "nvidia-cudnn-cu12": dict([wheel("nvidia_cudnn_cu12", "9.10.2.21", "py3-none-manylinux_2_27_x86_64")]),
    "nvidia-cudnn-cu13": dict([wheel("nvidia_cudnn_cu13", "9.20.0.48", "py3-none-manylinux_2_27_x86_64")]),
}


@dataclass(frozen=True)
class World:
    """The indexes, the matrix, and the variables under which cudafit uses them."""

    default: Index
    pytorch: Index
    matrix: Path
    uv_cache: str

    @property
    def env(self) -> dict[str, str]:
        base = self.pytorch.address.rstrip("/").removesuffix("/cu126")
        return {"UV_DEFAULT_INDEX": self.default.address, "CUDAFIT_PYTORCH_INDEX": base, "UV_CACHE_DIR": self.uv_cache}

    def masked(self, text: str) -> str:
        """The text without what differs from run to run: the ports."""
        pytorch, default = (one.address.split("/")[2] for one in (self.pytorch, self.default))
        return text.replace(pytorch, "pytorch.test").replace(default, "index.test")


@contextmanager
def world(folder: Path) -> Iterator[World]:
    matrix = folder / "matrix"
    shutil.copytree(FACTS, matrix)
    (matrix / "frameworks").mkdir()
    (matrix / "frameworks" / "torch.yaml").write_text(TORCH)
    (matrix / "frameworks" / "cupy-cuda12x.yaml").write_text(CUPY)
    (matrix / "conda.yaml").write_text(CONDA)
    with serving(Index(DEFAULT)) as default, serving(Index(PYTORCH, prefix="cu126")) as pytorch:
        yield World(default, pytorch, matrix, uv_cache(folder))
