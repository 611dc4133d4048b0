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
from cudafit.model.finding import Report
from cudafit.model.machine import Library, Machine, Toolkit
from cudafit.model.project import Project
from cudafit.model.requirement import wanted
from cudafit.project.dockerfile import parse_dockerfile
from tests.doctor.test_cases import there
from tests.doctor.worlds import CUDA_LIBRARIES, FACTS, environment, machine, tensorflow, torch, tree

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
