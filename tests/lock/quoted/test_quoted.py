"""What each kind of lock tells of wheels: names, hashes, where they lie, and what they require."""

import pytest

from cudafit.errors import InputError
from cudafit.lock.quoted import read_quotes
from cudafit.lock.quoted.text import Given
from cudafit.model.matrix import Source
from cudafit.model.quoted import Quotes

INDEX = "https://download.example.org/whl/cu130"
FILE = "torch-2.9.1+cu130-cp312-cp312-manylinux_2_28_x86_64.whl"
URL = f"{INDEX}/torch-2.9.1%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl"
HASH = "ab" * 32
OTHER = "cd" * 32

UV = f"""version = 1
revision = 3

[manifest]
overrides = [{{ name = "nvidia-cudnn-cu13", specifier = "==9.99.0" }}]

[[package]]
name = "torch"
version = "2.9.1+cu130"
source = {{ registry = "{INDEX}" }}
dependencies = [
    {{ name = "nvidia-cudnn-cu13", marker = "sys_platform == 'linux'" }},
    {{ name = "nvidia-nccl-cu13", marker = "sys_platform == 'linux' and platform_machine == 'x86_64'" }},
    {{ name = "triton", version = "3.5.1", marker = "sys_platform == 'linux'" }},
    {{ name = "filelock" }},
]
wheels = [{{ url = "{URL}", hash = "sha256:{HASH}" }}]

[[package]]
name = "nvidia-cudnn-cu13"
version = "9.99.0"
source = {{ registry = "https://index.example.org/simple" }}

[[package]]
name = "nvidia-nccl-cu13"
version = "2.27.7"
source = {{ registry = "https://index.example.org/simple" }}

[[package]]
name = "filelock"
version = "3.20.0"
source = {{ registry = "https://index.example.org/simple" }}
wheels = [{{ url = "https://files.example.org/filelock-3.20.0-py3-none-any.whl" }}]

[[package]]
name = "mine"
version = "1"
source = {{ editable = "." }}
"""
POETRY = f"""[[package]]
name = "torch"
version = "2.9.1+cu130"
files = [{{file = "{FILE}", hash = "sha256:{HASH}"}}]

[package.dependencies]
nvidia-cudnn-cu13 = {{version = "9.13.0.50", markers = "platform_system == \\"Linux\\""}}
triton = {{version = ">=3.5.1,<4", markers = "platform_system == \\"Linux\\""}}
filelock = "*"

[package.source]
type = "legacy"
url = "{INDEX}"
reference = "pytorch"

[metadata]
lock-version = "2.1"
"""
PDM = f"""[metadata]
lock_version = "4.5.0"

[[package]]
name = "torch"
version = "2.9.1+cu130"
dependencies = ["nvidia-cudnn-cu13==9.13.0.50; platform_system == \\"Linux\\"", "filelock"]
files = [{{url = "{URL}", hash = "sha256:{HASH}"}}]
"""
PYLOCK = f"""lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "torch"
version = "2.9.1+cu130"
index = "{INDEX}"
wheels = [{{ url = "{URL}", hashes = {{ sha256 = "{HASH}" }} }}]
"""
REQUIREMENTS = f"""torch @ {URL} \\
    --hash=sha256:{HASH}
numpy==2.0.0 --hash=sha256:{HASH} --hash=sha256:{OTHER}
"""
TABLE = f"""index,package,version,file,sha256,source
cu130,torch,2.9.1+cu130,{FILE},{HASH},someone/project@0123456789ab:uv.lock
"""


def read(name: str, text: str) -> Quotes:
    return read_quotes(Given(f"/somewhere/{name}", name, text, Source("given", "as given", "lock"), "2026-11-29"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", UV),
        ("poetry.lock", POETRY),
        ("pdm.lock", PDM),
        ("pylock.gpu.toml", PYLOCK),
        ("requirements.txt", REQUIREMENTS),
        ("wheels.csv", TABLE),
    ],
)
def test_each_kind_tells_the_wheel_and_its_hash(name: str, text: str) -> None:
    quote = next(one for one in read(name, text).wheels if one.package == "torch")
    assert (quote.file, quote.sha256) == (FILE, HASH)
    assert quote.index == "pytorch-cu130" or INDEX in quote.places


def test_what_the_project_overrides_is_not_told_of_the_wheel() -> None:
    pins = {(pin.platform, pin.requirement) for pin in read("uv.lock", UV).pins if "filelock" not in pin.requirement}
    assert pins == {
        ("linux-x86_64", "nvidia-nccl-cu13==2.27.7"),
        ("linux-x86_64", "triton==3.5.1"),
        ("linux-aarch64", "triton==3.5.1"),
    }


@pytest.mark.parametrize(("name", "text"), [("poetry.lock", POETRY), ("pdm.lock", PDM)])
def test_the_metadata_of_a_wheel_is_told_exactly(name: str, text: str) -> None:
    pins = read(name, text).pins
    assert all(pin.exact for pin in pins)
    assert ("linux-aarch64", "nvidia-cudnn-cu13==9.13.0.50") in {(pin.platform, pin.requirement) for pin in pins}
    assert not any(pin.platform.startswith("windows") for pin in pins)


def test_a_wheel_without_a_hash_is_named_without_one() -> None:
    quote = next(one for one in read("uv.lock", UV).wheels if one.package == "filelock")
    assert quote.sha256 is None


def test_a_table_names_the_lock_that_it_has_a_row_from() -> None:
    source = read("wheels.csv", TABLE).wheels[0].source
    assert (source.name, source.kind) == ("project@01234567", "lock")
    assert source.url == "https://github.com/someone/project/blob/0123456789ab/uv.lock"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", "<!DOCTYPE html><title>Log in</title>"),
        ("uv.lock", "version = 1\n"),
        ("poetry.lock", "x = 1\n"),
        ("pdm.lock", UV),
        ("pylock.toml", "packages = 3\n"),
        ("requirements.txt", "torch==2.9.1\n"),
        ("wheels.csv", "a,b\n1,2\n"),
        ("wheels.csv", "index,package,version,file,sha256,source\nhttps://x/,torch,1,torch-1-py3-none-any.whl,,x\n"),
        ("notes.md", "torch"),
    ],
)
def test_what_is_no_lock_is_named(name: str, text: str) -> None:
    with pytest.raises(InputError, match=name):
        read(name, text)
