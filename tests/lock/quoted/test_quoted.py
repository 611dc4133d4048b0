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

CHANNEL = "https://conda.anaconda.org/conda-forge"
PACKAGE = f"{CHANNEL}/linux-64/pytorch-2.9.1-cuda129_mkl_py312_h0_301.conda"
PIXI = f"""version: 6
environments:
  default:
    channels: [{{url: {CHANNEL}/}}]
    packages:
      linux-64:
      - conda: {PACKAGE}
packages:
- conda: {PACKAGE}
  sha256: {HASH}
  depends: [__cuda, 'cudnn >=9.10.2.21,<10.0a0']
- pypi: https://files.example.org/rich-14.0.0-py3-none-any.whl
  name: rich
"""
PIXI_5 = f"""version: 5
environments: {{}}
packages:
- {{kind: conda, name: pytorch, url: {PACKAGE}, sha256: {HASH}, depends: ['cudnn >=9.10.2.21,<10.0a0']}}
"""
CONDA_LOCK = f"""version: 1
metadata: {{platforms: [linux-64]}}
package:
- {{name: rich, manager: pip, platform: linux-64, url: 'https://files.example.org/rich-14.0.0.whl', hash: {{}}}}
- name: pytorch
  manager: conda
  platform: linux-64
  dependencies: {{cudnn: '>=9.10.2.21,<10.0a0'}}
  url: {PACKAGE}
  hash: {{sha256: {HASH}}}
"""
EXPLICIT = f"""# platform: linux-64
@EXPLICIT
{PACKAGE}#sha256:{HASH}
{CHANNEL}/noarch/tzdata-2025b-h0_0.conda#{"ab" * 16}
"""
BUILDS = f"""name,version,build,subdir,sha256,depends,constrains,source
pytorch,2.9.1,cuda129_mkl_py312_h0_301,linux-64,{HASH},"__cuda;cudnn >=9.10.2.21,<10.0a0",,a/b@0123456789ab:pixi.lock
"""
CELLS = """feedstock,version,cuda,subdir,pythons,evidence,source
jaxlib,0.9.2,12.9,linux-64,3.11 3.12,recipe-ci,conda-forge/jaxlib-feedstock@0123456789ab:.ci_support
pytorch-cpu,2.4.1,12.0,win-64,3.11,channel,someone/seen@0123456789ab:README.md
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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pixi.lock", PIXI),
        ("pixi.lock", PIXI_5),
        ("gpu.conda-lock.yml", CONDA_LOCK),
        ("explicit.txt", EXPLICIT),
        ("conda-linux-64.lock", EXPLICIT),
        ("builds.csv", BUILDS),
    ],
)
def test_each_kind_tells_the_package_of_conda_and_its_hash(name: str, text: str) -> None:
    quote = next(one for one in read(name, text).conda if one.package == "pytorch")
    assert (quote.version, quote.build, quote.platform) == ("2.9.1", "cuda129_mkl_py312_h0_301", "linux-x86_64")
    assert quote.sha256 == HASH
    assert (quote.index or quote.place) in ("conda-forge", CHANNEL)
    assert "EXPLICIT" in text or "cudnn >=9.10.2.21,<10.0a0" in quote.depends


def test_a_package_with_md5_alone_is_named_without_a_hash() -> None:
    quote = next(one for one in read("explicit.txt", EXPLICIT).conda if one.package == "tzdata")
    assert (quote.platform, quote.sha256) == ("any", None)


def test_what_a_recipe_announces_is_less_than_what_is_listed() -> None:
    jax, torch = read("cells.csv", CELLS).conda_listed
    assert (jax.platform, jax.pythons, jax.evidence) == ("linux-x86_64", ("3.11", "3.12"), "release notes")
    # One Python alone is the one that a build for all of them was named by.
    assert (torch.platform, torch.pythons, torch.evidence) == ("windows-x86_64", (), "listing")


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
        ("pixi.lock", "<!DOCTYPE html><title>Log in</title>"),
        ("pixi.lock", "packages: 3\n"),
        ("conda-lock.yml", PIXI),
        ("explicit.txt", "@EXPLICIT\n"),
        ("cells.csv", CELLS.replace("recipe-ci", "hearsay")),
        ("builds.csv", BUILDS.replace("pytorch", "../pytorch")),
    ],
)
def test_what_is_no_lock_is_named(name: str, text: str) -> None:
    with pytest.raises(InputError, match=name):
        read(name, text)
