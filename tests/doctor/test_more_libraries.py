"""TensorFlow's cuDNN, old layout and DLLs on Windows; links to stubs; names in the lines of a Dockerfile."""

from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.checks.cudnn import LEAST_OF_JAX
from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.env.inventory import read_inventory
from cudafit.env.prefixes import at
from cudafit.files import Files
from cudafit.machine.described import Description, described
from cudafit.model.container_files import ContainerFiles
from cudafit.model.environment import Environment
from cudafit.model.finding import ERROR, WARNING, Report
from cudafit.model.machine import Library, Machine, Toolkit
from cudafit.model.project import Project
from cudafit.model.requirement import wanted
from cudafit.project.dockerfile import parse_dockerfile
from tests.doctor.test_cases import there
from tests.doctor.worlds import CUDA_LIBRARIES, FACTS, environment, machine, tensorflow, torch, tree
from tests.elf_files import dll, library

UBUNTU = "/usr/lib/x86_64-linux-gnu"
OLD = "is_rocm_build = False\nis_cuda_build = True\ncuda_version_number = '10.1'\ncudnn_version_number = '7'\n"


def looked(seen: Machine, made: Environment | None = None, project: Project | None = None) -> Report:
    return diagnose(World(seen, made, FACTS, project))


def ids(report: Report) -> list[str]:
    return [one.id for one in report.findings]


@pytest.mark.parametrize(
    ("version", "major", "cudnn", "told"),
    [
        ("2.12.0", "8", "8.5.0.96", True),  # tensorflow/tensorflow issue 60913: compiled with 8.6
        ("2.12.0", "8", "8.9.7.29", False),
        ("2.18.0", "9", "9.1.0.70", True),
        ("2.18.0", "9", "9.3.0.75", False),
        ("2.99.0", "9", "9.1.0.70", False),  # nobody knows
        ("2.12.0+nv23.4", "8", "8.5.0.96", False),  # compiled by others
    ],
)
def test_the_cudnn_that_tensorflow_was_compiled_with(
    version: str, major: str, cudnn: str, told: bool, tmp_path: Path
) -> None:
    files = {**tensorflow("12.5.1", major), **CUDA_LIBRARIES}
    made = environment(tree(tmp_path, files, [f"tensorflow=={version}", f"nvidia-cudnn-cu12=={cudnn}"]))
    assert ("lib.cudnn_too_old" in ids(looked(there("A100"), made))) == told


def test_tensorflow_in_the_folder_that_it_had_before(tmp_path: Path) -> None:
    files = {"SITE/tensorflow_core/python/platform/build_info.py": OLD}
    build = environment(tree(tmp_path, files, ["tensorflow==2.1.0"], "3.7")).tensorflow
    assert build
    assert (build.version, build.has_cuda, build.cuda, build.cudnn) == ("2.1.0", True, "10.1", "7")


@pytest.mark.parametrize(
    ("cuda", "installed", "told"),
    [
        ("10.1", ["10.2.89"], True),
        ("10.1", ["10.2.89", "10.1.243"], False),
        ("11.2", ["11.8.0"], False),
        ("11.2", ["12.4.1"], True),
        ("11.2", [], True),
    ],
)
def test_the_dlls_of_tensorflow_on_windows(cuda: str, installed: list[str], told: bool, tmp_path: Path) -> None:
    """10.1 for 2.1: tensorflow/tensorflow issue 38090."""
    seen = described(Description("560.94", ("GTX 1650",), "windows-x86_64"), None, "", FACTS.book.facts)
    seen = replace(seen, toolkits=tuple(Toolkit(one, f"C:/CUDA/v{one}", "version.json") for one in installed))
    made = environment(tree(tmp_path, tensorflow(cuda, "8", ["sm_75"]), ["tensorflow==2.10.0"]))
    assert ("tf.cuda_libs_missing" in ids(looked(seen, made))) == told


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("/usr/local/cuda/lib64/stubs/libcuda.so", "driver.stub_libcuda"),
        ("/usr/local/cuda/compat/libcuda.so.580.82.07", "driver.compat_on_geforce"),
        (f"{UBUNTU}/nvidia/current/libcuda.so.580.65.06", None),
    ],
)
def test_a_link_leads_to_what_is_loaded(target: str, cause: str | None) -> None:
    first = Library("libcuda", None, f"{UBUNTU}/libcuda.so.1", "default folders", target)
    found = looked(there("RTX 3090", libraries=(first,)))
    assert found.cause == cause
    if cause:
        (one,) = found.findings
        assert target in one.evidence[0].fact
        assert one.fix
        assert "link" in one.fix.text


LINES = "FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04\nRUN pip install {}\n"


@pytest.mark.parametrize(
    ("asked", "finding"),
    [
        ("apex", "provision.wrong_package"),
        ("sklearn", "provision.wrong_package"),
        ("nvidia-cublas-cu13", "provision.cu13_stub_name"),
        ("tensorflow-gpu", "tf.gpu_stub_package"),
        ("scikit-learn", None),
        ("'apex @ git+https://github.com/NVIDIA/apex'", None),
    ],
)
def test_names_in_the_lines_of_a_dockerfile(asked: str, finding: str | None) -> None:
    file = parse_dockerfile(LINES.format(asked), "Dockerfile")
    found = looked(machine(), None, Project(containers=ContainerFiles(("Dockerfile",), (file,))))
    told = [one for one in found.findings if one.id.startswith(("provision.", "tf."))]
    assert [one.id for one in told] == ([finding] if finding else [])
    if told:
        assert told[0].evidence[0].via == "Dockerfile:2"


def test_sklearn_in_a_requirement_file_and_as_it_was_installed_before(tmp_path: Path) -> None:
    asked = looked(there(), None, Project((wanted("sklearn", "requirements.txt:3"),)))
    assert ids(asked) == ["provision.wrong_package"]
    there_already = environment(tree(tmp_path, {}, ["sklearn==0.0", "scikit-learn==1.2.0"]))
    assert not ids(looked(there(), there_already))


@pytest.mark.parametrize(("nvrtc", "told"), [("12.9.86", True), ("12.4.127", False), ("12.2.140", False)])
def test_condas_compiler_at_run_time(nvrtc: str, told: bool, tmp_path: Path) -> None:
    prefix = tree(tmp_path, {}, ["cupy==13.6.0"])
    (prefix / "pyvenv.cfg").unlink()
    (prefix / "conda-meta").mkdir()
    for name in (f"cuda-nvrtc-{nvrtc}-h5888daf_0", "cupy-13.6.0-py312h7d319b9_1"):
        (prefix / "conda-meta" / f"{name}.json").write_text("{}")
    found = looked(there("RTX 3090", driver="550.54.15"), environment(prefix))
    mine = [one for one in found.findings if one.id == "driver.jit_ptx_too_new"]
    assert bool(mine) == told
    if mine:
        assert mine[0].fix
        assert mine[0].fix.commands[0][-1] == "cuda-version<12.5"


@pytest.mark.parametrize("linked", [False, True])
def test_the_environments_own_folder_in_the_variable_shadows_nothing(linked: bool, tmp_path: Path) -> None:
    """As where ctranslate2 finds the cuBLAS that was installed for it."""
    own = {"SITE/nvidia/cublas/lib/libcublas.so.12": b"", "SITE/nvidia/cudnn/lib/libcudnn.so.9": b""}
    made = environment(tree(tmp_path, own, ["ctranslate2==4.8.5"]))
    seen = []
    for one in made.libraries:
        path = f"/opt/links/{one.soname}" if linked else one.path
        name = one.soname.removeprefix("lib").partition(".")[0]
        seen.append(Library(name, None, path, "LD_LIBRARY_PATH", one.path if linked else None))
    folders = ":".join(one.path.rpartition("/")[0] for one in seen)
    here = there("RTX 3090", libraries=tuple(seen), environment={"LD_LIBRARY_PATH": folders})
    assert not ids(looked(here, made))


@pytest.mark.parametrize(
    ("version", "told"), [("9.1.0", ["lib.cudnn_shadowed"]), ("8.9.7", []), ("9.14.0", []), (None, [])]
)
def test_a_link_without_a_version_is_judged_by_its_file(version: str | None, told: list[str], tmp_path: Path) -> None:
    """Of libcudnn.so, libcudnn.so.9 and libcudnn.so.9.1.0, which are one file, the first is named."""
    made = environment(tree(tmp_path, {"SITE/nvidia/cudnn/lib/libcudnn.so.9": b""}, ["nvidia-cudnn-cu12==9.14.0.64"]))
    seen = Library("cudnn", version, "/opt/cudnn/lib/libcudnn.so", "LD_LIBRARY_PATH")
    here = there("RTX 3090", libraries=(seen,), environment={"LD_LIBRARY_PATH": "/opt/cudnn/lib"})
    assert [one for one in ids(looked(here, made)) if one.startswith("lib.")] == told


@pytest.mark.parametrize(
    ("opens", "beside", "told"),
    [
        ("libcublasLt.so.12", "", ERROR),
        ("libcublasLt.so.12", "SITE/nvidia/cublas/lib/libcublasLt.so.12", WARNING),
        ("libcublasLt.so.13", "", None),
        ("libsomething.so.12", "", None),
    ],
)
def test_a_cudnn_that_was_made_for_another_cuda(opens: str, beside: str, told: str | None, tmp_path: Path) -> None:
    """The wheels for CUDA 12 and 13 fill one folder under the same names: the last one that was installed is there."""
    files = torch("2.13.0+cu130", "13.0", "sm_90")
    files["SITE/nvidia/cudnn/lib/libcudnn_adv.so.9"] = library(constants=["x", opens])
    if beside:
        files[beside] = b""
    dists = ["torch==2.13.0", "nvidia-cudnn-cu13==9.14.0.64", "nvidia-cudnn-cu12==9.10.2.21"]
    made = environment(tree(tmp_path, files, dists))
    found = [one for one in looked(there("H100"), made).findings if one.id == "lib.mixed_cuda_major"]
    assert [one.severity for one in found] == ([told] if told else [])
    if found:
        assert found[0].title == "the cuDNN here is made for CUDA 12, and torch 2.13.0+cu130 for CUDA 13"
        assert found[0].evidence[0].fact == "it opens libcublasLt.so.12"
        assert found[0].fix
        commands = [" ".join(one) for one in found[0].fix.commands]
        assert "uninstall" in commands[0]
        assert commands[0].endswith("nvidia-cudnn-cu12")
        assert commands[1].endswith("nvidia-cudnn-cu13==9.14.0.64")


def test_a_cudnn_that_cannot_be_read_tells_no_cuda(tmp_path: Path) -> None:
    files = torch("2.13.0+cu130", "13.0", "sm_90")
    files["SITE/nvidia/cudnn/lib/libcudnn_adv.so.9"] = b"\x7fELF" + b"\xff" * 80
    assert environment(tree(tmp_path, files, ["torch==2.13.0"])).cudnn_made_for is None


@pytest.mark.parametrize(("cudnn", "told"), [("8.0.5", True), ("8.1.1", False), (None, False)])
def test_the_cudnn_that_was_unpacked_into_a_toolkit_on_windows(cudnn: str | None, told: bool, tmp_path: Path) -> None:
    """tensorflow/tensorflow issue 58986; on Windows build_info.py has the names of DLLs."""
    seen = described(Description("522.25", ("RTX 3060",), "windows-x86_64"), None, "", FACTS.book.facts)
    seen = replace(seen, toolkits=(Toolkit("11.2.2", "C:/CUDA/v11.2", "version.json", cudnn=cudnn),))
    made = environment(tree(tmp_path, tensorflow("64_112", "64_8", ["sm_80"]), ["tensorflow==2.10.1"]))
    found = [one for one in looked(seen, made).findings if one.id == "lib.cudnn_too_old"]
    assert bool(found) == told
    if found:
        assert found[0].fix
        assert "unpack cuDNN 8.1" in found[0].fix.text


def test_two_openmp_dlls_on_windows(tmp_path: Path) -> None:
    """conda's and that of torch's wheel: the process ends with OMP: Error #15."""
    place = tmp_path / "Lib/site-packages/torch/lib"
    place.mkdir(parents=True)
    (tmp_path / "Library/bin").mkdir(parents=True)
    (tmp_path / "conda-meta").mkdir()
    for folder in (place, tmp_path / "Library/bin"):
        (folder / "libiomp5md.dll").write_bytes(b"MZ")
    seen = described(Description("560.94", ("RTX 4070",), "windows-x86_64"), None, "", FACTS.book.facts)
    assert "lib.duplicate_openmp" in ids(looked(seen, environment(tmp_path)))
    (place / "libiomp5md.dll").unlink()
    assert "lib.duplicate_openmp" not in ids(looked(seen, environment(tmp_path)))


def test_what_pip_installed_for_the_user_is_left_out(tmp_path: Path) -> None:
    """~/.local comes before a conda environment's own folder."""
    prefix = tree(tmp_path / "env", torch("2.6.0+cu124", "12.4", "sm_80"), ["torch==2.6.0"])
    (prefix / "pyvenv.cfg").unlink()
    (prefix / "conda-meta").mkdir()
    user = tmp_path / "home/.local/lib/python3.12/site-packages"
    (user / "torch-2.5.1.dist-info").mkdir(parents=True)
    (user / "torch-2.5.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.5.1\n")
    (user / "torch").mkdir()
    (user / "torch/version.py").write_text("__version__ = '2.5.1+cpu'\ncuda = None\nhip = None\n")
    files = Files()
    located = at(files, str(prefix), "named")
    assert located
    made = read_inventory(files, located, {"HOME": str(tmp_path / "home")}, ())
    found = looked(there("RTX 3090"), made)
    assert found.cause == "dist.duplicate_install"
    mine = next(one for one in found.findings if one.id == found.cause)
    assert "2.5.1 wins over 2.6.0" in mine.title
    assert mine.fix
    assert mine.fix.commands == (("export", "PYTHONNOUSERSITE=1"),)
    without = read_inventory(files, located, {"HOME": str(tmp_path / "home"), "PYTHONNOUSERSITE": "1"}, ())
    assert looked(there("RTX 3090"), without).cause is None


VC_RUNTIME = ("vcruntime140.dll", "msvcp140.dll", "vcruntime140_1.dll")


@pytest.mark.parametrize(
    ("there_are", "told"),
    [
        ({"System32": VC_RUNTIME[:1], "env": ()}, "msvcp140.dll, vcruntime140_1.dll"),
        ({"System32": VC_RUNTIME, "env": ()}, None),
        ({"System32": (), "env": VC_RUNTIME}, None),  # conda's Python brings them
    ],
)
def test_visual_cs_runtime_that_torch_needs(
    there_are: dict[str, tuple[str, ...]], told: str | None, tmp_path: Path
) -> None:
    (tmp_path / "env/Lib/site-packages/torch/lib").mkdir(parents=True)
    (tmp_path / "env/conda-meta").mkdir()
    (tmp_path / "Windows/System32").mkdir(parents=True)
    for folder, names in there_are.items():
        for name in names:
            (tmp_path / ("env" if folder == "env" else "Windows/System32") / name).write_bytes(b"MZ")
    files = Files()
    located = at(files, str(tmp_path / "env"), "named")
    assert located
    made = read_inventory(files, located, {"SystemRoot": str(tmp_path / "Windows")}, ())
    seen = described(Description("560.94", ("RTX 4070",), "windows-x86_64"), None, "", FACTS.book.facts)
    found = [one for one in looked(seen, made).findings if one.id == "windows.dll_missing"]
    assert len(found) == bool(told)
    assert all((told or "") in one.title for one in found)
    assert not [one for one in looked(there("RTX 3090"), made).findings if one.id == "windows.dll_missing"]


def test_the_least_cudnn_of_jax_is_the_one_it_was_built_with() -> None:
    """Of every plugin whose wheel says what XLA was compiled with: what doctor goes by is that, but for the patch."""
    told = [
        (build.version, match[1], build.cudnn)
        for name in ("jax-cuda12-plugin", "jax-cuda13-plugin")
        for build in FACTS.book.builds(name)
        for text in build.requires
        if build.cudnn and (match := LEAST_OF_JAX.match(text))
    ]
    assert len(told) > 40
    assert [one for one in told if one[2].rpartition(".")[0] != one[1]] == []


def test_a_cudnn_that_torch_pins_is_not_exchanged_for_jax(tmp_path: Path) -> None:
    own = ["torch==2.7.0; needs nvidia-cudnn-cu12==9.5.1.17", "nvidia-cudnn-cu12==9.5.1.17", "jaxlib==0.6.1"]
    plugin = 'jax-cuda12-plugin==0.6.1; needs nvidia-cudnn-cu12<10.0,>=9.8; extra == "with-cuda"'
    made = environment(tree(tmp_path, CUDA_LIBRARIES, [*own, plugin]))
    (one,) = (found for found in looked(there(), made).findings if found.id == "lib.cudnn_too_old")
    assert one.fix is not None
    assert (one.fix.commands, one.fix.automatic) == ((), False)
    assert "torch needs nvidia-cudnn-cu12==9.5.1.17" in one.fix.text


@pytest.mark.parametrize(
    ("dists", "severity"),
    [
        (["cupy-cuda12x==14.0.0"], WARNING),  # it compiles for the card itself
        (["numba-cuda==0.4.0"], ERROR),
        (["cupy-cuda12x==14.0.0", "numba-cuda==0.4.0"], ERROR),
        (["numba-cuda==0.4.0", "pynvjitlink-cu12==0.5.2"], None),
        (["numba-cuda==0.23.0; needs cuda-core>=0.3.2", "nvidia-nvjitlink-cu12==12.9.86"], None),
        (["numba-cuda==0.23.0; needs cuda-core>=0.3.2"], ERROR),
    ],
)
def test_who_compiles_at_run_time_and_what_bridges_it(dists: list[str], severity: str | None, tmp_path: Path) -> None:
    made = environment(tree(tmp_path, {}, [*dists, "nvidia-cuda-nvrtc-cu12==12.9.86"]))
    found = looked(there("T4", driver="550.54.15"), made).findings
    assert [one.severity for one in found if one.id == "driver.jit_ptx_too_new"] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("packages", "command"),
    [
        (["openmm-7.7.0-py38h1_1", "cudatoolkit-11.7.0-h1_10"], "cudatoolkit<11.3"),
        (["cupy-11.0.0-py38h1_1", "cudatoolkit-11.7.0-h1_10"], None),
        (["openmm-7.7.0-py38h1_1", "cudatoolkit-11.2.2-h1_10"], None),
    ],
)
def test_condas_toolkit_up_to_cuda_11_compiles_too(packages: list[str], command: str | None, tmp_path: Path) -> None:
    prefix = tree(tmp_path, {}, [])
    (prefix / "pyvenv.cfg").unlink()
    (prefix / "conda-meta").mkdir()
    for name in packages:
        (prefix / "conda-meta" / f"{name}.json").write_text("{}")
    found = looked(there("T4", driver="460.32.03"), environment(prefix)).findings
    told = [one.fix.commands[0][-1] for one in found if one.id == "driver.jit_ptx_too_new" and one.fix]
    assert told == ([command] if command else [])


NEW_LIBC = {"libm.so.6": ["GLIBC_2.35"]}


@pytest.mark.parametrize(
    ("place", "libc", "told"),
    [
        ("env/lib", "glibc 2.28", True),
        ("env/lib", "glibc 2.35", False),
        ("elsewhere", "glibc 2.28", False),  # what the system brings runs on it
    ],
)
def test_the_c_library_that_a_framework_loads_libraries_for(place: str, libc: str, told: bool, tmp_path: Path) -> None:
    curand = library(["libm.so.6"], soname="libcurand.so.10", needs=NEW_LIBC)
    files = {
        **torch("2.9.1+cu128", "12.8", "sm_86"),
        "SITE/torch/lib/libtorch_cuda.so": library(["libcurand.so.10"], rpath=str(tmp_path / place)),
    }
    made_in = tree(tmp_path / "env", files, ["torch==2.9.1"])
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "libcurand.so.10").write_bytes(curand)
    found = looked(there(os={"libc": libc}), environment(made_in))
    assert (found.cause == "sys.glibc_too_old") == told
    if told:
        assert found.findings[0].title == "libcurand.so.10 needs glibc 2.35, and this system has glibc 2.28"


def test_jaxs_own_library_tells_of_the_c_library(tmp_path: Path) -> None:
    """jax-ml/jax issue 854."""
    files = {"SITE/jaxlib/libjax_common.so": library(["libm.so.6"], needs=NEW_LIBC)}
    made = environment(tree(tmp_path, files, ["jax==0.9.0", "jaxlib==0.9.0"]))
    assert "sys.glibc_too_old" in ids(looked(there(os={"libc": "glibc 2.28"}), made))
    assert "sys.glibc_too_old" not in ids(looked(there(os={"libc": "glibc 2.36"}), made))


ON_WINDOWS = described(Description("560.94", ("RTX 3090",), "windows-x86_64"), None, "", FACTS.book.facts)
KNOWN = {"SystemRoot": "PREFIX/Windows", "Path": "PREFIX/Scripts;PREFIX/cuda/bin"}


@pytest.mark.parametrize(
    ("there_is", "variables", "told"),
    [
        ("SITE/torch/lib/cublas64_11.dll", KNOWN, True),
        ("SITE/torch/lib/cublas64_12.dll", KNOWN, False),
        ("SITE/nvidia/cublas/bin/cublas64_12.dll", KNOWN, False),
        ("SITE/ctranslate2/cublas64_12.dll", KNOWN, False),
        ("Library/bin/cublas64_12.dll", KNOWN, False),
        ("cuda/bin/cublas64_12.dll", KNOWN, False),
        ("Windows/System32/cublas64_12.dll", KNOWN, False),
        ("elsewhere/cublas64_12.dll", KNOWN, True),
        ("elsewhere/cublas64_12.dll", {}, None),  # nobody knows that machine's folders
    ],
)
def test_the_dlls_that_a_package_names(
    there_is: str, variables: dict[str, str], told: bool | None, tmp_path: Path
) -> None:
    """jhj0517/Whisper-WebUI issue 102: faster-whisper from 1.0 on wants CUDA 12, and torch was for 11.8."""
    own = dll("cublas64_12.dll", "KERNEL32.dll", "nvcuda.dll", kernels=["sm_75", "sm_80", "sm_86"])
    files = {"SITE/ctranslate2/ctranslate2.dll": own, there_is: b"MZ", "Scripts/python.exe": b"MZ"}
    prefix = tree(tmp_path, files, ["ctranslate2==4.1.0"])
    environ = {name: value.replace("PREFIX", str(prefix)) for name, value in variables.items()}
    found = looked(ON_WINDOWS, environment(prefix, environ))
    assert ("ext.cuda_libs_missing" in ids(found)) == bool(told)
    if told:
        (one,) = (one for one in found.findings if one.id == "ext.cuda_libs_missing")
        assert one.fix
        assert "nvidia-cublas-cu12" in " ".join(one.fix.commands[0])
    assert any("cublas64_12.dll" in one.reason for one in found.skipped) == (told is None)


@pytest.mark.parametrize(("part", "told"), [(None, True), ("cudnn_ops_infer64_8.dll", False)])
def test_a_shell_of_cudnn_without_its_parts_on_windows(part: str | None, told: bool, tmp_path: Path) -> None:
    """OpenNMT/CTranslate2 issue 1915."""
    files = {
        "SITE/ctranslate2/ctranslate2.dll": dll("cudnn64_8.dll", kernels=["sm_86"]),
        "SITE/ctranslate2/cudnn64_8.dll": dll("cudnn_ops_infer64_8.dll"),
        **({f"SITE/ctranslate2/{part}": b"MZ"} if part else {}),
    }
    prefix = tree(tmp_path, files, ["ctranslate2==4.4.0"])
    found = looked(ON_WINDOWS, environment(prefix, {"SystemRoot": str(tmp_path / "Windows")}))
    assert ("ext.cuda_libs_missing" in ids(found)) == told


@pytest.mark.parametrize(
    ("wanted", "there_is", "told"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_the_openmp_of_visual_c(wanted: bool, there_is: bool, told: bool, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "Lib/site-packages/torch/lib/fbgemm.dll": dll("libomp140.x86_64.dll" if wanted else "KERNEL32.dll"),
        **{f"Windows/System32/{name}": b"MZ" for name in VC_RUNTIME},
        **({"Windows/System32/libomp140.x86_64.dll": b"MZ"} if there_is else {}),
    }
    made = environment(tree(tmp_path, files, []), {"SystemRoot": str(tmp_path / "Windows")})
    found = [one for one in looked(ON_WINDOWS, made).findings if one.id == "windows.dll_missing"]
    assert ["libomp140.x86_64.dll" in one.title for one in found] == ([True] if told else [])


@pytest.mark.parametrize(("gpu", "source", "told"), [("V100", True, True), ("T4", True, False), ("V100", False, False)])
def test_bitsandbytes_for_cards_before_turing(gpu: str, source: bool, told: bool, tmp_path: Path) -> None:
    files = {
        **torch("2.0.1+cu121", "12.1", "sm_70 sm_75 sm_80"),
        "SITE/bitsandbytes/libbitsandbytes_cuda121.so": b"",
        "SITE/bitsandbytes/cuda_setup/main.py": "_nocublaslt" if source else "",
    }
    made = environment(tree(tmp_path, files, ["torch==2.0.1", "bitsandbytes==0.38.1"]))
    assert ("bnb.binary_missing" in ids(looked(there(gpu, driver="535.104.05"), made))) == told


def test_a_tensorflow_for_windows_that_could_have_had_cuda(tmp_path: Path) -> None:
    """ContinuumIO/anaconda-issues issue 13063: 2.8 for the CPU, of a time that had builds for GPUs."""
    for version, expected in (("2.8.2", "tf.cpu_build"), ("2.12.0", "tf.windows_native_unsupported")):
        made = environment(tree(tmp_path / version, tensorflow(None), [f"tensorflow=={version}"]))
        assert looked(ON_WINDOWS, made).cause == expected


def test_a_nightly_tensorflow_whose_version_is_not_told_has_a_remedy(tmp_path: Path) -> None:
    """tensorflow/tensorflow issue 45200: of tf-nightly-gpu."""
    files = {**tensorflow("11.0", "8"), "SITE/tensorflow/libtensorflow_framework.so.2": library(runpath="$ORIGIN")}
    for name in ("tf-nightly-gpu", "my-own-tensorflow"):
        made = environment(tree(tmp_path / name, files, [f"{name}==2.5.0.dev20201125"]))
        assert looked(there("T4"), made).cause == "tf.cuda_libs_missing"
