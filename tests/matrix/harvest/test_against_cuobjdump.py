"""Rows' architectures against what NVIDIA's own `cuobjdump` lists in the wheels that they were read from.

The packages were drawn with `random.Random(18).sample` from those that issue 18 names and whose rows tell kernels,
before any was looked at, and for each a row by the same generator: the first of up to 80 MB, else the
smallest of twelve.
"""

import re
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from elftools.elf.elffile import ELFFile

from cudafit.matrix.folder import read_folder
from cudafit.matrix.harvest.index import WheelFile, default_index, wheels
from cudafit.matrix.harvest.remote import RemoteWheel, Traffic
from cudafit.model.matrix import Matrix

pytestmark = [
    pytest.mark.online,
    pytest.mark.slow,
    pytest.mark.usefixtures("package_index"),
    pytest.mark.xdist_group("cuobjdump"),
]
_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_FIRST_MARKED = 90
DRAWN = (
    ("ctranslate2", "3.8.0", "cu11", "linux-x86_64"),
    ("bitsandbytes", "0.48.0", "multi", "linux-x86_64"),
    ("spconv-cu121", "2.3.8", "cu12", "linux-x86_64"),
    ("nvidia-dali-cuda130", "1.53.0", "cu13", "linux-aarch64"),
    ("faiss-gpu-cu12", "1.14.0", "cu12", "linux-x86_64"),
    ("cupy-cuda12x", "12.3.0", "cu12", "linux-x86_64"),
    ("cupy-cuda11x", "11.1.0", "cu11", "linux-x86_64"),
    ("onnxruntime-genai-cuda", "0.9.0", "cu12", "linux-x86_64"),
    ("spconv-cu120", "2.3.2", "cu12", "linux-x86_64"),
    ("spconv-cu126", "2.3.7", "cu12", "linux-x86_64"),
    ("xgboost", "3.4.1", "cu13", "linux-aarch64"),
    ("vllm", "0.5.1", "cu12", "linux-x86_64"),
    ("faiss-gpu", "1.6.0", "cu9", "linux-x86_64"),
    ("transformer-engine-cu13", "2.10.0", "cu13", "linux-x86_64"),
    ("cupy-cuda13x", "14.1.1", "cu13", "linux-x86_64"),
    ("torchao", "0.8.0", "cu12", "linux-x86_64"),
    ("catboost", "0.24.4", "cu10", "linux-x86_64"),
    ("fbgemm-gpu", "0.2.0", "cu11", "linux-x86_64"),
    ("autoawq", "0.1.8", "cu12", "linux-x86_64"),
    ("spconv-cu124", "2.3.8", "cu12", "linux-x86_64"),
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The newest, and triton's, of CUDA 12.8: each reads no GPU that its toolkit has dropped."""
    found = []
    for wanted in ("nvidia-cuda-cuobjdump==13.5.37", "triton==3.3.1"):
        folder = tmp_path_factory.mktemp("cuobjdump")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), wanted]
        subprocess.run([*command, "--python-version", "3.12", "--only-binary", ":all:"], check=True, timeout=300)
        (file,) = folder.glob("*.whl")
        with zipfile.ZipFile(file) as packed:
            (name,) = [one for one in packed.namelist() if one.endswith("/bin/cuobjdump")]
            program = Path(packed.extract(name, folder))
        file.unlink()
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        found.append(program)
    return found


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    return read_folder(str(Path(__file__).parents[3] / "matrices")).matrix()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with Traffic() as traffic:
        yield traffic.session()


@pytest.mark.parametrize(("package", "version", "variant", "platform"), DRAWN, ids=[row[0] for row in DRAWN])
def test_a_row_has_the_architectures_that_cuobjdump_lists(
    package: str,
    version: str,
    variant: str,
    platform: str,
    programs: list[Path],
    matrix: Matrix,
    session: requests.Session,
    tmp_path: Path,
) -> None:
    (row,) = [
        one
        for one in matrix.builds[package]
        if (one.version, one.variant, one.platform) == (version, variant, platform)
    ]
    names = {source.name: source.file for source in matrix.facts.sources if source.name in row.sources}
    (file,) = [
        one
        for one in wheels(package, default_index(), session)
        if one.name == names[row.sources[0]] and one.platform == platform
    ]
    assert set(row.kernels or ()) == _listed(file, session, programs, tmp_path / "library")


def _listed(file: WheelFile, session: requests.Session, programs: list[Path], place: Path) -> set[str]:
    """Member by member, so that no more than one library lies on the disk."""
    found: set[str] = set()
    with RemoteWheel(file, session) as wheel:
        for name in filter(_LIBRARY.search, wheel.names):
            with wheel.mapped(name) as data:
                place.write_bytes(data)
            told = next((told for one in programs if (told := _told(one, place)) is not None), None)
            found |= told if told is not None else set(_by_hand(place))
            place.unlink()
    return found


def _told(program: Path, place: Path) -> set[str] | None:
    """None where it refuses: a GPU that its toolkit has dropped, or headers that patchelf has moved.

    `-all`: PTX that the driver links when it loads a library lies among the relocatable code.
    """
    done = subprocess.run([program, "-all", place], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0 and "does not contain device code" not in done.stdout + done.stderr:
        return None
    found = re.findall(r"^Fatbin (elf|ptx) code:\n=+\narch = sm_(\d+)([af]?)$", done.stdout, re.M)
    # It also calls CUDA 9's cubins `sm_60a`: GPUs with a mark of their own begin with 9.0.
    marked = ((kind, number + (mark if int(number) >= _FIRST_MARKED else "")) for kind, number, mark in found)
    return {("sm_" if kind == "elf" else "compute_") + name for kind, name in marked}


def _by_hand(place: Path) -> Iterator[str]:
    """What the kernels say of themselves, where no program is left that lists them: the flags in a cubin's own ELF
    header and the `.target` of PTX, unpacked, whatever the entries around them claim."""
    with place.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".nv_fatbin")
        data = section.data() if section else b""
    for match in re.finditer(b"\x50\xed\x55\xba", data):
        at = match.start()
        head, size = struct.unpack_from("<HQ", data, at + 6)
        at, end = at + head, at + head + size
        while at < end:
            kind, _, length, padded = struct.unpack_from("<HHIQ", data, at)
            flags, unpacked = struct.unpack_from("<I", data, at + 40)[0], struct.unpack_from("<Q", data, at + 56)[0]
            body = data[at + length : at + length + padded]
            if flags & 0x2000:
                body = _unpacked(body, min(unpacked, 4096))
            if kind == 2:
                yield f"sm_{struct.unpack_from('<I', body, 48)[0] & 0xFF}"
            else:
                (target,) = re.findall(rb"^\.target sm_(\d+)", body, re.M)
                yield f"compute_{target.decode()}"
            at += length + padded


def _unpacked(data: bytes, most: int) -> bytes:
    """The beginning of an LZ4 block."""
    out, at = bytearray(), 0

    def count(low: int) -> int:
        nonlocal at
        while low >= 15:
            low, at = low + data[at], at + 1
            if data[at - 1] != 255:
                break
        return low

    while True:
        token, at = data[at], at + 1
        literal = count(token >> 4)
        out += data[at : at + literal]
        at += literal + 2
        if len(out) >= most:
            return bytes(out[:most])
        back = int.from_bytes(data[at - 2 : at], "little")
        for _ in range(count(token & 15) + 4):
            out.append(out[-back])
