"""The harvester over an index on loopback, with the faults that real servers have."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from cudafit.matrix.harvest.cache import Cache
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.harvest import Harvest, harvest
from cudafit.matrix.harvest.index import WheelFile, default_index, platform_of, shown, wheels
from cudafit.matrix.harvest.requirements import exact, requirements
from cudafit.model.literals import assignments
from cudafit.model.matrix import Build
from tests.fuzz.readers import HTML_PAGE, session
from tests.matrix.harvest.server import Index, serving, wheel

KERNELS = b"\0sm_50 sm_80\0junk\0sm_75 sm_80 sm_86 sm_90 compute_90\0"
REQUIRES = """Requires-Dist: nvidia-cudnn-cu12 ==9.1.0.70 ; platform_system == "Linux" and platform_machine == "x86_64"
Requires-Dist: nvidia-nccl-cu12==2.21.5; platform_system == "Linux"
Requires-Dist: triton==3.2.0; platform_system == "Linux"
Requires-Dist: sympy==1.13.1
Requires-Dist: not a requirement at all
"""
LINUX = "torch-2.6.0-cp312-cp312-manylinux_2_28_x86_64.whl"
LINUX_311 = "torch-2.6.0-cp311-cp311-manylinux_2_28_x86_64.whl"
LINUX_T = "torch-2.6.0-cp313-cp313t-manylinux_2_28_x86_64.whl"
WINDOWS = "torch-2.6.0-cp312-cp312-win_amd64.whl"
OLD = "torch-2.5.0-cp312-cp312-manylinux1_x86_64.whl"
CUDA = {"torch/version.py": "__version__ = '2.6.0+cu124'\ndebug = False\ncuda: Optional[str] = '12.4'\n"}


def gpu_wheel(name: str) -> bytes:
    """Of its own content each: what was read is kept by sha256, and twins would be read once."""
    return wheel({**CUDA, "torch/lib/libtorch_python.so": KERNELS, "torch/name": name}, requires=REQUIRES)


GPU_WHEEL = gpu_wheel("any")
CPU_WHEEL = wheel({"torch/version.py": "__version__ = '2.6.0+cpu'\ncuda = None\n"}, requires=REQUIRES)
FILES = {**{name: gpu_wheel(name) for name in (LINUX, LINUX_311, LINUX_T, OLD)}, WINDOWS: CPU_WHEEL}


def read(index: Index, folder: Path, since: str | None = None) -> Harvest:
    first = {"torch": since} if since else {}
    return harvest(["torch"], index.address, "pypi", "2026-01-01", cache=Cache(str(folder)), since=first, workers=2)


def by_platform(result: Harvest) -> dict[tuple[str, str], Build]:
    return {(build.version, build.platform): build for build in result.builds}


@pytest.mark.parametrize("html", [False, True])
def test_rows_from_wheels(html: bool, tmp_path: Path) -> None:
    with serving(Index({"torch": FILES}, html=html)) as index:
        result = read(index, tmp_path)
    assert result.failures == []
    linux = by_platform(result)["2.6.0", "linux-x86_64"]
    assert (linux.variant, linux.cuda, linux.cudnn, linux.nccl, linux.triton) == (
        "cu124",
        "12.4",
        "9.1.0.70",
        "2.21.5",
        "3.2.0",
    )
    assert linux.kernels == ("sm_75", "sm_80", "sm_86", "sm_90", "compute_90")
    assert linux.pythons == ("3.11", "3.12", "3.13t")
    assert linux.tags == ("manylinux_2_28_x86_64",)
    assert linux.requires == ("nvidia-cudnn-cu12==9.1.0.70", "nvidia-nccl-cu12==2.21.5", "triton==3.2.0")
    assert linux.sources == ("torch-2.6.0-linux-x86_64",)
    source = next(source for source in result.sources if source.name == linux.sources[0])
    assert (source.file, source.kind, len(source.sha256 or "")) == (LINUX, "wheel", 64)


def test_windows_wheel_is_cpu_whatever_its_metadata_says(tmp_path: Path) -> None:
    with serving(Index({"torch": FILES})) as index:
        windows = by_platform(read(index, tmp_path))["2.6.0", "windows-x86_64"]
    assert (windows.variant, windows.cuda, windows.kernels, windows.requires) == ("cpu", None, None, ())


def test_since_leaves_older_versions_alone(tmp_path: Path) -> None:
    with serving(Index({"torch": FILES})) as index:
        assert {build.version for build in read(index, tmp_path, "2.6").builds} == {"2.6.0"}
        with pytest.raises(HarvestError, match="is no version"):
            read(index, tmp_path, "two")


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    with serving(Index({"torch": FILES})) as index:
        first = read(index, tmp_path)
        index.served.clear()
        second = read(index, tmp_path)
        assert index.served == []
    assert second.builds == first.builds


def test_one_wheel_stands_for_its_version_and_platform(tmp_path: Path) -> None:
    with serving(Index({"torch": FILES})) as index:
        read(index, tmp_path)
        assert set(index.served) == {LINUX, WINDOWS, OLD}


def test_only_parts_are_fetched(tmp_path: Path) -> None:
    padding = {f"torch/lib/big{n}.bin": os.urandom(1 << 20) for n in range(4)}
    large = wheel({**padding, **CUDA, "torch/lib/libtorch_python.so": KERNELS}, requires=REQUIRES)
    with serving(Index({"torch": {LINUX: large}})) as index:
        result = read(index, tmp_path)
    assert result.builds[0].kernels is not None
    assert result.bytes < len(large) / 4


@pytest.mark.parametrize("fault", ["missing", pytest.param("busy", marks=pytest.mark.slow)])
def test_a_failure_does_not_show_the_password_of_the_index(fault: str, tmp_path: Path) -> None:
    files = {"torch": {LINUX: GPU_WHEEL}}
    with serving(Index(files, busy=99) if fault == "busy" else Index(files, gone={LINUX})) as index:
        index.address = index.address.replace("//", "//me:hunter2@")
        (failure,) = read(index, tmp_path).failures
    assert failure.startswith(f"{LINUX}: it cannot be read: ")
    assert failure.endswith("HTTP 404" if fault == "missing" else "RetryError")
    assert "hunter2" not in failure


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 97), (6, 199)])  # encrypted, no such compression, version
def test_a_wheel_that_cannot_be_unpacked_is_named_and_the_rest_goes_on(offset: int, value: int, tmp_path: Path) -> None:
    broken = bytearray(GPU_WHEEL)
    at = broken.find(b"PK\x01\x02")
    while at >= 0:
        broken[at + offset] = value
        at = broken.find(b"PK\x01\x02", at + 4)
    with serving(Index({"torch": {**FILES, LINUX: bytes(broken)}})) as index:
        result = read(index, tmp_path)
    assert len(result.failures) == 1
    assert result.failures[0].startswith(f"{LINUX}: ")
    assert ("2.6.0", "windows-x86_64") in by_platform(result)


@pytest.mark.slow
def test_busy_server_is_asked_again(tmp_path: Path) -> None:
    with serving(Index({"torch": {LINUX: GPU_WHEEL}}, busy=2)) as index:
        result = read(index, tmp_path)
        assert index.served.count(LINUX) >= 3
    assert result.failures == []
    assert len(result.builds) == 1


def test_a_transfer_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    with serving(Index({"torch": {LINUX: GPU_WHEEL}}, cut=2)) as index:
        result = read(index, tmp_path)
    assert result.failures == []
    assert result.builds[0].variant == "cu124"


def test_server_without_ranges_is_named_and_no_whole_wheel_is_fetched(tmp_path: Path) -> None:
    with serving(Index({"torch": {LINUX: GPU_WHEEL}}, ranges=False)) as index:
        result = read(index, tmp_path)
    assert result.builds == []
    assert result.failures == [f"{LINUX}: the server does not answer range requests"]


def test_truncated_wheel_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    with serving(Index({"torch": FILES}, truncate={LINUX})) as index:
        result = read(index, tmp_path)
    assert result.failures == [f"{LINUX}: the file is truncated or no wheel"]
    assert set(by_platform(result)) == {("2.6.0", "windows-x86_64"), ("2.5.0", "linux-x86_64")}


def test_changed_page_and_missing_package_are_named(tmp_path: Path) -> None:
    with serving(Index({"torch": FILES}, garbage=True)) as index:
        (failure,) = read(index, tmp_path).failures
        assert failure.startswith("torch: its page at 127.0.0.1 cannot be read")
    with serving(Index({})) as index:
        assert read(index, tmp_path).failures == ["torch: 127.0.0.1 has no such package"]


@pytest.mark.parametrize("html", [False, True])
def test_a_name_that_no_file_has_is_passed_over(html: bool, tmp_path: Path) -> None:
    long = {f"torch-1{'-' * 100_000}.whl": b"", f"torch-{'1.' * 50_000}0-py3-none-any.whl": b""}
    with serving(Index({"torch": {**FILES, **long}}, html=html)) as index:
        found = read(index, tmp_path)
    assert not found.failures
    assert set(by_platform(found)) == {
        ("2.6.0", "linux-x86_64"),
        ("2.6.0", "windows-x86_64"),
        ("2.5.0", "linux-x86_64"),
    }


def test_wheel_without_metadata_is_named(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("torch/version.py", "__version__ = '2.6.0+cu124'\ncuda = '12.4'\n")
    with serving(Index({"torch": {LINUX: out.getvalue()}})) as index:
        assert read(index, tmp_path).failures == [f"{LINUX}: no METADATA in it"]


def test_yanked_looking_names_and_other_machines_are_passed_over(tmp_path: Path) -> None:
    odd = {
        "torch-2.6.0-cp312-cp312-manylinux_2_28_s390x.whl": b"x",
        "torch-2.6.0rc1-cp312-cp312-manylinux_2_28_x86_64.whl": b"x",
        "not a wheel.whl": b"x",
        "torch-2.6.0.tar.gz": b"x",
        LINUX: GPU_WHEEL,
    }
    with serving(Index({"torch": odd})) as index:
        result = read(index, tmp_path)
    assert [build.platform for build in result.builds] == ["linux-x86_64"]
    assert result.failures == []


def test_highest_build_tag_is_read(tmp_path: Path) -> None:
    again = LINUX.replace("2.6.0-", "2.6.0-3-")
    with serving(Index({"torch": {LINUX: CPU_WHEEL, again: GPU_WHEEL}})) as index:
        (build,) = read(index, tmp_path).builds
    assert build.variant == "cu124"


@pytest.mark.parametrize(
    ("tag", "platform"),
    [
        ("manylinux_2_28_x86_64", "linux-x86_64"),
        ("manylinux1_x86_64", "linux-x86_64"),
        ("linux_aarch64", "linux-aarch64"),
        ("musllinux_1_2_x86_64", "linux-x86_64"),
        ("win_amd64", "windows-x86_64"),
        ("macosx_14_0_arm64", "macos-aarch64"),
        ("any", "any"),
        ("manylinux_2_28_i686", None),
    ],
)
def test_platforms(tag: str, platform: str | None) -> None:
    assert platform_of(tag) == platform


def test_default_index_is_the_configured_one(tmp_path: Path) -> None:
    pip = tmp_path / "pip.conf"
    pip.write_text("[global]\nindex-url = https://mirror.example.org/simple\n", encoding="utf-8")
    own = {"XDG_CONFIG_HOME": str(tmp_path / "none")}
    assert default_index({**own, "PIP_INDEX_URL": "https://a/"}) == "https://a/"
    assert default_index({**own, "UV_DEFAULT_INDEX": "https://b/"}) == "https://b/"
    assert default_index({**own, "PIP_CONFIG_FILE": str(pip)}) == "https://mirror.example.org/simple"
    uv = tmp_path / "config" / "uv" / "uv.toml"
    uv.parent.mkdir(parents=True)
    uv.write_text('[[index]]\nurl = "https://c/"\ndefault = true\n', encoding="utf-8")
    found = default_index({"XDG_CONFIG_HOME": str(tmp_path / "config"), "PIP_CONFIG_FILE": "/none"})
    assert found == "https://c/" or "index-url" in Path("/etc/pip.conf").read_text(encoding="utf-8")


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("https://me:hunter2@host.example/simple?token=x") == "host.example"


def test_a_source_file_is_read_and_never_run() -> None:
    source = "import os\nos._exit(1)\nx = 1\ny: str = 'a'\nz = dict([('k', [1])])\nw = f(1, 2)\nv = x + 1\n"
    assert assignments(source) == {"x": 1, "y": "a", "z": {"k": [1]}}
    assert assignments("def (:") == {}
    assert assignments("\0") == {}


def file(platform: str, python: str = "3.12") -> WheelFile:
    return WheelFile("x", Version("1"), "x.whl", "", None, platform, (python,), (), (0, ""))


def test_markers_are_applied_for_the_wheels_own_platform() -> None:
    text = (
        f"Name: x\n{REQUIRES}"
        "Requires-Dist: numpy>=2; python_version >= '3.13'\n"
        "Requires-Dist: nvidia_cublas_cu12<13,>=12; extra == 'with-cuda'\n"
        "Requires-Dist: cuda-toolkit[cudart,cublas]==13.0.3; sys_platform == 'linux'\n"
    )
    linux = requirements(text, file("linux-x86_64"))
    assert linux == (
        "cuda-toolkit[cublas,cudart]==13.0.3",
        "nvidia-cudnn-cu12==9.1.0.70",
        "nvidia-nccl-cu12==2.21.5",
        "triton==3.2.0",
    )
    assert "nvidia-cudnn-cu12==9.1.0.70" not in requirements(text, file("linux-aarch64"))
    assert requirements(text, file("windows-x86_64", "3.13")) == ("numpy>=2",)
    assert requirements(text, file("linux-x86_64"), "with-cuda") == ("nvidia-cublas-cu12<13,>=12",)
    assert exact(linux, "cuda-toolkit") == "13.0.3"
    assert exact(("numpy>=2",), "numpy") is None


@pytest.mark.online
@pytest.mark.slow
@pytest.mark.usefixtures("package_index")
def test_torch_215_from_the_real_index(tmp_path: Path) -> None:
    first = {"torch": "2.15"}
    result = harvest(["torch"], default_index(), "pypi", "2026-01-01", cache=Cache(str(tmp_path)), since=first)
    assert result.failures == []
    rows = by_platform(result)
    linux = rows["2.15.0", "linux-x86_64"]
    assert (linux.variant, linux.cuda, linux.cudnn) == ("cu132", "13.2", "9.26.0.51")
    assert linux.kernels == ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
    assert rows["2.15.0", "windows-x86_64"].variant == "cpu"
    assert result.bytes < 100 << 20


def test_cupy_tells_what_it_was_built_with_and_an_open_python_is_told(tmp_path: Path) -> None:
    data = '{"cuda": "12.x", "cudnn": {"version": "8.8.1"}, "nccl": {"version": "2.25.1"}, "cutensor": 3}'
    content = wheel({"cupy/.data/_wheel.json": data}, "cupy_cuda12x", "13.6.0", "Requires-Python: >=3.9, <3.14")
    name = "cupy_cuda12x-13.6.0-py3-none-manylinux2014_x86_64.whl"
    with serving(Index({"cupy-cuda12x": {name: content}})) as index:
        result = harvest(["cupy-cuda12x"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    (build,) = result.builds
    assert (build.variant, build.cudnn, build.nccl) == ("cu12", "8.8.1", "2.25.1")
    assert (build.pythons, build.requires_python) == ((), ">=3.9,<3.14")


def test_broken_notes_inside_a_wheel_are_no_facts(tmp_path: Path) -> None:
    broken = wheel({"cupy/.data/_wheel.json": "[1"}, "cupy_cuda12x", "13.6.0")
    name = "cupy_cuda12x-13.6.0-cp312-cp312-manylinux2014_x86_64.whl"
    info = "build_info = collections.OrderedDict([('is_cuda_build', True), ('cuda_version', '12.5.1')])\n"
    tensorflow = wheel({"tensorflow/python/platform/build_info.py": info}, "tensorflow", "2.21.0")
    tf_name = "tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl"
    packages = {"cupy-cuda12x": {name: broken}, "tensorflow": {tf_name: tensorflow}}
    with serving(Index(packages)) as index:
        result = harvest(list(packages), index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    cupy, flow = result.builds
    assert (cupy.cudnn, cupy.requires_python) == (None, None)
    assert (flow.variant, flow.cuda, flow.cudnn, flow.kernels) == ("cu125", "12.5.1", None, None)


@pytest.mark.parametrize(
    "members", [{"torch/x.py": ""}, {"torch/version.py": "def ("}, {"torch/version.py": "cuda = None"}]
)
def test_a_wheel_that_does_not_tell_its_variant_is_no_cpu_build(members: dict[str, str], tmp_path: Path) -> None:
    with serving(Index({"torch": {LINUX: wheel(members, requires=REQUIRES)}})) as index:
        result = read(index, tmp_path)
    assert result.builds == []
    assert len(result.failures) == 1
    assert "version" in result.failures[0]


def test_a_cpu_build_keeps_its_pins_but_for_cuda_libraries(tmp_path: Path) -> None:
    version = {"torchvision/version.py": "__version__ = '0.21.0+cpu'\n"}
    requires = f"{REQUIRES}Requires-Dist: torch ==2.6.0\nRequires-Dist: numpy"
    name = "torchvision-0.21.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    with serving(Index({"torchvision": {name: wheel(version, "torchvision", "0.21.0", requires)}})) as index:
        result = harvest(["torchvision"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    (build,) = result.builds
    assert (build.variant, build.requires) == ("cpu", ("numpy", "torch==2.6.0"))


def test_tensorflow_needs_its_own_requirements_and_those_of_its_extra(tmp_path: Path) -> None:
    info = "build_info = dict([('is_cuda_build', True), ('cuda_version', '12.5.1'), ('cudnn_version', '9')])\n"
    requires = "Requires-Dist: keras>=3.5\nRequires-Dist: numpy<2.2,>=1.26\n"
    requires += 'Requires-Dist: nvidia-cudnn-cu12==9.3.0.75; extra == "and-cuda"'
    member = "tensorflow/python/platform/build_info.py"
    linux = "tensorflow-2.19.0-cp312-cp312-manylinux_2_17_x86_64.whl"
    windows = "tensorflow-2.19.0-cp312-cp312-win_amd64.whl"
    files = {
        linux: wheel({member: info}, "tensorflow", "2.19.0", requires),
        windows: wheel({}, "tensorflow", "2.19.0", requires),
        "tensorflow-2.18.0-cp312-cp312-win_amd64.whl": wheel({"tensorflow/python/x.py": ""}, "tensorflow", "2.18.0"),
    }
    with serving(Index({"tensorflow": files})) as index:
        result = harvest(["tensorflow"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    stub, gpu = result.builds
    assert (gpu.variant, gpu.extra) == ("cu125", "and-cuda")
    assert gpu.requires == ("keras>=3.5", "numpy<2.2,>=1.26", "nvidia-cudnn-cu12==9.3.0.75")
    assert (stub.variant, stub.requires) == ("cpu", ("keras>=3.5", "numpy<2.2,>=1.26"))
    assert result.failures == [f"tensorflow-2.18.0-cp312-cp312-win_amd64.whl: no `{member}` in it"]


@pytest.mark.parametrize("data", ['{"cudnn": "8.8.1", "nccl": [2]}', "[" * 100_000, '"text"', "[1"])
def test_notes_of_another_shape_are_no_facts(data: str, tmp_path: Path) -> None:
    content = wheel({"cupy/.data/_wheel.json": data}, "cupy_cuda12x", "13.6.0")
    name = "cupy_cuda12x-13.6.0-cp312-cp312-manylinux2014_x86_64.whl"
    with serving(Index({"cupy-cuda12x": {name: content}})) as index:
        result = harvest(["cupy-cuda12x"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    assert result.failures == []
    assert (result.builds[0].variant, result.builds[0].cudnn, result.builds[0].nccl) == ("cu12", None, None)


JAX_METADATA = """Requires-Python: >=3.12
Provides-Extra: cuda
Provides-Extra: cuda12
Provides-Extra: cuda12-pip
Provides-Extra: cuda13
Provides-Extra: cuda12-local
Provides-Extra: tpu
Requires-Dist: jaxlib==0.12.0
Requires-Dist: jax-cuda12-plugin[with-cuda]==0.12.0; extra == "cuda"
Requires-Dist: jax-cuda12-plugin[with-cuda]==0.12.0; extra == "cuda12"
Requires-Dist: jax-cuda12-plugin[with-cuda]==0.12.0; extra == "cuda12-pip"
Requires-Dist: jax-cuda12-plugin==0.12.0; extra == "cuda12-local"
Requires-Dist: jax-cuda13-plugin[with-cuda]==0.12.0; extra == "cuda13"
Requires-Dist: libtpu==1; extra == "tpu\""""


def test_jax_is_a_build_for_each_cuda_that_an_extra_brings(tmp_path: Path) -> None:
    name = "jax-0.12.0-py3-none-any.whl"
    with serving(Index({"jax": {name: wheel({}, "jax", "0.12.0", JAX_METADATA)}})) as index:
        result = harvest(["jax"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    assert result.failures == []
    assert [(b.variant, b.platform, b.extra, b.kernels, b.requires) for b in result.builds] == [
        ("any", "any", None, None, ("jaxlib==0.12.0",)),
        *(
            (
                variant,
                platform,
                extra,
                (),
                (f"jax-cuda{extra[-2:]}-plugin[with-cuda]==0.12.0", "jaxlib==0.12.0"),
            )
            for variant, extra in (("cu12", "cuda12"), ("cu13", "cuda13"))
            for platform in ("linux-aarch64", "linux-x86_64")
        ),
    ]
    assert {build.sources for build in result.builds} == {("jax-0.12.0-any",)}


def test_the_extras_of_cuda_toolkit_are_kept_with_what_they_pin(tmp_path: Path) -> None:
    metadata = "\n".join(
        [
            "Provides-Extra: all",
            "Provides-Extra: cublas",
            "Provides-Extra: cudart",
            'Requires-Dist: nvidia-cublas==13.2.1.*; extra == "all"',
            'Requires-Dist: nvidia-cublas==13.2.1.*; extra == "cublas"',
            'Requires-Dist: nvidia-cuda-runtime==13.2.5.*; extra == "cudart"',
        ]
    )
    name = "cuda_toolkit-13.2.1-py2.py3-none-any.whl"
    with serving(Index({"cuda-toolkit": {name: wheel({}, "cuda_toolkit", "13.2.1", metadata)}})) as index:
        result = harvest(["cuda-toolkit"], index.address, "pypi", "2026-01-01", cache=Cache(str(tmp_path)))
    (build,) = result.builds
    assert (build.variant, build.cuda, build.kernels) == ("cu132", "13.2", ())
    assert build.requires == (
        "nvidia-cublas==13.2.1.*;extra=='cublas'",
        "nvidia-cuda-runtime==13.2.5.*;extra=='cudart'",
    )


def test_tags_within_tags_without_end_are_no_page() -> None:
    link = '<a href="torch-2.6.0-py3-none-any.whl">torch-2.6.0-py3-none-any.whl</a><br>\n'
    good, bad = (
        f"<!DOCTYPE html><html><body>{text}</body></html>".encode() for text in (link * 3000, "<a href='x'>" * 9000)
    )
    assert len(served(good)) == 3000
    with pytest.raises(HarvestError, match="cannot be read"):
        served(bad)


@pytest.mark.parametrize("part", [b"<!--", b"<!-- >", b"<?", b"</", b"<"])
def test_what_is_begun_again_and_again_without_an_end_is_no_page(part: bytes) -> None:
    link = b'<a href="torch-2.6.0-py3-none-any.whl">torch-2.6.0-py3-none-any.whl</a><!-- a remark -->\n'
    assert len(served(link * 300)) == 300
    with pytest.raises(HarvestError, match="cannot be read"):
        served(link + part * 1000)


def served(page: bytes) -> list[WheelFile]:
    return wheels("torch", "https://example.org/simple/", session(page, HTML_PAGE))
